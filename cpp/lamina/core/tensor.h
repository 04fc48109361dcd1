// Shapes, element types, and views over memory that somebody else owns.
//
// Everything is row-major. A view never owns, copies or frees; it must not outlive the memory that it names.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace lamina {

// The element types that arrays of the caller may have. Inside the library everything is float32.
enum class DType : std::uint8_t { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f16, f32, f64 };

std::size_t size_of(DType dtype);  // bytes
const char* name_of(DType dtype);  // "float32", "uint8", ... (NumPy's names)
bool is_floating(DType dtype);     // float16, float32, float64

// The element type of a C++ arithmetic type. (float16 has no C++ type; name it with DType::f16.)
template <class T>
constexpr DType dtype_of();

// A matrix or vector of Eigen (which this library neither includes nor needs), known by what it can tell.
template <class M>
concept EigenMatrix = requires(const std::remove_cvref_t<M>& m) {
  typename std::remove_cvref_t<M>::Scalar;
  std::remove_cvref_t<M>::IsRowMajor;
  m.data();
  m.rows();
  m.cols();
  m.innerStride();
  m.outerStride();
};

// Numbers that lie one after the other: std::vector, std::span, std::array, an array of C, ...
template <class C>
concept ContiguousNumbers =
    !EigenMatrix<C> && !std::is_same_v<std::remove_cvref_t<C>, std::initializer_list<float>> &&
    requires(std::remove_reference_t<C>& c) {
      requires std::is_arithmetic_v<std::remove_cvref_t<decltype(*std::data(c))>>;
      requires !std::is_same_v<std::remove_cvref_t<decltype(*std::data(c))>, char>;
      { std::size(c) } -> std::convertible_to<std::size_t>;
    };

// The extents of a tensor; at most 8 of them, stored in place.
class Shape {
 public:
  static constexpr std::size_t kMaxRank = 8;

  Shape() = default;
  Shape(std::initializer_list<std::size_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const std::size_t> extents);  // ShapeError beyond kMaxRank extents

  std::size_t rank() const { return rank_; }
  std::size_t operator[](std::size_t axis) const { return extents_[axis]; }
  std::size_t& operator[](std::size_t axis) { return extents_[axis]; }
  std::size_t back() const { return extents_[rank_ - 1]; }
  const std::size_t* begin() const { return extents_.data(); }
  const std::size_t* end() const { return extents_.data() + rank_; }

  std::size_t elements() const;  // the product of the extents; 1 for a scalar. ShapeError on overflow
  Shape with_batch(std::size_t rows) const;  // (rows, *this)
  Shape without_batch() const;               // all but the first extent
  std::string str() const;                   // "(2, 3)", "(4,)", "()"
  std::string str_with_batch() const;        // "(batch, 2, 3)"

  friend bool operator==(const Shape& a, const Shape& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<std::size_t, kMaxRank> extents_{};
  std::size_t rank_ = 0;
};

// A contiguous row-major tensor in memory that somebody else owns.
template <class T>
struct TensorView {
  T* data = nullptr;
  Shape shape;

  std::size_t elements() const { return shape.elements(); }
  std::span<T> span() const { return {data, elements()}; }
};

using View = TensorView<float>;
using ConstView = TensorView<const float>;

// An array of the caller, read in place: any element type, contiguous within a row, rows at any distance.
// `shape` includes the batch: (rows, ...). Rows are converted to float32 as they are gathered.
struct ArrayView {
  const void* data = nullptr;
  DType dtype = DType::f32;
  Shape shape;
  std::ptrdiff_t row_stride = 0;  // bytes from one row to the next; may be negative

  ArrayView() = default;
  ArrayView(const void* memory, DType type, const Shape& extents, std::ptrdiff_t stride)
      : data(memory), dtype(type), shape(extents), row_stride(stride) {}
  // Contiguous rows at `memory`.
  template <class T>
  ArrayView(const T* memory, const Shape& extents);
  // A vector, span, array, ... of numbers: one number a row, or rows of this shape (ShapeError unless the
  // numbers are as many).
  template <ContiguousNumbers C>
  ArrayView(const C& values) : ArrayView(std::data(values), Shape{std::size(values)}) {}
  template <ContiguousNumbers C>
  ArrayView(const C& values, const Shape& extents) : ArrayView(std::data(values), extents) {
    check_elements(std::size(values));
  }
  // A vector of Eigen, one number a row, or a row-major matrix, read in place.
  template <EigenMatrix M>
  ArrayView(const M& matrix) {
    constexpr bool kColumn = M::ColsAtCompileTime == 1;
    constexpr bool kRowMajor = static_cast<bool>(M::IsRowMajor);
    static_assert(kColumn || kRowMajor,
                  "lamina: expected a row-major matrix, such as Eigen::Matrix<float, Eigen::Dynamic, "
                  "Eigen::Dynamic, Eigen::RowMajor>, got a column-major one");
    using Scalar = typename M::Scalar;
    const auto rows = static_cast<std::size_t>(matrix.rows());
    const auto cols = static_cast<std::size_t>(matrix.cols());
    data = matrix.data();
    dtype = dtype_of<Scalar>();
    shape = kColumn ? Shape{rows} : Shape{rows, cols};
    row_stride = static_cast<std::ptrdiff_t>((kRowMajor ? matrix.outerStride() : matrix.innerStride()) *
                                             static_cast<std::ptrdiff_t>(sizeof(Scalar)));
    if (!kColumn && cols > 1) check_inner_stride(static_cast<std::ptrdiff_t>(matrix.innerStride()));
  }

  std::size_t rows() const { return shape.rank() == 0 ? 0 : shape[0]; }
  std::size_t row_elements() const { return shape.rank() == 0 ? 0 : shape.without_batch().elements(); }
  const void* row(std::size_t index) const {
    return static_cast<const char*>(data) + static_cast<std::ptrdiff_t>(index) * row_stride;
  }

 private:
  void check_elements(std::size_t count) const;             // ShapeError unless the shape has as many
  static void check_inner_stride(std::ptrdiff_t elements);  // ShapeError unless it is 1
};

// Owned float32 memory, 64-byte aligned, zero at first. Movable; copied only by clone().
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t elements);

  float* data() { return memory_.get(); }
  const float* data() const { return memory_.get(); }
  std::size_t size() const { return size_; }
  std::span<float> span() { return {memory_.get(), size_}; }
  std::span<const float> span() const { return {memory_.get(), size_}; }
  Buffer clone() const;

 private:
  struct Free {
    void operator()(float* memory) const;
  };
  std::unique_ptr<float[], Free> memory_;
  std::size_t size_ = 0;
};

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, bool>) {
    return DType::boolean;
  } else if constexpr (std::is_same_v<T, float>) {
    return DType::f32;
  } else if constexpr (std::is_same_v<T, double>) {
    return DType::f64;
  } else {
    static_assert(std::is_integral_v<T>, "an array must hold numbers");
    constexpr bool kSigned = std::is_signed_v<T>;
    switch (sizeof(T)) {
      case 1:
        return kSigned ? DType::i8 : DType::u8;
      case 2:
        return kSigned ? DType::i16 : DType::u16;
      case 4:
        return kSigned ? DType::i32 : DType::u32;
      default:
        return kSigned ? DType::i64 : DType::u64;
    }
  }
}

template <class T>
ArrayView::ArrayView(const T* memory, const Shape& extents)
    : data(memory),
      dtype(dtype_of<T>()),
      shape(extents),
      row_stride(static_cast<std::ptrdiff_t>(extents.without_batch().elements() * sizeof(T))) {}

}  // namespace lamina
