// The direction of a prediction against that of its target.
#pragma once

#include <memory>

#include "lamina/losses/loss_options.h"

namespace lamina {

// -cos of the angle between prediction and target over the columns, in [-1, 1]; 0 where either is zero. Rows
// shorter than 1e-7 are divided by 1e-7, as in Keras; a prediction that short has gradient 0, for its
// direction means nothing.
class CosineSimilarity final : public DescribedLoss<CosineSimilarity> {
 public:
  static constexpr const char* kType = "CosineSimilarity";
  static constexpr const char* kDoc =
      "Negative cosine similarity: -sum(l2_norm(y_true) * l2_norm(y_pred)), between -1 and 1.";
  static constexpr const char* kAliases[] = {"cosine_similarity"};
  static void fields(Fields<LossOptions>& field) { reduction_field(field); }
  using DescribedLoss::DescribedLoss;

  TargetKind target_kind() const override { return TargetKind::values; }
  std::size_t scratch(std::size_t rows, std::size_t columns) const override;
  LossValue evaluate(const LossBatch& batch, float scale, const LossOutputs& outputs, float* scratch,
                     Executor& executor) const override;
};

LossPtr cosine_similarity(LossOptions options = {});

}  // namespace lamina
