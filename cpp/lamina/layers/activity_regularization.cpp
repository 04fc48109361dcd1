#include "lamina/layers/activity_regularization.h"

#include <utility>

#include "lamina/layers/helpers.h"

namespace lamina {

void ActivityRegularization::fields(Fields<ActivityRegularizationOptions>& field) {
  using Options = ActivityRegularizationOptions;
  field("l1", &Options::l1, "Factor of the sum of absolute values.", non_negative());
  field("l2", &Options::l2, "Factor of the sum of squares.", non_negative());
  layer_fields(field);
}

LayerSpec ActivityRegularization::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  LayerSpec spec = spec_like(single_input(inputs, kType, name));
  spec.backward_reads_outputs = ActivityPenalty{options_.l1, options_.l2}.active();
  return spec;
}

void ActivityRegularization::forward(const ForwardContext& context) const {
  pass_values(context);
  const View& y = context.outputs[0];
  ActivityPenalty{options_.l1, options_.l2}.add_loss(y.data, y.elements(), context.activity_loss);
}

void ActivityRegularization::backward(const BackwardContext& context) const {
  const View& d_x = context.d_inputs[0];
  if (d_x.data == nullptr) return;
  pass_gradient(context);
  ActivityPenalty{options_.l1, options_.l2}.add_gradient(context.outputs[0].data, d_x.data, d_x.elements(),
                                                         context);
}

LayerPtr activity_regularization(ActivityRegularizationOptions options) {
  return make_described<ActivityRegularization>(std::move(options));
}

}  // namespace lamina
