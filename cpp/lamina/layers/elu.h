#pragma once

#include "lamina/layers/layer.h"

namespace lamina {

struct ELUOptions {
  double alpha = 1.0;
  bool trainable = true;
  std::string name = {};
};

// y = x for x >= 0, alpha * (exp(x) - 1) below.
class ELU final : public DescribedLayer<ELU, ELUOptions> {
 public:
  static constexpr const char* kType = "ELU";
  static constexpr const char* kDoc = "The exponential linear unit.";
  static void fields(Fields<ELUOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;

 private:
  ActivationSpec activation() const;
};

LayerPtr elu(ELUOptions options);
LayerPtr elu(double alpha = 1.0);

}  // namespace lamina
