// Forward and backward of the layers that are one activation: Activation, LeakyReLU, ELU, Softmax.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lamina/kernels/kernels.h"
#include "lamina/layers/layer.h"

namespace lamina {

// The output is like the input; keeps whichever of the two the derivative is computed from. softmax and
// log_softmax run along the last axis, which then may not be the batch.
LayerSpec build_activation(kernels::Activation activation, std::span<const TensorSpec> inputs,
                           std::string_view type, const std::string& name);
// With emit_logits, the identity.
void apply_activation(kernels::ActivationSpec activation, const ForwardContext& context);
void apply_activation_gradient(kernels::ActivationSpec activation, const BackwardContext& context);

}  // namespace lamina
