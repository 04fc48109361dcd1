// Elementwise expressions: written as formulas, computed in one pass over memory when they are assigned or
// reduced. Each operation runs on a block that stays in the L1 cache, by a kernel for this CPU.
//
//   lamina::MatrixView y(memory, rows, cols);
//   y = lamina::sigmoid(x) * (1.0F - z) + bias;      // x, z: rows x cols; bias: 1 x cols, for every row
//
// An operand of one row or one column is repeated, as in NumPy. Expressions hold their views, not the memory
// behind them.
#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>

#include "lamina/core/operations.h"
#include "lamina/tensor/matrix_view.h"

namespace lamina {

namespace detail {

void unary_block(Unary function, const float* x, float* y, std::size_t n);
void activation_block(ActivationSpec activation, const float* x, float* y, std::size_t n);
void binary_block(Binary function, const float* a, const float* b, float* y, std::size_t n);
void scalar_block(Binary function, const float* x, float value, bool value_first, float* y, std::size_t n);
void fill_block(float value, float* y, std::size_t n);
// ArgumentError for softmax and log_softmax, which are no functions of one element.
ActivationSpec elementwise(ActivationKind kind);

template <class E>
concept IsExpression = std::derived_from<E, Expression<E>>;

// What an operand becomes within an expression: a view that reads, or the expression that it is.
template <class X>
auto operand(const X& x) {
  if constexpr (std::is_same_v<X, MatrixView>) {
    return ConstMatrixView(x);
  } else if constexpr (IsExpression<X>) {
    return x;
  } else {
    return ConstMatrixView(x);
  }
}
template <class X>
using Operand = decltype(operand(std::declval<const X&>()));

// A function of each element. Op is called as op(x, y, n).
template <class X, class Op>
class UnaryExpression : public Expression<UnaryExpression<X, Op>> {
 public:
  UnaryExpression(X x, Op op) : x_(std::move(x)), op_(op) {}
  std::size_t rows() const { return x_.rows(); }
  std::size_t cols() const { return x_.cols(); }
  bool flat() const { return x_.flat(); }
  const float* block_of(std::size_t row, std::size_t col, std::size_t n, float* out) const {
    op_(x_.block_of(row, col, n, out), out, n);
    return out;
  }

 private:
  X x_;
  Op op_;
};

// A function of two elements.
template <class A, class B>
class BinaryExpression : public Expression<BinaryExpression<A, B>> {
 public:
  BinaryExpression(Binary function, A a, B b) : function_(function), a_(std::move(a)), b_(std::move(b)) {
    const bool rows_fit = a_.rows() == b_.rows() || a_.rows() == 1 || b_.rows() == 1;
    const bool cols_fit = a_.cols() == b_.cols() || a_.cols() == 1 || b_.cols() == 1;
    if (!rows_fit || !cols_fit)
      throw_extents("operands of equal extents, or of one row or column", a_.rows(), a_.cols(), b_.rows(),
                    b_.cols());
  }
  std::size_t rows() const { return a_.rows() == 1 ? b_.rows() : a_.rows(); }
  std::size_t cols() const { return a_.cols() == 1 ? b_.cols() : a_.cols(); }
  bool flat() const { return a_.flat() && b_.flat() && a_.rows() == b_.rows() && a_.cols() == b_.cols(); }
  const float* block_of(std::size_t row, std::size_t col, std::size_t n, float* out) const {
    alignas(64) float other[kBlock];
    const float* a = part(a_, row, col, n, out);
    const float* b = part(b_, row, col, n, other);
    binary_block(function_, a, b, out, n);
    return out;
  }

 private:
  // A stretch of an operand, repeated where this expression has more rows or columns.
  template <class X>
  const float* part(const X& x, std::size_t row, std::size_t col, std::size_t n, float* out) const {
    const bool whole = x.rows() == rows() && x.cols() == cols();
    if (whole) return x.block_of(row, col, n, out);
    const std::size_t own_row = x.rows() == 1 ? 0 : row;
    if (x.cols() == cols()) return x.block_of(own_row, col, n, out);
    fill_block(*x.block_of(own_row, 0, 1, out), out, n);
    return out;
  }

  Binary function_;
  A a_;
  B b_;
};

// Calls visit(row, col, n) for stretches that cover an expression. `flat` takes it for one row.
template <class Visit>
void over_blocks(std::size_t rows, std::size_t cols, bool flat, Visit&& visit) {
  if (flat) {
    cols = rows * cols;
    rows = cols == 0 ? 0 : 1;
  }
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t col = 0; col < cols; col += kBlock)
      visit(row, col, cols - col < kBlock ? cols - col : kBlock);
  }
}

}  // namespace detail

// What may stand in an expression beside numbers: expressions, views, and what converts to a view (vectors of
// float, tensors, matrices of Eigen). One of two operands must be a view or an expression of ours.
template <class X>
concept TensorOperand = detail::IsExpression<X> || std::convertible_to<const X&, ConstMatrixView>;

