#pragma once

#include "lamina/layers/layer.h"

namespace lamina {

struct FlattenOptions {
  bool trainable = true;
  std::string name = {};
};

// (batch, a, b, ...) to (batch, a * b * ...); (batch,) to (batch, 1).
class Flatten final : public DescribedLayer<Flatten, FlattenOptions> {
 public:
  static constexpr const char* kType = "Flatten";
  static constexpr const char* kDoc = "Makes each row one vector.";
  static void fields(Fields<FlattenOptions>& field) { layer_fields(field); }
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;
  bool is_view() const override { return true; }
};

LayerPtr flatten(FlattenOptions options = {});

}  // namespace lamina
