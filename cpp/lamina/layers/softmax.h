#pragma once

#include "lamina/layers/layer.h"

namespace lamina {

struct SoftmaxOptions {
  std::int64_t axis = -1;
  bool trainable = true;
  std::string name = {};
};

// exp(x) / sum(exp(x)) along the last axis. `axis` counts the batch; ShapeError at build when it isn't the
// last one.
class Softmax final : public DescribedLayer<Softmax, SoftmaxOptions> {
 public:
  static constexpr const char* kType = "Softmax";
  static constexpr const char* kDoc = "Turns the last axis into probabilities.";
  static void fields(Fields<SoftmaxOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;
  std::optional<ActivationKind> final_activation() const override { return ActivationKind::softmax; }
};

LayerPtr softmax(SoftmaxOptions options = {});

}  // namespace lamina
