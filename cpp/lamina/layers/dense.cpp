#include "lamina/layers/dense.h"

#include <algorithm>
#include <utility>

#include "lamina/kernels/activation.h"
#include "lamina/kernels/matmul.h"

namespace lamina {

namespace {

// The d_z part of the backward scratch, rounded up so that what follows stays 64-byte aligned.
std::size_t aligned(std::size_t floats) {
  return (floats + 15) / 16 * 16;
}

}  // namespace

void Dense::fields(Fields<DenseOptions>& field) {
  using Options = DenseOptions;
  const Check initializer = not_none("an initializer");
  field("units", &Options::units, "Size of the output.", at_least(1)).required();
  field("activation", &Options::activation, "Name of the activation; None for none.");
  field("use_bias", &Options::use_bias, "Whether to add a bias.");
  field("kernel_initializer", &Options::kernel_initializer, "Initial kernel.", initializer);
  field("bias_initializer", &Options::bias_initializer, "Initial bias.", initializer);
  field("kernel_regularizer", &Options::kernel_regularizer, "Penalty on the kernel.");
  field("bias_regularizer", &Options::bias_regularizer, "Penalty on the bias.");
  field("activity_regularizer", &Options::activity_regularizer, "Penalty on the output.");
  field("kernel_constraint", &Options::kernel_constraint, "Holds for the kernel after each step.");
  field("bias_constraint", &Options::bias_constraint, "Holds for the bias after each step.");
  layer_fields(field);
}

LayerSpec Dense::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  const TensorSpec& input = single_input(inputs, kType, name, 1);
  const Shape kernel{input.shape.back(), units()};
  if (kernel.elements() == 0) {
    throw_shape(kType, name, "at least one input feature", input.shape.str_with_batch());
  }
  LayerSpec spec = spec_like(input);
  Shape& output = spec.outputs[0].shape;
  output[output.rank() - 1] = units();
  spec.parameters.push_back({"kernel", kernel, options_.kernel_initializer, options_.kernel_regularizer,
                             options_.kernel_constraint});
  if (options_.use_bias) {
    spec.parameters.push_back({"bias", Shape{units()}, options_.bias_initializer, options_.bias_regularizer,
                               options_.bias_constraint});
  }
  const bool keeps_input = kernels::needs_input(options_.activation);
  if (keeps_input) spec.saved.push_back({.per_row = output.elements()});  // z = x kernel + bias
  spec.backward_reads_inputs = true;                                      // for d_kernel
  const bool is_linear = options_.activation == kernels::Activation::linear;
  spec.backward_reads_outputs = (!is_linear && !keeps_input) || activity_penalty().active();
  return spec;
}

std::size_t Dense::forward_scratch(std::span<const TensorSpec> inputs, std::size_t rows) const {
  const Shape& x = inputs[0].shape;
  return kernels::matmul_scratch(rows * (x.elements() / x.back()), units(), x.back());
}

std::size_t Dense::backward_scratch(std::span<const TensorSpec> inputs, std::size_t rows) const {
  const Shape& x = inputs[0].shape;
  const std::size_t m = rows * (x.elements() / x.back());
  const std::size_t products = std::max(kernels::matmul_scratch(x.back(), units(), m),   // d_kernel
                                        kernels::matmul_scratch(m, x.back(), units()));  // d_x
  return aligned(m * units()) + products;
}

void Dense::forward(const ForwardContext& context) const {
  const ConstView& x = context.inputs[0];  // (rows, ..., in)
  const View& y = context.outputs[0];      // (rows, ..., units)
  const bool activates = !context.emit_logits;
  const bool saves = activates && kernels::needs_input(options_.activation) && !context.saved.empty();
  const auto activation =
      kernels::with_default_alpha(activates ? options_.activation.kind : kernels::Activation::linear);
  kernels::matmul({.m = y.elements() / units(),
                   .n = units(),
                   .k = x.shape.back(),
                   .a = x.data,
                   .a_row = x.shape.back(),
                   .b = context.parameters[0],
                   .b_row = units(),
                   .c = y.data,
                   .c_row = units(),
                   .bias = options_.use_bias ? context.parameters[1] : nullptr,
                   .before_activation = saves ? context.saved[0] : nullptr,
                   .activation = activation,
                   .training = context.training_kernels,
                   .skips_zeros = context.skips_zeros},
                  context.scratch, *context.executor);
  activity_penalty().add_loss(y.data, y.elements(), context.activity_loss);
}

