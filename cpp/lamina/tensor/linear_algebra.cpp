#include "lamina/tensor/linear_algebra.h"

#include <utility>

#include "lamina/kernels/activation.h"
#include "lamina/kernels/dispatch.h"
#include "lamina/kernels/matmul.h"

namespace lamina {
namespace {

// How a matrix lies in memory: contiguous rows at a distance, or the transpose of such.
struct Layout {
  bool transposed = false;
  std::size_t distance = 0;
};

Layout layout_of(const ConstMatrixView& x, const char* name) {
  if (x.col_stride() == 1 && (x.rows() <= 1 || x.row_stride() >= x.cols())) return {false, x.row_stride()};
  if (x.row_stride() == 1 && (x.cols() <= 1 || x.col_stride() >= x.rows())) return {true, x.col_stride()};
  if (x.cols() <= 1) return {false, x.row_stride()};
  if (x.rows() <= 1) return {true, x.col_stride()};
  throw ShapeError(std::string("gemm: expected ") + name +
                   " to have contiguous rows or columns, got strides " +
                   Shape{x.row_stride(), x.col_stride()}.str() + ".");
}

// Scratch that the calling thread keeps.
float* scratch_of(std::size_t floats) {
  thread_local Buffer memory;
  if (memory.size() < floats) memory = Buffer(floats);
  return memory.data();
}

void check_extents(const ConstMatrixView& a, const ConstMatrixView& b, const MatrixView& c,
                   const ConstMatrixView& bias) {
  if (a.cols() != b.rows() || c.rows() != a.rows() || c.cols() != b.cols()) {
    throw ShapeError(
        "gemm: expected c of shape (m, n) for op(a) of shape (m, k) and op(b) of shape (k, n), got " +
        Shape{c.rows(), c.cols()}.str() + " for " + Shape{a.rows(), a.cols()}.str() + " and " +
        Shape{b.rows(), b.cols()}.str() + ".");
  }
  if (bias.data() == nullptr) return;
  if (bias.rows() != 1 || bias.cols() != c.cols() || (bias.col_stride() != 1 && bias.cols() > 1)) {
    throw ShapeError("gemm: expected a contiguous bias of shape " + Shape{1, c.cols()}.str() + ", got " +
                     Shape{bias.rows(), bias.cols()}.str() + ".");
  }
}

void check_rows(const char* what, const ConstMatrixView& x, const MatrixView& y) {
  if (x.rows() != y.rows() || x.cols() != y.cols()) {
    throw ShapeError(std::string(what) + ": expected y of shape " + Shape{x.rows(), x.cols()}.str() +
                     ", got " + Shape{y.rows(), y.cols()}.str() + ".");
  }
  if (x.cols() > 1 && (x.col_stride() != 1 || y.col_stride() != 1))
    throw ShapeError(std::string(what) + ": expected matrices with contiguous rows, got other strides.");
}

}  // namespace

void gemm(ConstMatrixView a, ConstMatrixView b, MatrixView c, const GemmOptions& options) {
  const ConstMatrixView op_a = options.transpose_a ? a.transposed() : a;
  const ConstMatrixView op_b = options.transpose_b ? b.transposed() : b;
  check_extents(op_a, op_b, c, options.bias);
  if (c.rows() == 0 || c.cols() == 0) return;
  const Layout of_a = layout_of(op_a, "a");
  const Layout of_b = layout_of(op_b, "b");
  const Layout of_c = layout_of(c, "c");
  const bool plain = options.bias.data() == nullptr && options.activation == ActivationKind::linear;
  if (of_c.transposed && !plain)
    throw ShapeError(
        "gemm: expected c with contiguous rows for a bias or an activation, got contiguous columns.");

  kernels::Matmul product;
  product.m = c.rows();
  product.n = c.cols();
  product.k = op_a.cols();
  product.a = op_a.data();
  product.a_row = of_a.distance;
  product.transpose_a = of_a.transposed;
  product.b = op_b.data();
  product.b_row = of_b.distance;
  product.transpose_b = of_b.transposed;
  product.c = c.data();
  product.c_row = of_c.distance;
  product.accumulate = options.accumulate;
  product.bias = options.bias.data();
  const bool row_wise = !kernels::is_elementwise(options.activation);
  if (!row_wise) product.activation = kernels::with_default_alpha(options.activation);
  if (of_c.transposed) {  // c' = op(b)' op(a)'
    std::swap(product.m, product.n);
    std::swap(product.a, product.b);
    std::swap(product.a_row, product.b_row);
    std::swap(product.transpose_a, product.transpose_b);
    product.transpose_a = !product.transpose_a;
    product.transpose_b = !product.transpose_b;
  }
  Executor& executor = options.executor != nullptr ? *options.executor : thread_pool();
  kernels::matmul(product, scratch_of(kernels::matmul_scratch(product.m, product.n, product.k)), executor);
  if (options.activation == ActivationKind::softmax) softmax(c, c);
  if (options.activation == ActivationKind::log_softmax) log_softmax(c, c);
}

void softmax(ConstMatrixView x, MatrixView y) {
  check_rows("softmax", x, y);
  for (std::size_t row = 0; row < x.rows(); ++row)
    kernels::table().softmax(x.row(row).data(), y.row(row).data(), 1, x.cols());
}

void log_softmax(ConstMatrixView x, MatrixView y) {
  check_rows("log_softmax", x, y);
  for (std::size_t row = 0; row < x.rows(); ++row)
    kernels::table().log_softmax(x.row(row).data(), y.row(row).data(), 1, x.cols());
}

}  // namespace lamina
