#include "lamina/layers/layer_normalization.h"

#include <utility>
#include <vector>

#include "lamina/layers/helpers.h"

namespace lamina {

void LayerNormalization::fields(Fields<LayerNormalizationOptions>& field) {
  using Options = LayerNormalizationOptions;
  const Check initializer = not_none("an initializer");
  field("axis", &Options::axis, "The last axis, or a list of axes that ends with it.",
        [](const Value& value) -> std::string {
          return value.list() != nullptr && value.list()->empty() ? "an axis or a list of axes" : "";
        });
  field("epsilon", &Options::epsilon, "Added to the variance.", non_negative());
  field("center", &Options::center, "Whether to add beta.");
  field("scale", &Options::scale, "Whether to multiply by gamma.");
  field("beta_initializer", &Options::beta_initializer, "Initial beta.", initializer);
  field("gamma_initializer", &Options::gamma_initializer, "Initial gamma.", initializer);
  field("beta_regularizer", &Options::beta_regularizer, "Penalty on beta.");
  field("gamma_regularizer", &Options::gamma_regularizer, "Penalty on gamma.");
  field("beta_constraint", &Options::beta_constraint, "Holds for beta after each step.");
  field("gamma_constraint", &Options::gamma_constraint, "Holds for gamma after each step.");
  layer_fields(field);
}

LayerSpec LayerNormalization::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  const TensorSpec& input = single_input(inputs, kType, name, 1);
  const std::size_t rank = input.shape.rank() + 1;
  const std::vector<std::int64_t>& axes = options_.axis.values;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = resolve_axis(axes[i], rank, kType, name);
    if (axis == 0 || axis + axes.size() != rank + i) {
      throw_shape(kType, name, "the last axes in order, without the batch",
                  "axis " + FieldType<Axes>::to(options_.axis).str() + " for input of shape " +
                      input.shape.str_with_batch());
    }
  }
  if (input.shape.elements() == 0) {
    throw_shape(kType, name, "input that is not empty", input.shape.str_with_batch());
  }
  const Shape normalized(std::span(input.shape.end() - axes.size(), axes.size()));
  LayerSpec spec = spec_like(input);
  if (options_.scale) {
    spec.parameters.push_back({"gamma", normalized, options_.gamma_initializer, options_.gamma_regularizer,
                               options_.gamma_constraint});
  }
  if (options_.center) {
    spec.parameters.push_back(
        {"beta", normalized, options_.beta_initializer, options_.beta_regularizer, options_.beta_constraint});
  }
  const std::size_t groups = input.shape.elements() / normalized.elements();
  spec.saved = {{.per_row = groups}, {.per_row = groups}};  // mean, 1 / sqrt(variance + epsilon)
  spec.backward_reads_inputs = true;
  return spec;
}

LayerPtr layer_normalization(LayerNormalizationOptions options) {
  return make_described<LayerNormalization>(std::move(options));
}

}  // namespace lamina
