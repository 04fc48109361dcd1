#pragma once

#include "lamina/layers/layer.h"

namespace lamina {

struct InputOptions {
  Shape shape = {};
  bool trainable = true;
  std::string name = {};
};

// Keras's Input: the shape of the rows that a model takes. It computes nothing; the model hands its data to
// this node's consumers.
class Input final : public DescribedLayer<Input, InputOptions> {
 public:
  static constexpr const char* kType = "Input";
  static constexpr const char* kDoc = "Says what shape the inputs of a model have.";
  static void fields(Fields<InputOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;
  bool is_view() const override { return true; }
};

// `shape` without the batch: input({28, 28}).
LayerPtr input(const Shape& shape, std::string name = {});

}  // namespace lamina
