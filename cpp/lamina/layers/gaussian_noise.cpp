#include "lamina/layers/gaussian_noise.h"

#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "lamina/kernels/dispatch.h"
#include "lamina/layers/helpers.h"

namespace lamina {

namespace {

constexpr std::size_t kPairs = 64;
constexpr std::size_t kBlock = 2 * kPairs;  // normals that are drawn together
static_assert(kChunk % kBlock == 0);

// kBlock normals by Box and Muller (Ann. Math. Statist. 29, 1958): with u, v uniform in (0, 1), those of
// index i and i + kPairs are r cos(2 pi v) and r sin(2 pi v), r = stddev * sqrt(-2 log u).
void draw_normals(const kernels::TrainingTable& table, std::uint64_t key, std::uint64_t first, float stddev,
                  float* normals) {
  std::array<std::uint32_t, kBlock> words;
  table.random_words(words.data(), kBlock, key, first);
  constexpr double kStep = 1.0 / 4294967296.0;
  std::array<float, kPairs> radius;
  for (std::size_t i = 0; i < kPairs; ++i) radius[i] = static_cast<float>((words[i] + 0.5) * kStep);
  table.map(kernels::Unary::log, radius.data(), radius.data(), kPairs);
  kernels::table().affine(radius.data(), -2.0F, 0.0F, radius.data(), kPairs, false);
  table.map(kernels::Unary::sqrt, radius.data(), radius.data(), kPairs);
  for (std::size_t i = 0; i < kPairs; ++i) {
    const auto angle = static_cast<float>(2 * std::numbers::pi * kStep * words[kPairs + i]);
    normals[i] = stddev * radius[i] * std::cos(angle);
    normals[kPairs + i] = stddev * radius[i] * std::sin(angle);
  }
}

}  // namespace

void GaussianNoise::fields(Fields<GaussianNoiseOptions>& field) {
  using Options = GaussianNoiseOptions;
  field("stddev", &Options::stddev, "Standard deviation of the noise.", in_closed_range(0, 1)).required();
  field("seed", &Options::seed, "Mixed into the trainer's random stream.");
  layer_fields(field);
}

LayerSpec GaussianNoise::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  return spec_like(single_input(inputs, kType, name));
}

void GaussianNoise::forward(const ForwardContext& context) const {
  if (context.mode == Mode::inference || options_.stddev == 0) {
    pass_values(context);
    return;
  }
  const float* x = context.inputs[0].data;
  const View& y = context.outputs[0];
  const auto stddev = static_cast<float>(options_.stddev);
  const std::uint64_t key = layer_key(context.random_key, options_.seed);
  for_chunks(y.elements(), kChunk, *context.executor, [&](std::size_t begin, std::size_t end) {
    std::array<float, kBlock> noise;
    for (std::size_t i = begin; i < end; i += kBlock) {
      draw_normals(*context.training_kernels, key, i, stddev, noise.data());
      kernels::table().add(x + i, noise.data(), y.data + i, std::min(kBlock, end - i));
    }
  });
}

void GaussianNoise::backward(const BackwardContext& context) const {
  pass_gradient(context);
}

LayerPtr gaussian_noise(GaussianNoiseOptions options) {
  return make_described<GaussianNoise>(std::move(options));
}

LayerPtr gaussian_noise(double stddev) {
  return gaussian_noise(GaussianNoiseOptions{.stddev = stddev});
}

}  // namespace lamina