// With z = x kernel + bias, y = f(z) and d_z = d_y * f'(z):
//   d_kernel = x^T d_z,  d_bias = the sum of d_z over rows,  d_x = d_z kernel^T.
void Dense::backward(const BackwardContext& context) const {
  const View& d_x = context.d_inputs[0];
  const std::size_t in = context.inputs[0].shape.back();
  const std::size_t m = context.d_outputs[0].elements() / units();
  float* d_kernel = context.d_parameters[0];
  float* d_bias = options_.use_bias ? context.d_parameters[1] : nullptr;
  if (d_x.data == nullptr && d_kernel == nullptr && d_bias == nullptr) return;

  const float* d_z = logit_gradient(context, m, context.scratch);
  float* scratch = context.scratch + aligned(m * units());
  // d_x first: the kernel may move as d_kernel is computed.
  if (d_x.data != nullptr) {
    const bool takes_derivative = context.input_activation != kernels::Activation::linear;
    kernels::matmul({.m = m,
                     .n = in,
                     .k = units(),
                     .a = d_z,
                     .a_row = units(),
                     .b = context.parameters[0],
                     .b_row = units(),
                     .transpose_b = true,
                     .c = d_x.data,
                     .c_row = in,
                     .accumulate = context.accumulate_d_inputs[0],
                     .activation = kernels::with_default_alpha(context.input_activation),
                     .derivative_at = takes_derivative ? context.inputs[0].data : nullptr,
                     .training = context.training_kernels},
                    scratch, *context.executor);
  }
  if (d_kernel != nullptr) {
    ParameterUpdate* update = context.updates.empty() ? nullptr : context.updates[0];
    kernels::matmul({.m = in,
                     .n = units(),
                     .k = m,
                     .a = context.inputs[0].data,
                     .a_row = in,
                     .transpose_a = true,
                     .b = d_z,
                     .b_row = units(),
                     .c = d_kernel,
                     .c_row = units(),
                     .accumulate = context.accumulate_d_parameters[0],
                     .activation = {},
                     .update = update == nullptr ? nullptr : &update->pass,
                     .update_kind = update == nullptr ? kernels::OptimizerKind::sgd : update->kind,
                     .training = context.training_kernels,
                     .skips_zeros = context.skips_zeros},
                    scratch, *context.executor);
    if (update != nullptr) update->done = true;
  }
  if (d_bias != nullptr) {
    kernels::column_sum(d_z, m, units(), context.accumulate_d_parameters[1], d_bias, *context.executor);
  }
}

// d_z: the gradient that came in where it is already that, else computed into `d_z`.
const float* Dense::logit_gradient(const BackwardContext& context, std::size_t rows, float* d_z) const {
  const ConstView& d_y = context.d_outputs[0];
  const ActivityPenalty penalty = activity_penalty();
  const bool is_linear = context.emit_logits || options_.activation == kernels::Activation::linear;
  if (is_linear && !penalty.active()) return d_y.data;

  const float* gradient = d_y.data;
  const float* y = context.outputs[0].data;
  if (penalty.active()) {
    copy_values(d_y.data, d_z, d_y.elements(), *context.executor);
    penalty.add_gradient(y, d_z, d_y.elements(), context);
    gradient = d_z;
  }
  if (is_linear) return gradient;
  const float* kept = kernels::needs_input(options_.activation) ? context.saved[0] : y;
  kernels::activation_backward(*context.training_kernels, kernels::with_default_alpha(options_.activation),
                               gradient, kept, d_z, rows, units(), false, *context.executor);
  return d_z;
}

ActivityPenalty Dense::activity_penalty() const {
  const Regularizer* regularizer = options_.activity_regularizer.get();
  return regularizer == nullptr ? ActivityPenalty{} : ActivityPenalty{regularizer->l1(), regularizer->l2()};
}

std::optional<kernels::Activation> Dense::final_activation() const {
  if (options_.activity_regularizer) return std::nullopt;
  return options_.activation;
}

LayerPtr dense(DenseOptions options) {
  return make_described<Dense>(std::move(options));
}

LayerPtr dense(std::int64_t units, std::string_view activation) {
  DenseOptions options;
  options.units = units;
  options.activation = activation;
  return dense(std::move(options));
}

}  // namespace lamina
