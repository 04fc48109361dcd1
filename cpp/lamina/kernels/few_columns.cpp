#include "lamina/kernels/few_columns.h"

#include <algorithm>

#include "lamina/kernels/activation.h"
#include "lamina/kernels/dispatch.h"

namespace lamina::kernels {

namespace {

constexpr std::size_t kRows = 32;  // of C at least
constexpr std::size_t kDepth = 16;
constexpr std::size_t kSmallTileCols = 8;      // tiles of the baseline have few lanes to leave empty
constexpr std::size_t kRowsInPlace = 8;        // or a tile, if that has more: then B isn't packed
constexpr std::size_t kWorkPerTask = 1 << 16;  // multiply-adds of vectors that hold all lanes

bool is_plain(const Matmul& product) {
  return product.m >= kRows && product.k >= kDepth && !product.transpose_b && product.update == nullptr &&
         product.derivative_at == nullptr && product.before_activation == nullptr;
}

// Rows of A with B as it is (forward).
bool shares_vectors(const Matmul& product) {
  return product.n <= kFewColumns && product.c_row == product.n && !product.transpose_a &&
         !product.accumulate && table().tile_cols > kSmallTileCols;
}

void share_vectors(const Matmul& product, float* scratch, Executor& executor) {
  const auto widen = [&](const float* from, float* to) {
    std::fill(std::copy_n(from, product.n, to), to + kFewColumns, 0.0F);
  };
  for (std::size_t p = 0; p < product.k; ++p) widen(product.b + p * product.b_row, scratch + p * kFewColumns);
  float* const bias = product.bias == nullptr ? nullptr : scratch + product.k * kFewColumns;
  if (bias != nullptr) widen(product.bias, bias);
  const bool activates =
      product.activation.kind != Activation::linear && is_elementwise(product.activation.kind);
  const std::size_t worth = executor.threads() == 1 ? 1 : product.m * product.k / kWorkPerTask;
  const std::size_t tasks = std::clamp<std::size_t>(worth, 1, product.m / kRows);
  const auto run = [&](std::size_t task) {
    const std::size_t begin = product.m * task / tasks;
    const std::size_t rows = product.m * (task + 1) / tasks - begin;
    float* const c = product.c + begin * product.n;
    product.training->few_columns(product.a + begin * product.a_row, product.a_row, rows, product.k, scratch,
                                  bias, product.n, c);
    if (activates) table().activation_forward(product.activation, c, c, rows * product.n);
  };
  if (tasks == 1) {
    run(0);
  } else {
    executor.run(tasks, run);
  }
}

// C' = B' A', of which A' need not be packed (gradients of kernels).
bool runs_transposed(const Matmul& product) {
  return product.n <= std::max(kRowsInPlace, table().tile_rows) && product.n <= kMostFewColumns &&
         product.transpose_a && product.bias == nullptr && product.activation.kind == Activation::linear;
}

void run_transposed(const Matmul& product, float* scratch, Executor& executor) {
  Matmul rows = product;
  rows.m = product.n;
  rows.n = product.m;
  rows.a = product.b;
  rows.a_row = product.b_row;
  rows.b = product.a;
  rows.b_row = product.a_row;
  rows.transpose_b = false;
  rows.c = scratch;
  rows.c_row = product.m;
  for (std::size_t j = 0; product.accumulate && j < product.n; ++j) {
    for (std::size_t i = 0; i < product.m; ++i) {
      scratch[j * product.m + i] = product.c[i * product.c_row + j];
    }
  }
  matmul(rows, nullptr, executor);
  for (std::size_t i = 0; i < product.m; ++i) {
    for (std::size_t j = 0; j < product.n; ++j) {
      product.c[i * product.c_row + j] = scratch[j * product.m + i];
    }
  }
}

}  // namespace

bool matmul_few_columns(const Matmul& product, float* scratch, Executor& executor) {
  if (product.n > kMostFewColumns || !is_plain(product)) return false;
  if (shares_vectors(product)) {
    share_vectors(product, scratch, executor);
  } else if (runs_transposed(product)) {
    run_transposed(product, scratch, executor);
  } else {
    return false;
  }
  return true;
}

}  // namespace lamina::kernels
