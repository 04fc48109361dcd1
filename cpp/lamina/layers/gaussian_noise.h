#pragma once

#include "lamina/layers/layer.h"

namespace lamina {

struct GaussianNoiseOptions {
  double stddev = 0.1;
  std::optional<std::int64_t> seed = {};
  bool trainable = true;
  std::string name = {};
};

// In training y = x + stddev * normal(0, 1); in inference y = x.
class GaussianNoise final : public DescribedLayer<GaussianNoise, GaussianNoiseOptions> {
 public:
  static constexpr const char* kType = "GaussianNoise";
  static constexpr const char* kDoc = "Adds normal noise of mean zero while training.";
  static void fields(Fields<GaussianNoiseOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;
  bool depends_on_mode() const override { return options_.stddev > 0; }
};

LayerPtr gaussian_noise(GaussianNoiseOptions options);
LayerPtr gaussian_noise(double stddev);

}  // namespace lamina
