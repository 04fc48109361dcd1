// What a loss is.
//
// A loss returns a sum and a weight; the mean is sum / weight. So masks, gradient accumulation and uneven
// batches average rightly. With `reduction` "sum_over_batch_size" (Keras's default) the weight is the number
// of rows, whatever the sample weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lamina/core/config.h"
#include "lamina/core/tensor.h"
#include "lamina/core/thread_pool.h"
#include "lamina/kernels/kernels.h"

namespace lamina {

// What a loss wants for y_true.
enum class TargetKind : std::uint8_t {
  values,  // float32, the shape of the prediction
  labels,  // int32 class indices, one a row
};

// A batch as a loss sees it. A prediction of shape (batch, ..., n) has batch * ... rows of n columns.
struct LossBatch {
  std::size_t rows = 0;
  std::size_t columns = 0;
  const float* prediction = nullptr;     // (rows, columns)
  const float* target = nullptr;         // (rows, columns) for TargetKind::values
  const std::int32_t* labels = nullptr;  // (rows) for TargetKind::labels, each in [0, columns)
  const float* weights = nullptr;        // (rows), or null for all 1
  // The plan left out the model's last activation, fused_activation(): `prediction` is what goes into it.
  bool fused_logits = false;
};

// Where results go; each may be null.
struct LossOutputs {
  float* d_prediction = nullptr;  // (rows, columns): scale * weight_i * d loss_i / d prediction
  float* row_losses = nullptr;    // (rows): loss_i, unweighted
  float* activated =
      nullptr;  // (rows, columns), only when fused_logits: the activation's output (probabilities)
};

struct LossValue {
  double sum = 0;     // sum of weight_i * loss_i
  double weight = 0;  // what to divide it by
  double mean() const { return weight == 0 ? 0 : sum / weight; }
};

class Loss : public Describable {
 public:
  static const Registry<Loss>& registry();

  virtual TargetKind target_kind() const = 0;
  // The activation that the plan may leave out because the loss computes it from logits, exactly.
  virtual std::optional<kernels::Activation> fused_activation() const { return std::nullopt; }
  // "mean_with_sample_weight", "sum_over_batch_size", "sum".
  virtual std::string reduction() const = 0;
  // The weight of evaluate()'s result, known before it: rows, the sum of the weights, or 1.
  double weight_of(std::size_t rows, const float* weights) const;

  // Floats of scratch for evaluate().
  virtual std::size_t scratch(std::size_t rows, std::size_t columns) const = 0;
  // Computes the value and what `outputs` asks for. Allocates nothing. `scale` multiplies gradients: 1 /
  // weight_of() for the gradient of the mean.
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
