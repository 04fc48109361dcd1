#include "lamina/layers/activation_pass.h"

#include "lamina/kernels/activation.h"
#include "lamina/layers/helpers.h"

namespace lamina {

namespace {

// A tensor (rows, ..., columns) as a matrix.
std::size_t columns_of(const Shape& shape) {
  return shape.back();
}
std::size_t rows_of(const Shape& shape) {
  return shape.back() == 0 ? 0 : shape.elements() / shape.back();
}

}  // namespace

LayerSpec build_activation(kernels::Activation activation, std::span<const TensorSpec> inputs,
                           std::string_view type, const std::string& name) {
  LayerSpec spec = spec_like(single_input(inputs, type, name, kernels::is_elementwise(activation) ? 0 : 1));
  if (activation == kernels::Activation::linear) return spec;
  spec.backward_reads_inputs = kernels::needs_input(activation);
  spec.backward_reads_outputs = !spec.backward_reads_inputs;
  return spec;
}

void apply_activation(kernels::ActivationSpec activation, const ForwardContext& context) {
  if (context.emit_logits || activation.kind == kernels::Activation::linear) {
    pass_values(context);
    return;
  }
  const View& y = context.outputs[0];
  kernels::activation_forward(activation, context.inputs[0].data, y.data, rows_of(y.shape),
                              columns_of(y.shape), *context.executor);
}

void apply_activation_gradient(kernels::ActivationSpec activation, const BackwardContext& context) {
  if (context.emit_logits || activation.kind == kernels::Activation::linear) {
    pass_gradient(context);
    return;
  }
  const View& d_x = context.d_inputs[0];
  if (d_x.data == nullptr) return;
  const ConstView& saved = kernels::needs_input(activation.kind) ? context.inputs[0] : context.outputs[0];
  kernels::activation_backward(*context.training_kernels, activation, context.d_outputs[0].data, saved.data,
                               d_x.data, rows_of(d_x.shape), columns_of(d_x.shape),
                               context.accumulate_d_inputs[0], *context.executor);
}

}  // namespace lamina
