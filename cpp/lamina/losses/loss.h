// What a loss is.
//
// A loss returns a sum and a weight; the mean is sum / weight. So masks, gradient accumulation and uneven
// batches average rightly. With `reduction` "sum_over_batch_size" (Keras's default) the weight is the number
// of rows, whatever the sample weights.
//
// Losses follow Keras 3 (keras/src/losses, JAX backend) in formulas, epsilons and defaults; gradients are the
// derivatives of those formulas, and zero where a prediction is clipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lamina/core/config.h"
#include "lamina/core/operations.h"
#include "lamina/core/tensor.h"
#include "lamina/core/thread_pool.h"

namespace lamina {

// What a loss wants for y_true.
enum class TargetKind : std::uint8_t {
  values,  // float32, the shape of the prediction
  labels,  // int32 class indices, one a row
  any,     // float32, any shape with one row a sample; for losses that users write
};

// A batch as a loss sees it. A prediction of shape (batch, ..., n) has batch * ... rows of n columns.
struct LossBatch {
  std::size_t rows = 0;
  std::size_t columns = 0;
  const float* prediction = nullptr;  // (rows, columns)
  const float* target = nullptr;      // (rows, columns) for TargetKind::values
  // (rows) for TargetKind::labels, each in [0, columns) or the loss's ignored_label(). The caller checks;
  // here another label is harmless: like a one-hot row of zeros it gives loss 0 and gradient 0.
  const std::int32_t* labels = nullptr;
  const float* weights = nullptr;  // (rows), or null for all 1
  // The plan left out the model's last activation, fused_activation(): `prediction` is what goes into it.
  bool fused_logits = false;
  // One sample of each, without the batch; set for TargetKind::any only.
  const Shape* prediction_shape = nullptr;
  const Shape* target_shape = nullptr;
};

// Where results go; each may be null. None may overlap the batch or another.
struct LossOutputs {
  float* d_prediction = nullptr;  // (rows, columns): scale * weight_i * d loss_i / d prediction
  float* row_losses = nullptr;    // (rows): loss_i, unweighted
  // (rows, columns), only when fused_logits: the activation's output (probabilities).
  float* activated = nullptr;
};

struct LossValue {
  double sum = 0;     // sum of weight_i * loss_i
  double weight = 0;  // what to divide it by
  double mean() const { return weight == 0 ? 0 : sum / weight; }
};

// How losses and penalties add up in a step: loss_weight * loss + penalty. With penalty_over_weight the
// penalty is divided by the weight of the batch's losses (its rows, unless the reduction says otherwise), so
// that it counts like one row of the data; in updates from several batches, by that of the last one times
// their number.
struct LossScale {
  double loss_weight = 1.0;
  bool penalty_over_weight = false;
};

class Loss : public Describable {
 public:
  static const Registry<Loss>& registry();

  virtual TargetKind target_kind() const = 0;
  // The activation that the plan may leave out because the loss computes it from logits, exactly.
  virtual std::optional<ActivationKind> fused_activation() const { return std::nullopt; }
  // "sum_over_batch_size", "mean" (the same), "sum", "mean_with_sample_weight", or "none", which stands for
  // sum_over_batch_size wherever one number is wanted.
  virtual std::string_view reduction() const = 0;
  // Rows with this label have loss 0 and no gradient and don't count in the weight.
  virtual std::optional<std::int32_t> ignored_label() const { return std::nullopt; }
  // The weight of evaluate()'s result, known before it: the number of rows, the sum of their weights, or 1.
  // `labels` are read only by a loss with an ignored_label(). Can be 0.
  double weight_of(std::size_t rows, const float* weights, const std::int32_t* labels = nullptr) const;

  // Floats of scratch for evaluate().
  virtual std::size_t scratch(std::size_t rows, std::size_t columns) const = 0;
  // Computes the value and what `outputs` asks for. Allocates nothing. `scale` multiplies gradients: 1 /
  // weight_of() for the gradient of the mean. A row's loss and gradient depend on that row alone (for the
  // hinges also on whether all targets of the batch are 0 or 1); rows are summed in float64, in their order.
  virtual LossValue evaluate(const LossBatch& batch, float scale, const LossOutputs& outputs, float* scratch,
                             Executor& executor) const = 0;
  // Another form of the targets that the loss wants, for messages: "sparse_categorical_crossentropy", or "".
  virtual std::string sibling() const { return ""; }
  // Whether class counts are allowed: number of columns the loss needs at least (2 for cross-entropies over
  // classes).
  virtual std::size_t min_columns() const { return 1; }
};

using LossPtr = std::shared_ptr<const Loss>;

}  // namespace lamina
