// The divergence of one distribution from another.
#pragma once

#include <memory>

#include "lamina/losses/element_loss.h"

namespace lamina {

// Sum over the columns of t * log(t / p), with target and prediction clipped to [1e-7, 1].
class KLDivergence final : public ElementLossOf<KLDivergence> {
 public:
  static constexpr const char* kType = "KLDivergence";
  static constexpr const char* kDoc =
      "Kullback-Leibler divergence: sum(y_true * log(y_true / y_pred)), both clipped to [1e-7, 1].";
  static constexpr const char* kAliases[] = {"kl_divergence", "kld", "KLD", "kullback_leibler_divergence"};
  static void fields(Fields<LossOptions>& field) { reduction_field(field); }
  using DescribedLoss::DescribedLoss;

 private:
  void elements(const LossPiece& piece) const override;
  bool is_mean() const override { return false; }
};

LossPtr kl_divergence(LossOptions options = {});

}  // namespace lamina
