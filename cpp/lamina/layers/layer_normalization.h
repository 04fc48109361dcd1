#pragma once

#include "lamina/layers/helpers.h"
#include "lamina/layers/layer.h"

namespace lamina {

struct LayerNormalizationOptions {
  Axes axis = -1;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  InitializerPtr beta_initializer = initializer_named("zeros");
  InitializerPtr gamma_initializer = initializer_named("ones");
  RegularizerPtr beta_regularizer = nullptr;
  RegularizerPtr gamma_regularizer = nullptr;
  ConstraintPtr beta_constraint = nullptr;
  ConstraintPtr gamma_constraint = nullptr;
  bool trainable = true;
  std::string name = {};
};

// Layer normalisation (Ba, Kiros and Hinton, 2016): y = gamma * (x - mean) / sqrt(variance + epsilon) + beta
// with the mean and (biased) variance over `axis`: the last axis, or several that end with it and stand in
// order (they count the batch, which can't be one of them; ShapeError at build). Parameters: gamma, beta of
// the extents of those axes.
class LayerNormalization final : public DescribedLayer<LayerNormalization, LayerNormalizationOptions> {
 public:
  static constexpr const char* kType = "LayerNormalization";
  static constexpr const char* kDoc = "Gives each row mean 0 and variance 1 over its last axes.";
  static void fields(Fields<LayerNormalizationOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;

 private:
  void input_gradient(const BackwardContext& context, std::size_t n) const;
  std::size_t features(const Shape& shape) const;
};

LayerPtr layer_normalization(LayerNormalizationOptions options = {});

}  // namespace lamina
