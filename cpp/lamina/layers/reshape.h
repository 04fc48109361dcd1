#pragma once

#include <vector>

#include "lamina/layers/layer.h"

namespace lamina {

struct ReshapeOptions {
  std::vector<std::int64_t> target_shape = {};
  bool trainable = true;
  std::string name = {};
};

// (batch, ...) to (batch, *target_shape), in row-major order. One extent may be -1: it takes what is left.
class Reshape final : public DescribedLayer<Reshape, ReshapeOptions> {
 public:
  static constexpr const char* kType = "Reshape";
  static constexpr const char* kDoc = "Gives each row another shape.";
  static void fields(Fields<ReshapeOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;
  bool is_view() const override { return true; }
};

// `target_shape` without the batch: reshape({28, -1}).
LayerPtr reshape(std::vector<std::int64_t> target_shape, std::string name = {});

}  // namespace lamina
