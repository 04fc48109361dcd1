#include "lamina/layers/helpers.h"

#include <cstring>
#include <utility>

#include "lamina/core/error.h"
#include "lamina/core/random.h"
#include "lamina/kernels/dispatch.h"

namespace lamina {

void throw_shape(std::string_view type, const std::string& name, const std::string& expected,
                 const std::string& got) {
  throw ShapeError(std::string(type) + " '" + name + "': expected " + expected + ", got " + got + ".");
}

const TensorSpec& single_input(std::span<const TensorSpec> inputs, std::string_view type,
                               const std::string& name, std::size_t min_rank) {
  if (inputs.size() != 1) throw_shape(type, name, "one input", std::to_string(inputs.size()));
  const Shape& shape = inputs[0].shape;
  if (shape.rank() < min_rank) {
    const std::string expected = "input of at least " + std::to_string(min_rank + 1) + " dimensions";
    throw_shape(type, name, expected, shape.str_with_batch());
  }
  return inputs[0];
}

std::size_t resolve_axis(std::int64_t axis, std::size_t rank, std::string_view type,
                         const std::string& name) {
  const auto count = static_cast<std::int64_t>(rank);
  if (axis < -count || axis >= count) {
    const std::string expected =
        "axis between " + std::to_string(-count) + " and " + std::to_string(count - 1);
    throw_shape(type, name, expected, std::to_string(axis));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + count : axis);
}

LayerSpec spec_like(const TensorSpec& input) {
  LayerSpec spec;
  spec.outputs = {input};
  spec.backward_reads_inputs = false;
  spec.backward_reads_outputs = false;
  return spec;
}

InitializerPtr initializer_named(std::string_view name) {
  return Initializer::registry().make(name);
}

Check not_none(std::string what) {
  return [what = std::move(what)](const Value& value) { return value.is_none() ? what : std::string(); };
}

std::uint64_t layer_key(std::uint64_t random_key, const std::optional<std::int64_t>& seed) {
  if (!seed) return random_key;
  return RandomStream(random_key, RandomUse::layer, static_cast<std::uint64_t>(*seed)).key();
}

void copy_values(const float* x, float* y, std::size_t n, Executor& executor) {
  if (x == y) return;
  for_chunks(n, kChunk, executor, [=](std::size_t begin, std::size_t end) {
    std::memcpy(y + begin, x + begin, (end - begin) * sizeof(float));
  });
}

void pass_values(const ForwardContext& context) {
  copy_values(context.inputs[0].data, context.outputs[0].data, context.outputs[0].elements(),
              *context.executor);
}

void pass_gradient(const BackwardContext& context) {
  const View& d_input = context.d_inputs[0];
  if (d_input.data == nullptr) return;
  const float* d_output = context.d_outputs[0].data;
  if (!context.accumulate_d_inputs[0]) {
    copy_values(d_output, d_input.data, d_input.elements(), *context.executor);
    return;
  }
  for_chunks(d_input.elements(), kChunk, *context.executor, [&](std::size_t begin, std::size_t end) {
    kernels::table().affine(d_output + begin, 1.0F, 0.0F, d_input.data + begin, end - begin, true);
  });
}

void ActivityPenalty::add_loss(const float* y, std::size_t n, double* loss) const {
  if (loss == nullptr) return;
  if (l1 != 0) *loss += l1 * kernels::table().sum_abs(y, n);
  if (l2 != 0) *loss += l2 * kernels::table().sum_squares(y, n);
}

void ActivityPenalty::add_gradient(const float* y, float* d_y, std::size_t n,
                                   const BackwardContext& context) const {
  if (!active()) return;
  const float scale = context.activity_scale;
  const auto regularize = context.training_kernels->regularize;
  const float scaled_l1 = static_cast<float>(l1 * static_cast<double>(scale));
  const float scaled_l2 = static_cast<float>(l2 * static_cast<double>(scale));
  for_chunks(n, kChunk, *context.executor, [=](std::size_t begin, std::size_t end) {
    regularize(y + begin, d_y + begin, end - begin, 1.0F, scaled_l1, scaled_l2);
  });
}

}  // namespace lamina
