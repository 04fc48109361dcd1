// Cross-entropies of independent yes/no answers: each column is a probability against a target in [0, 1].
//
// From logits (`from_logits`, or fused with a last sigmoid) they are computed exactly, without clipping. From
// probabilities they clip to [1e-7, 1 - 1e-7] as Keras does, with gradient 0 outside.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lamina/losses/element_loss.h"

namespace lamina {

struct BinaryCrossentropyOptions {
  bool from_logits = false;      // predictions are logits x, probability sigmoid(x)
  double label_smoothing = 0.0;  // in [0, 1]: a target t becomes t * (1 - s) + s / 2
  std::optional<std::string> reduction = kSumOverBatchSize;
};

// -(t log p + (1 - t) log(1 - p)), mean over the columns.
class BinaryCrossentropy final : public ElementLossOf<BinaryCrossentropy, BinaryCrossentropyOptions> {
 public:
  static constexpr const char* kType = "BinaryCrossentropy";
  static constexpr const char* kDoc =
      "Cross-entropy of yes/no answers, one a column: mean(-(y_true * log(y_pred) + (1 - y_true) * log(1 - "
      "y_pred))).";
  static constexpr const char* kAliases[] = {"binary_crossentropy", "bce", "BCE"};
  static void fields(Fields<BinaryCrossentropyOptions>& field);
  using DescribedLoss::DescribedLoss;

  std::optional<ActivationKind> fused_activation() const override;

 private:
  void elements(const LossPiece& piece) const override;
};

struct BinaryFocalCrossentropyOptions {
  bool apply_class_balancing = false;
  double alpha = 0.25;  // weight of target 1 (1 - alpha of target 0) when balancing
  double gamma = 2.0;   // >= 0; 0 is the plain cross-entropy
  bool from_logits = false;
  double label_smoothing = 0.0;
  std::optional<std::string> reduction = kSumOverBatchSize;
};

// (1 - p_t)^gamma times the cross-entropy, p_t = t p + (1 - t)(1 - p) (Lin et al., "Focal Loss for Dense
// Object Detection", 2017); mean over the columns. Where p_t reaches 1 and gamma < 1, the derivative of the
// factor, which has no bound there, is taken 1e-7 away.
class BinaryFocalCrossentropy final
    : public ElementLossOf<BinaryFocalCrossentropy, BinaryFocalCrossentropyOptions> {
 public:
  static constexpr const char* kType = "BinaryFocalCrossentropy";
  static constexpr const char* kDoc =
      "Binary cross-entropy times (1 - p_t)^gamma, where p_t is the probability given to the truth: easy "
      "examples "
      "count less.";
  static constexpr const char* kAliases[] = {"binary_focal_crossentropy"};
  static void fields(Fields<BinaryFocalCrossentropyOptions>& field);
  using DescribedLoss::DescribedLoss;

  std::optional<ActivationKind> fused_activation() const override;

 private:
  void elements(const LossPiece& piece) const override;
};

LossPtr binary_crossentropy(BinaryCrossentropyOptions options = {});
LossPtr binary_focal_crossentropy(BinaryFocalCrossentropyOptions options = {});

}  // namespace lamina
