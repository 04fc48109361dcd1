#pragma once

#include <string_view>

#include "lamina/layers/layer.h"

namespace lamina {

struct ActivationOptions {
  ActivationChoice activation = "linear";  // required
  bool trainable = true;
  std::string name = {};
};

// An activation by name. softmax and log_softmax run along the last axis.
class Activation final : public DescribedLayer<Activation, ActivationOptions> {
 public:
  static constexpr const char* kType = "Activation";
  static constexpr const char* kDoc = "Applies an activation function.";
  static void fields(Fields<ActivationOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;
  std::optional<ActivationKind> final_activation() const override { return options_.activation; }
};

LayerPtr activation(ActivationOptions options);
// ArgumentError for an unknown name.
LayerPtr activation(std::string_view name);

}  // namespace lamina
