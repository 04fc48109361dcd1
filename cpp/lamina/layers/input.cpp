#include "lamina/layers/input.h"

#include <utility>

#include "lamina/layers/helpers.h"

namespace lamina {

void Input::fields(Fields<InputOptions>& field) {
  field("shape", &InputOptions::shape, "Shape of one row, without the batch.", at_least(1)).required();
  layer_fields(field);
}

LayerSpec Input::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  const TensorSpec declared{options_.shape};
  if (!inputs.empty() && single_input(inputs, kType, name) != declared) {
    const std::string expected = "input of shape " + options_.shape.str_with_batch();
    throw_shape(kType, name, expected, inputs[0].shape.str_with_batch());
  }
  return spec_like(declared);
}

void Input::forward(const ForwardContext& context) const {
  if (!context.inputs.empty()) pass_values(context);
}

void Input::backward(const BackwardContext& context) const {
  if (!context.d_inputs.empty()) pass_gradient(context);
}

LayerPtr input(const Shape& shape, std::string name) {
  return make_described<Input>(InputOptions{.shape = shape, .name = std::move(name)});
}

}  // namespace lamina
