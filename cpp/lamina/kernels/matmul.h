// Matrix products of any shape on the kernels: blocks, packs and shares out tiles over threads.
#pragma once

#include <cstddef>

#include "lamina/core/thread_pool.h"
#include "lamina/kernels/kernels.h"

namespace lamina::kernels {

// C (+)= op(A) op(B), then the epilogue. All matrices row-major with a distance between rows (`*_row`).
struct Matmul {
  std::size_t m = 0, n = 0, k = 0;  // C is m x n, op(A) m x k, op(B) k x n
  const float* a = nullptr;
  std::size_t a_row = 0;
  bool transpose_a = false;  // A is stored k x m
  const float* b = nullptr;
  std::size_t b_row = 0;
  bool transpose_b = false;  // B is stored n x k
  float* c = nullptr;
  std::size_t c_row = 0;
  bool accumulate = false;
  const float* bias = nullptr;         // n values added to each row, or null
  float* before_activation = nullptr;  // receives op(A) op(B) + bias; as C; or null
  ActivationSpec activation;           // any of them; row-wise ones run after the product
  // Or, where not null: C = (op(A) op(B)) * activation'(...), with the output of the (elementwise) activation
  // here, laid out as C. For activations whose derivative follows from their output; without accumulate.
  const float* derivative_at = nullptr;
  // Or, where not null: C is the gradient of parameters, and the optimizer runs on it while it is in the
  // cache. The pointers of the pass stand at parameter (0, 0); parameters lie as C does. What c holds
  // afterwards is not defined.
  const OptimizerPass* update = nullptr;
  OptimizerKind update_kind = OptimizerKind::sgd;
  const TrainingTable* training = nullptr;  // with what needs its kernels
  // With `training`: where A has many zeros, steps of k may be left out. The bits stay the same while B is
  // finite; where it isn't, a 0 of A may count for nothing instead of NaN.
  bool skips_zeros = false;
};

// Floats of scratch that matmul() needs for these extents (0 is possible).
std::size_t matmul_scratch(std::size_t m, std::size_t n, std::size_t k);

// Each element of C is one multiply-add chain in increasing k: its bits don't depend on threads, blocking or
// other rows.
void matmul(const Matmul& product, float* scratch, Executor& executor);

// out[j] (+)= sum over i of x[i][j] for a dense rows x cols matrix, in increasing i; threads share out
// columns.
void column_sum(const float* x, std::size_t rows, std::size_t cols, bool accumulate, float* out,
                Executor& executor);

}  // namespace lamina::kernels
