// Sums, means, extremes and norms of expressions, in one pass, without the expression in memory.
//
// Sums are taken in float64, in an order that depends on extents and instruction set alone. The largest and
// smallest are NaN where a value is, as in NumPy. Row-wise figures go to as many floats as there are rows,
// column-wise ones to as many as there are columns (ShapeError otherwise).
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "lamina/tensor/expression.h"

namespace lamina {

namespace detail {
double sum_block(const float* x, std::size_t n);
double sum_abs_block(const float* x, std::size_t n);
double sum_squares_block(const float* x, std::size_t n);
double dot_block(const float* x, const float* y, std::size_t n);
float extreme_block(const float* x, std::size_t n, bool largest);
// Where `value` stands first; where the first NaN does when it is one.
std::size_t find_block(const float* x, std::size_t n, float value);
void add_to_sums(const float* x, double* sums, std::size_t n);
void check_room(const char* what, std::size_t expected, std::size_t got);
void check_some(const char* what, std::size_t elements);

template <class E, class Block>
double total(const E& x, Block&& block) {
  alignas(64) float scratch[kBlock];
  double result = 0;
  over_blocks(x.rows(), x.cols(), x.flat(), [&](std::size_t row, std::size_t col, std::size_t n) {
    result += block(x.block_of(row, col, n, scratch), n);
  });
  return result;
}

// Calls visit(row, col, values, n) for stretches of rows.
template <class E, class Visit>
void by_rows(const E& x, Visit&& visit) {
  alignas(64) float scratch[kBlock];
  over_blocks(x.rows(), x.cols(), false, [&](std::size_t row, std::size_t col, std::size_t n) {
    visit(row, col, x.block_of(row, col, n, scratch), n);
  });
}

// The larger (or smaller) of what is known and of a stretch; a NaN stays.
inline bool improves(float value, float best, bool largest) {
  return best == best && (value != value || (largest ? value > best : value < best));
}

template <class E>
float extreme(const E& x, bool largest, const char* what) {
  check_some(what, x.rows() * x.cols());
  alignas(64) float scratch[kBlock];
  float best = 0;
  bool first = true;
  over_blocks(x.rows(), x.cols(), x.flat(), [&](std::size_t row, std::size_t col, std::size_t n) {
    const float value = extreme_block(x.block_of(row, col, n, scratch), n, largest);
    if (first || improves(value, best, largest)) best = value;
    first = false;
  });
  return best;
}

template <class E>
void row_extreme(const E& x, std::span<float> out, bool largest, const char* what) {
  check_room(what, x.rows(), out.size());
  if (x.rows() > 0) check_some(what, x.cols());
  by_rows(x, [&](std::size_t row, std::size_t col, const float* values, std::size_t n) {
    const float value = extreme_block(values, n, largest);
    if (col == 0 || improves(value, out[row], largest)) out[row] = value;
  });
}

template <class E>
void column_extreme(const E& x, std::span<float> out, bool largest, const char* what) {
  check_room(what, x.cols(), out.size());
  if (x.cols() > 0) check_some(what, x.rows());
  const Binary function = largest ? Binary::maximum : Binary::minimum;
  by_rows(x, [&](std::size_t row, std::size_t col, const float* values, std::size_t n) {
    float* best = out.data() + col;
    if (row == 0) {
      scatter_block(values, best, 1, n);
    } else {
      binary_block(function, best, values, best, n);
    }
  });
}

template <class E>
std::vector<double> column_totals(const E& x) {
  std::vector<double> sums(x.cols());
  by_rows(x, [&](std::size_t, std::size_t col, const float* values, std::size_t n) {
    add_to_sums(values, sums.data() + col, n);
  });
  return sums;
}
}  // namespace detail

// ---- over all elements
template <TensorOperand X>
double sum(const X& x) {
  return detail::total(detail::operand(x), detail::sum_block);
}
// NaN of nothing.
template <TensorOperand X>
double mean(const X& x) {
  const auto e = detail::operand(x);
  return detail::total(e, detail::sum_block) / static_cast<double>(e.rows() * e.cols());
}
template <TensorOperand X>
float max(const X& x) {
  return detail::extreme(detail::operand(x), true, "max");
}
template <TensorOperand X>
float min(const X& x) {
  return detail::extreme(detail::operand(x), false, "min");
}
// The row-major index of the first largest element.
template <TensorOperand X>
std::size_t argmax(const X& x) {
  const auto e = detail::operand(x);
  detail::check_some("argmax", e.rows() * e.cols());
  std::size_t at = 0;
  float best = 0;
  bool first = true;
  detail::by_rows(e, [&](std::size_t row, std::size_t col, const float* values, std::size_t n) {
    const float value = detail::extreme_block(values, n, true);
    if (!first && !detail::improves(value, best, true)) return;
    at = row * e.cols() + col + detail::find_block(values, n, value);
    best = value;
    first = false;
  });
  return at;
}
// The Euclidean norm, sqrt(sum x^2); the sum of magnitudes.
template <TensorOperand X>
double norm(const X& x) {
  return std::sqrt(detail::total(detail::operand(x), detail::sum_squares_block));
}
template <TensorOperand X>
double norm1(const X& x) {
  return detail::total(detail::operand(x), detail::sum_abs_block);
}
// The sum of products of elements that stand in the same place.
template <class A, class B>
  requires TensorOperand<A> && TensorOperand<B>
double dot(const A& a, const B& b) {
  const auto x = detail::operand(a);
  const auto y = detail::operand(b);
  if (x.rows() != y.rows() || x.cols() != y.cols())
    detail::throw_extents("operands of equal extents", x.rows(), x.cols(), y.rows(), y.cols());
  alignas(64) float scratch_x[detail::kBlock];
  alignas(64) float scratch_y[detail::kBlock];
  double result = 0;
  const bool flat = x.flat() && y.flat();
  detail::over_blocks(x.rows(), x.cols(), flat, [&](std::size_t row, std::size_t col, std::size_t n) {
    result += detail::dot_block(x.block_of(row, col, n, scratch_x), y.block_of(row, col, n, scratch_y), n);
  });
  return result;
}

// ---- of each row
template <TensorOperand X>
void row_sum(const X& x, std::span<float> out) {
  const auto e = detail::operand(x);
  detail::check_room("row_sum", e.rows(), out.size());
  double total = 0;
  if (e.cols() == 0) detail::fill_block(0.0F, out.data(), out.size());
  detail::by_rows(e, [&](std::size_t row, std::size_t col, const float* values, std::size_t n) {
    total = (col == 0 ? 0.0 : total) + detail::sum_block(values, n);
    out[row] = static_cast<float>(total);
  });
}
template <TensorOperand X>
void row_mean(const X& x, std::span<float> out) {
  const auto e = detail::operand(x);
  detail::check_room("row_mean", e.rows(), out.size());
  if (e.rows() > 0) detail::check_some("row_mean", e.cols());
  double total = 0;
  detail::by_rows(e, [&](std::size_t row, std::size_t col, const float* values, std::size_t n) {
    total = (col == 0 ? 0.0 : total) + detail::sum_block(values, n);
    out[row] = static_cast<float>(total / static_cast<double>(e.cols()));
  });
}
template <TensorOperand X>
void row_max(const X& x, std::span<float> out) {
  detail::row_extreme(detail::operand(x), out, true, "row_max");
}
template <TensorOperand X>
void row_min(const X& x, std::span<float> out) {
  detail::row_extreme(detail::operand(x), out, false, "row_min");
}
// The column of the first largest element of each row: the class that a classifier picks.
template <TensorOperand X>
void row_argmax(const X& x, std::span<std::size_t> out) {
  const auto e = detail::operand(x);
  detail::check_room("row_argmax", e.rows(), out.size());
  if (e.rows() > 0) detail::check_some("row_argmax", e.cols());
  float best = 0;
  detail::by_rows(e, [&](std::size_t row, std::size_t col, const float* values, std::size_t n) {
    const float value = detail::extreme_block(values, n, true);
    if (col != 0 && !detail::improves(value, best, true)) return;
    out[row] = col + detail::find_block(values, n, value);
    best = value;
  });
}

// ---- of each column
template <TensorOperand X>
void column_sum(const X& x, std::span<float> out) {
  const auto e = detail::operand(x);
  detail::check_room("column_sum", e.cols(), out.size());
  const std::vector<double> sums = detail::column_totals(e);
  for (std::size_t col = 0; col < out.size(); ++col) out[col] = static_cast<float>(sums[col]);
}
template <TensorOperand X>
void column_mean(const X& x, std::span<float> out) {
  const auto e = detail::operand(x);
  detail::check_room("column_mean", e.cols(), out.size());
  if (e.cols() > 0) detail::check_some("column_mean", e.rows());
  const std::vector<double> sums = detail::column_totals(e);
  for (std::size_t col = 0; col < out.size(); ++col)
    out[col] = static_cast<float>(sums[col] / static_cast<double>(e.rows()));
}
template <TensorOperand X>
void column_max(const X& x, std::span<float> out) {
  detail::column_extreme(detail::operand(x), out, true, "column_max");
}
template <TensorOperand X>
void column_min(const X& x, std::span<float> out) {
  detail::column_extreme(detail::operand(x), out, false, "column_min");
}

}  // namespace lamina
