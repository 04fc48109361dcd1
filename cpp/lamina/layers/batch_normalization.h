#pragma once

#include "lamina/layers/helpers.h"
#include "lamina/layers/layer.h"

namespace lamina {

struct BatchNormalizationOptions {
  std::int64_t axis = -1;
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  InitializerPtr beta_initializer = initializer_named("zeros");
  InitializerPtr gamma_initializer = initializer_named("ones");
  InitializerPtr moving_mean_initializer = initializer_named("zeros");
  InitializerPtr moving_variance_initializer = initializer_named("ones");
  RegularizerPtr beta_regularizer = nullptr;
  RegularizerPtr gamma_regularizer = nullptr;
  ConstraintPtr beta_constraint = nullptr;
  ConstraintPtr gamma_constraint = nullptr;
  bool trainable = true;
  std::string name = {};
};

// Batch normalisation (Ioffe and Szegedy, ICML 2015): y = gamma * (x - mean) / sqrt(variance + epsilon) +
// beta, for each channel of the last axis.
//
// In training, mean and (biased) variance are those of the batch, over all axes but the last and without
// masked rows, and the moving ones follow: moving = momentum * moving + (1 - momentum) * batch. In inference,
// and when the layer is frozen, the moving ones are used. Parameters: gamma, beta (channels,); state:
// moving_mean, moving_variance. `axis`, which counts the batch, must be the last
// one (ShapeError at build).
class BatchNormalization final : public DescribedLayer<BatchNormalization, BatchNormalizationOptions> {
 public:
  static constexpr const char* kType = "BatchNormalization";
  static constexpr const char* kDoc = "Gives each channel mean 0 and variance 1 over the batch.";
  static void fields(Fields<BatchNormalizationOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  std::size_t forward_scratch(std::span<const TensorSpec> inputs, std::size_t rows) const override;
  std::size_t backward_scratch(std::span<const TensorSpec> inputs, std::size_t rows) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;
  bool depends_on_mode() const override { return true; }
  bool inference_when_frozen() const override { return true; }

 private:
  void batch_statistics(const ForwardContext& context, float* mean, float* inverse) const;
  void moving_inverse(const float* variance, std::size_t channels, float* inverse) const;
};

LayerPtr batch_normalization(BatchNormalizationOptions options = {});

}  // namespace lamina
