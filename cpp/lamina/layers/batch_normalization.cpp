#include "lamina/layers/batch_normalization.h"

#include <utility>

#include "lamina/layers/helpers.h"

namespace lamina {

void BatchNormalization::fields(Fields<BatchNormalizationOptions>& field) {
  using Options = BatchNormalizationOptions;
  const Check initializer = not_none("an initializer");
  field("axis", &Options::axis, "The axis of the channels; the last one.");
  field("momentum", &Options::momentum, "How much of the moving statistics stays each step.",
        in_closed_range(0, 1));
  field("epsilon", &Options::epsilon, "Added to the variance.", non_negative());
  field("center", &Options::center, "Whether to add beta.");
  field("scale", &Options::scale, "Whether to multiply by gamma.");
  field("beta_initializer", &Options::beta_initializer, "Initial beta.", initializer);
  field("gamma_initializer", &Options::gamma_initializer, "Initial gamma.", initializer);
  field("moving_mean_initializer", &Options::moving_mean_initializer, "Initial moving mean.", initializer);
  field("moving_variance_initializer", &Options::moving_variance_initializer, "Initial moving variance.",
        initializer);
  field("beta_regularizer", &Options::beta_regularizer, "Penalty on beta.");
  field("gamma_regularizer", &Options::gamma_regularizer, "Penalty on gamma.");
  field("beta_constraint", &Options::beta_constraint, "Holds for beta after each step.");
  field("gamma_constraint", &Options::gamma_constraint, "Holds for gamma after each step.");
  layer_fields(field);
}

LayerSpec BatchNormalization::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  const TensorSpec& input = single_input(inputs, kType, name, 1);
  const std::size_t rank = input.shape.rank() + 1;
  if (resolve_axis(options_.axis, rank, kType, name) != rank - 1) {
    throw_shape(kType, name, "the last axis (-1)", "axis " + std::to_string(options_.axis));
  }
  if (input.shape.elements() == 0) {
    throw_shape(kType, name, "input that is not empty", input.shape.str_with_batch());
  }
  const Shape channels{input.shape.back()};
  LayerSpec spec = spec_like(input);
  if (options_.scale) {
    spec.parameters.push_back({"gamma", channels, options_.gamma_initializer, options_.gamma_regularizer,
                               options_.gamma_constraint});
  }
  if (options_.center) {
    spec.parameters.push_back(
        {"beta", channels, options_.beta_initializer, options_.beta_regularizer, options_.beta_constraint});
  }
  spec.state = {{"moving_mean", channels, options_.moving_mean_initializer},
                {"moving_variance", channels, options_.moving_variance_initializer}};
  spec.saved = {{.fixed = channels[0]}, {.fixed = channels[0]}};  // mean, 1 / sqrt(variance + epsilon)
  spec.backward_reads_inputs = true;
  return spec;
}

std::size_t BatchNormalization::forward_scratch(std::span<const TensorSpec> inputs, std::size_t) const {
  return 3 * inputs[0].shape.back();
}

std::size_t BatchNormalization::backward_scratch(std::span<const TensorSpec> inputs, std::size_t) const {
  return 4 * inputs[0].shape.back();
}

LayerPtr batch_normalization(BatchNormalizationOptions options) {
  return make_described<BatchNormalization>(std::move(options));
}

}  // namespace lamina
