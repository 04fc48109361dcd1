#include "lamina/layers/activation.h"

#include <utility>

#include "lamina/kernels/activation.h"
#include "lamina/layers/activation_pass.h"

namespace lamina {

void Activation::fields(Fields<ActivationOptions>& field) {
  field("activation", &ActivationOptions::activation, "Name of the activation, such as 'relu'.").required();
  layer_fields(field);
}

LayerSpec Activation::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  return build_activation(options_.activation, inputs, kType, name);
}

void Activation::forward(const ForwardContext& context) const {
  apply_activation(kernels::with_default_alpha(options_.activation), context);
}

void Activation::backward(const BackwardContext& context) const {
  apply_activation_gradient(kernels::with_default_alpha(options_.activation), context);
}

LayerPtr activation(ActivationOptions options) {
  return make_described<Activation>(std::move(options));
}

LayerPtr activation(std::string_view name) {
  return activation({.activation = name});
}

}  // namespace lamina
