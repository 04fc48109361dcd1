#include "lamina/losses/cosine_similarity.h"

#include <algorithm>
#include <cmath>

#include "lamina/kernels/dispatch.h"
#include "lamina/losses/loss_rows.h"

namespace lamina {

namespace {

constexpr double kShortest = 1e-7;  // Keras's epsilon of ops.normalize

}  // namespace

std::size_t CosineSimilarity::scratch(std::size_t rows, std::size_t) const {
  return rows;
}

// With p' = p / |p| and t' = t / |t|: loss = -p'.t', and d loss / d p = (p' (p'.t') - t') / |p|.
LossValue CosineSimilarity::evaluate(const LossBatch& batch, float scale, const LossOutputs& outputs,
                                     float* scratch, Executor& executor) const {
  const kernels::Table& table = kernels::table();
  const std::size_t columns = batch.columns;
  float* row_losses = outputs.row_losses != nullptr ? outputs.row_losses : scratch;
  for_row_blocks(batch, executor, [&](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) {
      const float* p = batch.prediction + row * columns;
      const float* t = batch.target + row * columns;
      const double p_norm = std::sqrt(table.sum_squares(p, columns));
      const double p_length = std::max(p_norm, kShortest);
      const double t_length = std::max(std::sqrt(table.sum_squares(t, columns)), kShortest);
      const double cosine = table.dot(p, t, columns) / (p_length * t_length);
      row_losses[row] = static_cast<float>(-cosine);
      if (outputs.d_prediction == nullptr) continue;
      float* d_p = outputs.d_prediction + row * columns;
      if (p_norm < kShortest) {
        std::fill_n(d_p, columns, 0.0F);
        continue;
      }
      const double factor = static_cast<double>(row_factor(batch, row, scale)) / p_length;
      const double of_p = factor * cosine / p_length;
      const double of_t = factor / t_length;
      for (std::size_t j = 0; j < columns; ++j) {
        d_p[j] = static_cast<float>(of_p * static_cast<double>(p[j]) - of_t * static_cast<double>(t[j]));
      }
    }
  });
  return total(*this, batch, row_losses);
}

LossPtr cosine_similarity(LossOptions options) {
  return std::make_shared<const CosineSimilarity>(std::move(options));
}

}  // namespace lamina
