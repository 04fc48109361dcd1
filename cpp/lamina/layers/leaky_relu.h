#pragma once

#include "lamina/layers/layer.h"

namespace lamina {

struct LeakyReLUOptions {
  double negative_slope = 0.3;
  bool trainable = true;
  std::string name = {};
};

// y = x for x >= 0, negative_slope * x below. (The activation named "leaky_relu" has 0.2, as in Keras.)
class LeakyReLU final : public DescribedLayer<LeakyReLU, LeakyReLUOptions> {
 public:
  static constexpr const char* kType = "LeakyReLU";
  static constexpr const char* kDoc =
      "A rectified linear unit that lets a small gradient through below zero.";
  static void fields(Fields<LeakyReLUOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;

 private:
  ActivationSpec activation() const;
};

LayerPtr leaky_relu(LeakyReLUOptions options);
LayerPtr leaky_relu(double negative_slope = 0.3);

}  // namespace lamina
