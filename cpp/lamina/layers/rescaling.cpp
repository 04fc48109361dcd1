#include "lamina/layers/rescaling.h"

#include <utility>

#include "lamina/kernels/dispatch.h"
#include "lamina/layers/helpers.h"

namespace lamina {

void Rescaling::fields(Fields<RescalingOptions>& field) {
  field("scale", &RescalingOptions::scale, "Factor of the inputs.", finite()).required();
  field("offset", &RescalingOptions::offset, "Added after scaling.", finite());
  layer_fields(field);
}

LayerSpec Rescaling::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  return spec_like(single_input(inputs, kType, name));
}

void Rescaling::forward(const ForwardContext& context) const {
  const float* x = context.inputs[0].data;
  const View& y = context.outputs[0];
  const auto scale = static_cast<float>(options_.scale);
  const auto offset = static_cast<float>(options_.offset);
  for_chunks(y.elements(), kChunk, *context.executor, [&](std::size_t begin, std::size_t end) {
    kernels::table().affine(x + begin, scale, offset, y.data + begin, end - begin, false);
  });
}

void Rescaling::backward(const BackwardContext& context) const {
  const float* d_y = context.d_outputs[0].data;
  const View& d_x = context.d_inputs[0];
  if (d_x.data == nullptr) return;
  const auto scale = static_cast<float>(options_.scale);
  const bool accumulate = context.accumulate_d_inputs[0];
  for_chunks(d_x.elements(), kChunk, *context.executor, [&](std::size_t begin, std::size_t end) {
    kernels::table().affine(d_y + begin, scale, 0.0F, d_x.data + begin, end - begin, accumulate);
  });
}

LayerPtr rescaling(RescalingOptions options) {
  return make_described<Rescaling>(std::move(options));
}

LayerPtr rescaling(double scale, double offset) {
  return rescaling(RescalingOptions{.scale = scale, .offset = offset});
}

}  // namespace lamina
