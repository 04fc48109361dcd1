// Matrices of float32 in anyone's memory: a pointer, extents, and the distances of rows and columns.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>

#include "lamina/core/error.h"
#include "lamina/core/tensor.h"

namespace lamina {

// What expressions are: anything that can tell its extents and compute a stretch of a row. See expression.h.
template <class Self>
struct Expression {
  const Self& self() const { return static_cast<const Self&>(*this); }
};

namespace detail {

// Elements that an expression computes at a time: few enough to stay in the L1 cache between two operations.
inline constexpr std::size_t kBlock = 512;

// Copies n elements that lie `stride` apart.
void gather_block(const float* x, std::size_t stride, float* y, std::size_t n);
void scatter_block(const float* x, float* y, std::size_t stride, std::size_t n);
[[noreturn]] void throw_extents(const char* what, std::size_t rows, std::size_t cols, std::size_t other_rows,
                                std::size_t other_cols);
void check_count(std::size_t count, std::size_t rows, std::size_t cols);  // ShapeError
[[noreturn]] void throw_block(std::size_t row, std::size_t col, std::size_t rows, std::size_t cols,
                              std::size_t of_rows, std::size_t of_cols);

}  // namespace detail

// `const float` reads only. A view never owns: it must not outlive the memory that it names.
//
// Assignment writes elements, as with Eigen's Map: `y = exp(x) + 1.0F` computes into y's memory, in one pass,
// without temporaries. What is assigned may read y itself, element for element, but not y shifted or
// transposed.
template <class T>
class BasicMatrixView : public Expression<BasicMatrixView<T>> {
 public:
  BasicMatrixView() = default;
  // Contiguous rows, or rows `row_stride` elements apart, or any strides.
  BasicMatrixView(T* data, std::size_t rows, std::size_t cols) : BasicMatrixView(data, rows, cols, cols) {}
  BasicMatrixView(T* data, std::size_t rows, std::size_t cols, std::size_t row_stride,
                  std::size_t col_stride = 1)
      : data_(data), rows_(rows), cols_(cols), row_stride_(row_stride), col_stride_(col_stride) {}
  // A tensor as a matrix: its last dimension is the columns, the others together are the rows.
  BasicMatrixView(const TensorView<T>& tensor)
      : BasicMatrixView(tensor.data, rows_of(tensor.shape), cols_of(tensor.shape)) {}
  // A vector, span, array, ... of floats: one row.
  template <ContiguousNumbers C>
    requires std::convertible_to<decltype(std::data(std::declval<C&>())), T*>
  BasicMatrixView(C&& values) : BasicMatrixView(std::data(values), 1, std::size(values)) {}
  // A matrix or vector of Eigen, row-major or column-major, without a copy.
  template <EigenMatrix M>
    requires std::convertible_to<decltype(std::declval<M&>().data()), T*>
  BasicMatrixView(M&& matrix)
      : BasicMatrixView(
            matrix.data(), static_cast<std::size_t>(matrix.rows()), static_cast<std::size_t>(matrix.cols()),
            static_cast<std::size_t>(is_row_major<M>() ? matrix.outerStride() : matrix.innerStride()),
            static_cast<std::size_t>(is_row_major<M>() ? matrix.innerStride() : matrix.outerStride())) {}
  // A view that writes is also one that reads.
  operator BasicMatrixView<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data_, rows_, cols_, row_stride_, col_stride_};
  }

  T* data() const { return data_; }
  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t row_stride() const { return row_stride_; }
  std::size_t col_stride() const { return col_stride_; }
  T& operator()(std::size_t row, std::size_t col) const {
    return data_[row * row_stride_ + col * col_stride_];
  }

  BasicMatrixView transposed() const { return {data_, cols_, rows_, col_stride_, row_stride_}; }
  BasicMatrixView row(std::size_t index) const { return block(index, 0, 1, cols_); }
  BasicMatrixView col(std::size_t index) const { return block(0, index, rows_, 1); }
  // ShapeError where it reaches beyond the matrix.
  BasicMatrixView block(std::size_t row, std::size_t col, std::size_t rows, std::size_t cols) const {
    if (row > rows_ || rows > rows_ - row || col > cols_ || cols > cols_ - col)
      detail::throw_block(row, col, rows, cols, rows_, cols_);
    return {data_ + row * row_stride_ + col * col_stride_, rows, cols, row_stride_, col_stride_};
  }

  // ---- assignment of elements; ShapeError unless the extents are equal, or those of x are 1 and repeated
  template <class E>
  const BasicMatrixView& operator=(const Expression<E>& x) const;
  const BasicMatrixView& operator=(const BasicMatrixView& x) const {
    return *this = static_cast<const Expression<BasicMatrixView>&>(x);
  }
  BasicMatrixView& operator=(const BasicMatrixView& x) {
    std::as_const(*this) = static_cast<const Expression<BasicMatrixView>&>(x);
    return *this;
  }
  BasicMatrixView(const BasicMatrixView&) = default;
  const BasicMatrixView& operator=(float value) const;
  template <class X>
  const BasicMatrixView& operator+=(const X& x) const {
    return *this = *this + x;
  }
  template <class X>
  const BasicMatrixView& operator-=(const X& x) const {
    return *this = *this - x;
  }
  template <class X>
  const BasicMatrixView& operator*=(const X& x) const {
    return *this = *this * x;
  }
  template <class X>
  const BasicMatrixView& operator/=(const X& x) const {
    return *this = *this / x;
  }

  // ---- as an expression
  // Whether all elements can be taken for one row.
  bool flat() const { return col_stride_ == 1 && (row_stride_ == cols_ || rows_ <= 1); }
  const float* block_of(std::size_t row, std::size_t col, std::size_t n, float* out) const {
    const float* first = data_ + row * row_stride_ + col * col_stride_;
    if (col_stride_ == 1) return first;
    detail::gather_block(first, col_stride_, out, n);
    return out;
  }

 private:
  template <class M>
  static constexpr bool is_row_major() {
    return static_cast<bool>(std::remove_cvref_t<M>::IsRowMajor);
  }
  static std::size_t cols_of(const Shape& shape) { return shape.rank() == 0 ? 1 : shape.back(); }
  static std::size_t rows_of(const Shape& shape) {
    const std::size_t cols = cols_of(shape);
    return cols == 0 ? 0 : shape.elements() / cols;
  }

  T* data_ = nullptr;
  std::size_t rows_ = 0, cols_ = 0, row_stride_ = 0, col_stride_ = 1;
};

using MatrixView = BasicMatrixView<float>;
using ConstMatrixView = BasicMatrixView<const float>;

// Views by another name, for use within a line: map(y, 8, 4) = exp(map(x, 8, 4)). A container must hold as many
// numbers (ShapeError).
template <class T>
  requires std::same_as<std::remove_const_t<T>, float>
BasicMatrixView<T> map(T* data, std::size_t rows, std::size_t cols) {
  return {data, rows, cols};
}
template <ContiguousNumbers C>
auto map(C&& values, std::size_t rows, std::size_t cols) {
  detail::check_count(std::size(values), rows, cols);
  return map(std::data(values), rows, cols);
}
template <ContiguousNumbers C>
auto map(C&& values) {
  return map(std::data(values), 1, std::size(values));
}
template <EigenMatrix M>
auto map(M&& matrix) {
  return BasicMatrixView<std::remove_pointer_t<decltype(matrix.data())>>(matrix);
}

}  // namespace lamina
