// Cross-entropies over classes: the columns of a row are one distribution.
//
// From logits (`from_logits`, or fused with a last softmax) they are computed exactly, without clipping, for
// logits of any size. From probabilities a row is divided by its sum and clipped to [1e-7, 1 - 1e-7] as in
// Keras; the gradient is that of this formula, 0 through clipped columns. A row that sums to 0 counts as all
// 0 (Keras: NaN).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lamina/losses/loss_options.h"

namespace lamina {

struct CategoricalCrossentropyOptions {
  bool from_logits = false;      // predictions are logits, probabilities their softmax
  double label_smoothing = 0.0;  // in [0, 1]: a target t becomes t * (1 - s) + s / columns
  std::optional<std::string> reduction = kSumOverBatchSize;
};

// -sum(t log p) over the columns, for targets of the shape of the prediction: one-hot rows, or any weights
// (they need not sum to 1). `Self` is what it is called.
template <class Self>
class CategoricalCrossentropyAs : public DescribedLoss<Self, Loss, CategoricalCrossentropyOptions> {
 public:
  using Base = DescribedLoss<Self, Loss, CategoricalCrossentropyOptions>;
  using Base::Base;
  static void fields(Fields<CategoricalCrossentropyOptions>& field);

  TargetKind target_kind() const override { return TargetKind::values; }
  std::optional<ActivationKind> fused_activation() const override;
  std::size_t scratch(std::size_t rows, std::size_t columns) const override;
  LossValue evaluate(const LossBatch& batch, float scale, const LossOutputs& outputs, float* scratch,
                     Executor& executor) const override;
  std::string sibling() const override { return "sparse_categorical_crossentropy"; }
  std::size_t min_columns() const override { return 2; }
};

class CategoricalCrossentropy final : public CategoricalCrossentropyAs<CategoricalCrossentropy> {
 public:
  static constexpr const char* kType = "CategoricalCrossentropy";
  static constexpr const char* kDoc =
      "Cross-entropy over classes of one-hot targets: -sum(y_true * log(y_pred)).";
  static constexpr const char* kAliases[] = {"categorical_crossentropy"};
  using CategoricalCrossentropyAs::CategoricalCrossentropyAs;
};

// The negative log-likelihood of the classes: the same function under its statistical name.
class NegativeLogLikelihood final : public CategoricalCrossentropyAs<NegativeLogLikelihood> {
 public:
  static constexpr const char* kType = "NegativeLogLikelihood";
  static constexpr const char* kDoc =
      "Negative log-likelihood of one-hot targets: categorical cross-entropy under its statistical name.";
  static constexpr const char* kAliases[] = {"negative_log_likelihood", "nll", "NLL"};
  using CategoricalCrossentropyAs::CategoricalCrossentropyAs;
};

extern template class CategoricalCrossentropyAs<CategoricalCrossentropy>;
extern template class CategoricalCrossentropyAs<NegativeLogLikelihood>;

struct SparseCategoricalCrossentropyOptions {
  bool from_logits = false;
  std::optional<std::int64_t> ignore_class = {};  // rows with this label have no loss and don't count
  std::optional<std::string> reduction = kSumOverBatchSize;
};

// -log p[label], for integer labels.
class SparseCategoricalCrossentropy final
    : public DescribedLoss<SparseCategoricalCrossentropy, Loss, SparseCategoricalCrossentropyOptions> {
 public:
  static constexpr const char* kType = "SparseCategoricalCrossentropy";
  static constexpr const char* kDoc = "Cross-entropy over classes of integer labels: -log(y_pred[label]).";
  static constexpr const char* kAliases[] = {"sparse_categorical_crossentropy"};
  static void fields(Fields<SparseCategoricalCrossentropyOptions>& field);
  using DescribedLoss::DescribedLoss;

  TargetKind target_kind() const override { return TargetKind::labels; }
  std::optional<ActivationKind> fused_activation() const override;
  std::optional<std::int32_t> ignored_label() const override;
  std::size_t scratch(std::size_t rows, std::size_t columns) const override;
  LossValue evaluate(const LossBatch& batch, float scale, const LossOutputs& outputs, float* scratch,
                     Executor& executor) const override;
  std::string sibling() const override { return "categorical_crossentropy"; }
  std::size_t min_columns() const override { return 2; }
};

LossPtr categorical_crossentropy(CategoricalCrossentropyOptions options = {});
LossPtr negative_log_likelihood(CategoricalCrossentropyOptions options = {});
LossPtr sparse_categorical_crossentropy(SparseCategoricalCrossentropyOptions options = {});

}  // namespace lamina
