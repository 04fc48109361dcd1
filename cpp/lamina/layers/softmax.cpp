#include "lamina/layers/softmax.h"

#include <utility>

#include "lamina/layers/activation_pass.h"
#include "lamina/layers/helpers.h"

namespace lamina {

void Softmax::fields(Fields<SoftmaxOptions>& field) {
  field("axis", &SoftmaxOptions::axis, "The axis that sums to 1; the last one.");
  layer_fields(field);
}

LayerSpec Softmax::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  const std::size_t rank = single_input(inputs, kType, name, 1).shape.rank() + 1;
  if (resolve_axis(options_.axis, rank, kType, name) != rank - 1) {
    throw_shape(kType, name, "the last axis (-1)", "axis " + std::to_string(options_.axis));
  }
  return build_activation(kernels::Activation::softmax, inputs, kType, name);
}

void Softmax::forward(const ForwardContext& context) const {
  apply_activation({kernels::Activation::softmax}, context);
}

void Softmax::backward(const BackwardContext& context) const {
  apply_activation_gradient({kernels::Activation::softmax}, context);
}

LayerPtr softmax(SoftmaxOptions options) {
  return make_described<Softmax>(std::move(options));
}

}  // namespace lamina
