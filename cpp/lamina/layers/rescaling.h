#pragma once

#include "lamina/layers/layer.h"

namespace lamina {

struct RescalingOptions {
  double scale = 1.0;
  double offset = 0.0;
  bool trainable = true;
  std::string name = {};
};

// y = scale * x + offset, in training and inference alike.
class Rescaling final : public DescribedLayer<Rescaling, RescalingOptions> {
 public:
  static constexpr const char* kType = "Rescaling";
  static constexpr const char* kDoc = "Multiplies each input by `scale` and adds `offset`.";
  static void fields(Fields<RescalingOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;
};

LayerPtr rescaling(RescalingOptions options);
LayerPtr rescaling(double scale, double offset = 0.0);

}  // namespace lamina
