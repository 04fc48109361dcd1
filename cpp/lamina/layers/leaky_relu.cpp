#include "lamina/layers/leaky_relu.h"

#include <utility>

#include "lamina/layers/activation_pass.h"
#include "lamina/layers/helpers.h"

namespace lamina {

void LeakyReLU::fields(Fields<LeakyReLUOptions>& field) {
  field("negative_slope", &LeakyReLUOptions::negative_slope, "Slope below zero.", non_negative());
  layer_fields(field);
}

kernels::ActivationSpec LeakyReLU::activation() const {
  return {kernels::Activation::leaky_relu, static_cast<float>(options_.negative_slope)};
}

LayerSpec LeakyReLU::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  return build_activation(kernels::Activation::leaky_relu, inputs, kType, name);
}

void LeakyReLU::forward(const ForwardContext& context) const {
  apply_activation(activation(), context);
}

void LeakyReLU::backward(const BackwardContext& context) const {
  apply_activation_gradient(activation(), context);
}

LayerPtr leaky_relu(LeakyReLUOptions options) {
  return make_described<LeakyReLU>(std::move(options));
}

LayerPtr leaky_relu(double negative_slope) {
  return leaky_relu(LeakyReLUOptions{.negative_slope = negative_slope});
}

}  // namespace lamina
