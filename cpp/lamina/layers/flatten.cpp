#include "lamina/layers/flatten.h"

#include <utility>

#include "lamina/layers/helpers.h"

namespace lamina {

LayerSpec Flatten::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  const TensorSpec& input = single_input(inputs, kType, name);
  return spec_like({Shape{input.shape.elements()}, input.dtype});
}

void Flatten::forward(const ForwardContext& context) const {
  pass_values(context);
}

void Flatten::backward(const BackwardContext& context) const {
  pass_gradient(context);
}

LayerPtr flatten(FlattenOptions options) {
  return make_described<Flatten>(std::move(options));
}

}  // namespace lamina
