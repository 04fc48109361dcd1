#include "lamina/layers/dropout.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lamina/kernels/kernels.h"
#include "lamina/layers/helpers.h"

namespace lamina {

void Dropout::fields(Fields<DropoutOptions>& field) {
  field("rate", &DropoutOptions::rate, "Fraction of the inputs to drop.", in_closed_range(0, 1)).required();
  field("seed", &DropoutOptions::seed, "Mixed into the trainer's random stream.");
  layer_fields(field);
}

LayerSpec Dropout::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  return spec_like(single_input(inputs, kType, name));
}

// y (+)= mask * x / (1 - rate); an element stays when its random word is at least rate * 2^32.
template <class Context>
void Dropout::mask(const Context& context, const float* x, float* y, std::size_t n, bool accumulate) const {
  constexpr double kWords = 4294967296.0;
  const double threshold = std::round(options_.rate * kWords);
  if (threshold >= kWords) {
    if (!accumulate) {
      for_chunks(n, kChunk, *context.executor,
                 [=](std::size_t begin, std::size_t end) { std::fill(y + begin, y + end, 0.0F); });
    }
    return;
  }
  const auto scale = static_cast<float>(1.0 / (1.0 - options_.rate));
  const std::uint64_t key = layer_key(context.random_key, options_.seed);
  const auto dropout = context.training_kernels->dropout;
  for_chunks(n, kChunk, *context.executor, [=](std::size_t begin, std::size_t end) {
    dropout(x + begin, y + begin, end - begin, key, begin, static_cast<std::uint32_t>(threshold), scale,
            accumulate);
  });
}

void Dropout::forward(const ForwardContext& context) const {
  if (context.mode == Mode::inference || options_.rate == 0) {
    pass_values(context);
    return;
  }
  const View& y = context.outputs[0];
  mask(context, context.inputs[0].data, y.data, y.elements(), false);
}

void Dropout::backward(const BackwardContext& context) const {
  if (context.mode == Mode::inference || options_.rate == 0) {
    pass_gradient(context);
    return;
  }
  const View& d_x = context.d_inputs[0];
  if (d_x.data == nullptr) return;
  mask(context, context.d_outputs[0].data, d_x.data, d_x.elements(), context.accumulate_d_inputs[0]);
}

LayerPtr dropout(DropoutOptions options) {
  return make_described<Dropout>(std::move(options));
}

LayerPtr dropout(double rate) {
  return dropout(DropoutOptions{.rate = rate});
}

}  // namespace lamina