namespace detail {
template <class A, class B>
concept Operands = TensorOperand<A> && TensorOperand<B> && (IsExpression<A> || IsExpression<B>);

// What counts as a number beside an expression. (As a plain float, Clang 14 would reject an operator of two
// numbers that it only considers, as for an std::atomic and an integer.)
template <class S>
concept Number = std::convertible_to<const S&, float> && !TensorOperand<S>;

template <class A, class B>
auto binary(Binary function, const A& a, const B& b) {
  return BinaryExpression<Operand<A>, Operand<B>>(function, operand(a), operand(b));
}
template <class X>
auto scalar(Binary function, const X& x, float value, bool value_first) {
  const auto op = [=](const float* in, float* out, std::size_t n) {
    scalar_block(function, in, value, value_first, out, n);
  };
  return UnaryExpression<Operand<X>, decltype(op)>(operand(x), op);
}
template <class X>
auto unary(Unary function, const X& x) {
  const auto op = [=](const float* in, float* out, std::size_t n) { unary_block(function, in, out, n); };
  return UnaryExpression<Operand<X>, decltype(op)>(operand(x), op);
}
template <class X>
auto activated(ActivationSpec spec, const X& x) {
  const auto op = [=](const float* in, float* out, std::size_t n) { activation_block(spec, in, out, n); };
  return UnaryExpression<Operand<X>, decltype(op)>(operand(x), op);
}
}  // namespace detail

// ---- arithmetic
#define LAMINA_BINARY(name, function)                                             \
  template <class A, class B>                                                     \
    requires detail::Operands<A, B>                                               \
  auto name(const A& a, const B& b) {                                             \
    return detail::binary(Binary::function, a, b);                                \
  }                                                                               \
  template <detail::IsExpression X, detail::Number S>                             \
  auto name(const X& x, const S& value) {                                         \
    return detail::scalar(Binary::function, x, static_cast<float>(value), false); \
  }                                                                               \
  template <detail::Number S, detail::IsExpression X>                             \
  auto name(const S& value, const X& x) {                                         \
    return detail::scalar(Binary::function, x, static_cast<float>(value), true);  \
  }
LAMINA_BINARY(operator+, add)
LAMINA_BINARY(operator-, subtract)
LAMINA_BINARY(operator*, multiply)
LAMINA_BINARY(operator/, divide)
LAMINA_BINARY(minimum, minimum)
LAMINA_BINARY(maximum, maximum)
#undef LAMINA_BINARY

template <detail::IsExpression X>
auto operator-(const X& x) {
  return -1.0F * x;
}

// ---- functions of each element
#define LAMINA_UNARY(name)                \
  template <TensorOperand X>              \
  auto name(const X& x) {                 \
    return detail::unary(Unary::name, x); \
  }
LAMINA_UNARY(exp)
LAMINA_UNARY(expm1)
LAMINA_UNARY(log)
LAMINA_UNARY(log1p)
LAMINA_UNARY(tanh)
LAMINA_UNARY(erf)
LAMINA_UNARY(sigmoid)
LAMINA_UNARY(softplus)
LAMINA_UNARY(sqrt)
LAMINA_UNARY(rsqrt)
LAMINA_UNARY(square)
LAMINA_UNARY(abs)
#undef LAMINA_UNARY

// Other activations than those above, with Keras's names and defaults.
#define LAMINA_ACTIVATION(name)                                \
  template <TensorOperand X>                                   \
  auto name(const X& x) {                                      \
    return detail::activated({ActivationKind::name, 0.0F}, x); \
  }
LAMINA_ACTIVATION(relu)
LAMINA_ACTIVATION(relu6)
LAMINA_ACTIVATION(selu)
LAMINA_ACTIVATION(gelu)
LAMINA_ACTIVATION(silu)
LAMINA_ACTIVATION(hard_sigmoid)
LAMINA_ACTIVATION(softsign)
LAMINA_ACTIVATION(mish)
#undef LAMINA_ACTIVATION

template <TensorOperand X>
auto leaky_relu(const X& x, float negative_slope = 0.2F) {
  return detail::activated({ActivationKind::leaky_relu, negative_slope}, x);
}
template <TensorOperand X>
auto elu(const X& x, float alpha = 1.0F) {
  return detail::activated({ActivationKind::elu, alpha}, x);
}
// Any elementwise one, by its kind.
template <TensorOperand X>
auto activate(const X& x, ActivationKind kind) {
  return detail::activated(detail::elementwise(kind), x);
}

// ---- assignment
template <class T>
template <class E>
const BasicMatrixView<T>& BasicMatrixView<T>::operator=(const Expression<E>& expression) const {
  static_assert(!std::is_const_v<T>, "expected a view of float to write to, got one of const float");
  const E& x = expression.self();
  const bool whole = x.rows() == rows_ && x.cols() == cols_;
  if ((x.rows() != rows_ && x.rows() != 1) || (x.cols() != cols_ && x.cols() != 1))
    detail::throw_extents("an expression with the extents of what it is assigned to", rows_, cols_, x.rows(),
                          x.cols());
  alignas(64) float scratch[detail::kBlock];
  detail::over_blocks(
      rows_, cols_, whole && flat() && x.flat(), [&](std::size_t row, std::size_t col, std::size_t n) {
        const std::size_t own_row = x.rows() == 1 && !whole ? 0 : row;
        const float* values = scratch;
        if (x.cols() == 1 && !whole && cols_ != 1) {
          detail::fill_block(*x.block_of(own_row, 0, 1, scratch), scratch, n);
        } else {
          values = x.block_of(own_row, col, n, scratch);
        }
        detail::scatter_block(values, data_ + row * row_stride_ + col * col_stride_, col_stride_, n);
      });
  return *this;
}

template <class T>
const BasicMatrixView<T>& BasicMatrixView<T>::operator=(float value) const {
  for (std::size_t row = 0; row < rows_; ++row) {
    for (std::size_t col = 0; col < cols_; ++col) (*this)(row, col) = value;
  }
  return *this;
}

}  // namespace lamina
