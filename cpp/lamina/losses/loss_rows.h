// What every loss does around its own formula: share rows out over threads, and sum them.
#pragma once

#include <algorithm>
#include <cstddef>

#include "lamina/kernels/dispatch.h"
#include "lamina/losses/loss.h"

namespace lamina {

// Keras's backend.epsilon(), and the largest probability that clipping leaves.
inline constexpr float kLossEpsilon = 1e-7F;
inline constexpr float kOneMinusEpsilon = 1.0F - 1e-7F;

// As JAX's clip: NaN stays NaN.
inline float clip_probability(float p) {
  return p < kLossEpsilon ? kLossEpsilon : (p > kOneMinusEpsilon ? kOneMinusEpsilon : p);
}
inline bool is_clipped(float p) {
  return !(p >= kLossEpsilon && p <= kOneMinusEpsilon);
}

// The sum of n floats in float64; its order depends on n alone. A short sum is faster without a call.
inline double sum_of(const float* x, std::size_t n) {
  constexpr std::size_t kShort = 32;
  if (n > kShort) return kernels::table().sum(x, n);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]);
  return sum;
}

// What multiplies the gradient of a row.
inline float row_factor(const LossBatch& batch, std::size_t row, float scale) {
  return batch.weights == nullptr ? scale : scale * batch.weights[row];
}

// Calls work(first, last) for ranges that cover all rows: one range for a small batch, else blocks shared out
// over the executor. Rows don't depend on each other, so the blocks don't show in the result.
template <class Work>
void for_row_blocks(const LossBatch& batch, Executor& executor, Work&& work) {
  constexpr std::size_t kBlockElements = 16384;  // some 10 us of work
  const std::size_t columns = std::max<std::size_t>(batch.columns, 1);
  const std::size_t block = std::max<std::size_t>(kBlockElements / columns, 1);
  if (batch.rows <= 2 * block || executor.threads() == 1) {
    work(std::size_t{0}, batch.rows);
    return;
  }
  executor.run((batch.rows + block - 1) / block,
               [&](std::size_t task) { work(task * block, std::min(batch.rows, (task + 1) * block)); });
}

// The sum of weight_i * row_losses[i] in row order, and the loss's weight.
LossValue total(const Loss& loss, const LossBatch& batch, const float* row_losses);

}  // namespace lamina
