#include "lamina/layers/elu.h"

#include <utility>

#include "lamina/layers/activation_pass.h"
#include "lamina/layers/helpers.h"

namespace lamina {

void ELU::fields(Fields<ELUOptions>& field) {
  field("alpha", &ELUOptions::alpha, "Scale of the part below zero.", non_negative());
  layer_fields(field);
}

kernels::ActivationSpec ELU::activation() const {
  return {kernels::Activation::elu, static_cast<float>(options_.alpha)};
}

LayerSpec ELU::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  return build_activation(kernels::Activation::elu, inputs, kType, name);
}

void ELU::forward(const ForwardContext& context) const {
  apply_activation(activation(), context);
}

void ELU::backward(const BackwardContext& context) const {
  apply_activation_gradient(activation(), context);
}

LayerPtr elu(ELUOptions options) {
  return make_described<ELU>(std::move(options));
}

LayerPtr elu(double alpha) {
  return elu(ELUOptions{.alpha = alpha});
}

}  // namespace lamina
