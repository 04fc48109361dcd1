// The out-of-line halves of expressions and reductions: blocks on the kernels, and errors.
#include <algorithm>
#include <cstring>

#include "lamina/core/error.h"
#include "lamina/kernels/activation.h"
#include "lamina/kernels/dispatch.h"
#include "lamina/tensor/expression.h"
#include "lamina/tensor/reduce.h"

namespace lamina::detail {

void gather_block(const float* x, std::size_t stride, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i * stride];
}
void scatter_block(const float* x, float* y, std::size_t stride, std::size_t n) {
  if (stride == 1) {
    if (n > 0) std::memmove(y, x, n * sizeof(float));
    return;
  }
  for (std::size_t i = 0; i < n; ++i) y[i * stride] = x[i];
}
void fill_block(float value, float* y, std::size_t n) {
  std::fill_n(y, n, value);
}

void unary_block(Unary function, const float* x, float* y, std::size_t n) {
  kernels::training_table().map(function, x, y, n);
}
void activation_block(ActivationSpec activation, const float* x, float* y, std::size_t n) {
  kernels::table().activation_forward(activation, x, y, n);
}
void binary_block(Binary function, const float* a, const float* b, float* y, std::size_t n) {
  kernels::training_table().combine(function, a, b, y, n);
}
void scalar_block(Binary function, const float* x, float value, bool value_first, float* y, std::size_t n) {
  kernels::training_table().combine_scalar(function, x, value, value_first, y, n);
}

double sum_block(const float* x, std::size_t n) {
  return kernels::table().sum(x, n);
}
double sum_abs_block(const float* x, std::size_t n) {
  return kernels::table().sum_abs(x, n);
}
double sum_squares_block(const float* x, std::size_t n) {
  return kernels::table().sum_squares(x, n);
}
double dot_block(const float* x, const float* y, std::size_t n) {
  return kernels::table().dot(x, y, n);
}
float extreme_block(const float* x, std::size_t n, bool largest) {
  return kernels::training_table().extreme(x, n, largest);
}
std::size_t find_block(const float* x, std::size_t n, float value) {
  for (std::size_t i = 0; i < n; ++i) {
    if (x[i] == value || (value != value && x[i] != x[i])) return i;
  }
  return 0;
}
void add_to_sums(const float* x, double* sums, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) sums[i] += static_cast<double>(x[i]);
}

ActivationSpec elementwise(ActivationKind kind) {
  if (!kernels::is_elementwise(kind)) {
    throw ArgumentError("activate: expected a function of one element, got '" +
                        std::string(kernels::name_of(kind)) + "'; it is a function of rows.");
  }
  return kernels::with_default_alpha(kind);
}

void throw_extents(const char* what, std::size_t rows, std::size_t cols, std::size_t other_rows,
                   std::size_t other_cols) {
  throw ShapeError(std::string("Tensor: expected ") + what + ", got " + Shape{rows, cols}.str() + " and " +
                   Shape{other_rows, other_cols}.str() + ".");
}

void check_count(std::size_t count, std::size_t rows, std::size_t cols) {
  if (Shape{rows, cols}.elements() == count) return;
  throw ShapeError("Tensor: expected " + std::to_string(Shape{rows, cols}.elements()) +
                   " numbers for the shape " + Shape{rows, cols}.str() + ", got " + std::to_string(count) +
                   ".");
}

void throw_block(std::size_t row, std::size_t col, std::size_t rows, std::size_t cols, std::size_t of_rows,
                 std::size_t of_cols) {
  throw ShapeError("Tensor: expected a block within " + Shape{of_rows, of_cols}.str() + ", got one of " +
                   Shape{rows, cols}.str() + " at " + Shape{row, col}.str() + ".");
}

void check_room(const char* what, std::size_t expected, std::size_t got) {
  if (expected == got) return;
  throw ShapeError(std::string(what) + ": expected room for " + std::to_string(expected) + " values, got " +
                   std::to_string(got) + ".");
}

void check_some(const char* what, std::size_t elements) {
  if (elements == 0) throw ShapeError(std::string(what) + ": expected at least one value, got none.");
}

}  // namespace lamina::detail
