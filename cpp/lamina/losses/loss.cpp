#include "lamina/losses/loss.h"

#include <vector>

#include "lamina/losses/loss_options.h"
#include "lamina/losses/loss_rows.h"
#include "lamina/losses/registered.h"

namespace lamina {

const Registry<Loss>& Loss::registry() {
  static const Registry<Loss> registry("loss", RegisteredLosses{});
  return registry;
}

double Loss::weight_of(std::size_t rows, const float* weights, const std::int32_t* labels) const {
  const std::string_view how = reduction();
  if (how == "sum") return 1;
  const bool weighted = how == "mean_with_sample_weight" && weights != nullptr;
  const std::optional<std::int32_t> ignored = labels == nullptr ? std::nullopt : ignored_label();
  if (!weighted && !ignored) return static_cast<double>(rows);
  double weight = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    if (ignored && labels[row] == *ignored) continue;
    weight += weighted ? static_cast<double>(weights[row]) : 1.0;
  }
  return weight;
}

Check reduction_check() {
  return one_of({kSumOverBatchSize, "sum", "mean", "mean_with_sample_weight", "none"});
}

LossValue total(const Loss& loss, const LossBatch& batch, const float* row_losses) {
  double sum = 0;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    const double value = static_cast<double>(row_losses[row]);
    sum += batch.weights == nullptr ? value : static_cast<double>(batch.weights[row]) * value;
  }
  return {sum, loss.weight_of(batch.rows, batch.weights, batch.labels)};
}

}  // namespace lamina
