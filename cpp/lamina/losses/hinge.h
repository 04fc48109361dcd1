// Margin losses for targets -1 and 1. When every target of a batch is 0 or 1 they are taken for -1 and 1, as
// in Keras; that is decided for each call of evaluate().
#pragma once

#include <memory>

#include "lamina/losses/element_loss.h"

namespace lamina {

// max(1 - target * prediction, 0), mean over the columns.
class Hinge final : public ElementLossOf<Hinge> {
 public:
  static constexpr const char* kType = "Hinge";
  static constexpr const char* kDoc =
      "Hinge loss: mean(max(1 - y_true * y_pred, 0)). Targets are -1 and 1; a batch of only 0 and 1 is "
      "converted.";
  static constexpr const char* kAliases[] = {"hinge"};
  static void fields(Fields<LossOptions>& field) { reduction_field(field); }
  using DescribedLoss::DescribedLoss;

 private:
  void elements(const LossPiece& piece) const override;
  bool asks_all_binary() const override { return true; }
};

// max(1 - target * prediction, 0)^2, mean over the columns.
class SquaredHinge final : public ElementLossOf<SquaredHinge> {
 public:
  static constexpr const char* kType = "SquaredHinge";
  static constexpr const char* kDoc =
      "Squared hinge loss: mean(max(1 - y_true * y_pred, 0)^2). Targets are -1 and 1; a batch of only 0 and "
      "1 is "
      "converted.";
  static constexpr const char* kAliases[] = {"squared_hinge"};
  static void fields(Fields<LossOptions>& field) { reduction_field(field); }
  using DescribedLoss::DescribedLoss;

 private:
  void elements(const LossPiece& piece) const override;
  bool asks_all_binary() const override { return true; }
};

LossPtr hinge(LossOptions options = {});
LossPtr squared_hinge(LossOptions options = {});

}  // namespace lamina
