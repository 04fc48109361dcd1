#include "lamina/losses/element_loss.h"

#include <algorithm>
#include <array>

#include "lamina/losses/loss_rows.h"

namespace lamina {

std::size_t ElementLoss::scratch(std::size_t rows, std::size_t) const {
  return rows;
}

LossValue ElementLoss::evaluate(const LossBatch& batch, float scale, const LossOutputs& outputs,
                                float* scratch, Executor& executor) const {
  float* row_losses = outputs.row_losses != nullptr ? outputs.row_losses : scratch;
  const bool all_binary =
      asks_all_binary() && std::all_of(batch.target, batch.target + batch.rows * batch.columns,
                                       [](float target) { return target == 0.0F || target == 1.0F; });
  for_row_blocks(batch, executor, [&](std::size_t first, std::size_t last) {
    rows(batch, scale, outputs, all_binary, row_losses, first, last);
  });
  return total(*this, batch, row_losses);
}

// Works through rows [first, last) in pieces that stay in the first cache: some whole rows, or a part of one.
void ElementLoss::rows(const LossBatch& batch, float scale, const LossOutputs& outputs, bool all_binary,
                       float* row_losses, std::size_t first, std::size_t last) const {
  const std::size_t columns = batch.columns;
  const std::size_t width = std::clamp<std::size_t>(columns, 1, kPiece);
  const std::size_t height = kPiece / width;
  const double divisor = is_mean() ? static_cast<double>(columns) : 1.0;
  alignas(64) std::array<float, kPiece> loss;
  alignas(64) std::array<float, kPiece> gradient;
  std::array<double, kPiece> sums;

  for (std::size_t row = first; row < last; row += height) {
    const std::size_t count = std::min(height, last - row);
    std::fill_n(sums.begin(), count, 0.0);
    for (std::size_t column = 0; column < columns; column += width) {
      const std::size_t part = std::min(width, columns - column);  // all columns, or count is 1
      const std::size_t at = row * columns + column;
      elements({.count = count * part,
                .prediction = batch.prediction + at,
                .target = batch.target + at,
                .fused_logits = batch.fused_logits,
                .all_binary = all_binary,
                .loss = loss.data(),
                .gradient = outputs.d_prediction != nullptr ? gradient.data() : nullptr,
                .activated = outputs.activated != nullptr ? outputs.activated + at : nullptr});
      for (std::size_t i = 0; i < count; ++i) {
        sums[i] += sum_of(loss.data() + i * part, part);
      }
      if (outputs.d_prediction == nullptr) continue;
      for (std::size_t i = 0; i < count; ++i) {
        const float factor =
            static_cast<float>(static_cast<double>(row_factor(batch, row + i, scale)) / divisor);
        float* d_prediction = outputs.d_prediction + at + i * part;
        for (std::size_t j = 0; j < part; ++j) d_prediction[j] = factor * gradient[i * part + j];
      }
    }
    for (std::size_t i = 0; i < count; ++i) row_losses[row + i] = static_cast<float>(sums[i] / divisor);
  }
}

}  // namespace lamina
