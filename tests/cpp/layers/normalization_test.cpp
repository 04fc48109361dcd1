// BatchNormalization and LayerNormalization against their formulas in float64.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "lamina/layers/batch_normalization.h"
#include "lamina/layers/layer_normalization.h"
#include "layers/layer_harness.h"

namespace lamina::test {

namespace {

struct Moments {
  double mean = 0, variance = 0;
};

// Of count numbers, `stride` apart; those whose mask is 0 don't count.
Moments moments_of(const float* x, std::size_t count, std::size_t stride, const float* mask = nullptr) {
  Moments result;
  double n = 0;
  const auto each = [&](auto&& use) {
    for (std::size_t i = 0; i < count; ++i) {
      if (mask == nullptr || mask[i] != 0) use(static_cast<double>(x[i * stride]));
    }
  };
  each([&](double value) { result.mean += value, n += 1; });
  result.mean /= n;
  each([&](double value) { result.variance += (value - result.mean) * (value - result.mean); });
  result.variance /= n;
  return result;
}

double normalized(const Moments& moments, double epsilon, float x) {
  return (static_cast<double>(x) - moments.mean) / std::sqrt(moments.variance + epsilon);
}

// One rounding each for mean, x - mean, 1 / deviation, its product with gamma and the sum with beta; the
// first is of the size of the mean, all others of that of the result.
double tolerance(const Moments& moments, double y) {
  return 0x1p-22 * (1 + std::abs(y) + std::abs(moments.mean) / std::sqrt(moments.variance + 1e-3));
}

}  // namespace

TEST_CASE("BatchNormalization normalises by the batch in training") {
  for (const std::size_t channels : {1U, 3U, 17U, 33U}) {
    for (const double shift : {0.0, 1000.0}) {
      constexpr std::size_t kRows = 37;
      LayerRunner runner(batch_normalization(), Shape{channels}, kRows);
      for (float& x : runner.x) x += static_cast<float>(shift);
      const std::vector<float> gamma = runner.parameters[0];
      const std::vector<float> beta = runner.parameters[1];
      runner.forward({});
      for (std::size_t j = 0; j < channels; ++j) {
        const Moments moments = moments_of(runner.x.data() + j, kRows, channels);
        for (std::size_t i = 0; i < kRows; ++i) {
          const std::size_t at = i * channels + j;
          const double expected = normalized(moments, 1e-3, runner.x[at]) * static_cast<double>(gamma[j]) +
                                  static_cast<double>(beta[j]);
          CHECK(std::abs(static_cast<double>(runner.y[at]) - expected) <= tolerance(moments, expected));
        }
      }
    }
  }
}

TEST_CASE("BatchNormalization moves its statistics in a training step alone") {
  constexpr std::size_t kRows = 29, kChannels = 5;
  LayerRunner runner(batch_normalization({.momentum = 0.75}), Shape{kChannels}, kRows);
  const auto before = runner.state;
  runner.forward({});
  CHECK(runner.state == before);
  runner.forward({.mode = Mode::inference, .update_state = true});
  CHECK(runner.state == before);
  runner.forward({.update_state = true});
  for (std::size_t j = 0; j < kChannels; ++j) {
    const Moments moments = moments_of(runner.x.data() + j, kRows, kChannels);
    const double mean = 0.75 * static_cast<double>(before[0][j]) + 0.25 * moments.mean;
    const double variance = 0.75 * static_cast<double>(before[1][j]) + 0.25 * moments.variance;
    CHECK(std::abs(static_cast<double>(runner.state[0][j]) - mean) < 1e-6);
    CHECK(std::abs(static_cast<double>(runner.state[1][j]) - variance) < 1e-6);
  }
}

TEST_CASE("BatchNormalization uses its moving statistics in inference") {
  LayerRunner runner(batch_normalization({.epsilon = 0.25}), Shape{3}, 7);
  runner.forward({.mode = Mode::inference, .keeps_saved = false});
  for (std::size_t at = 0; at < runner.x.size(); ++at) {
    const std::size_t j = at % 3;
    const Moments moving = {static_cast<double>(runner.state[0][j]), static_cast<double>(runner.state[1][j])};
    const double expected =
        normalized(moving, 0.25, runner.x[at]) * static_cast<double>(runner.parameters[0][j]) +
        static_cast<double>(runner.parameters[1][j]);
    CHECK(std::abs(static_cast<double>(runner.y[at]) - expected) <= tolerance(moving, expected));
  }
}

TEST_CASE("BatchNormalization leaves masked rows out of its statistics") {
  constexpr std::size_t kRows = 9, kChannels = 4;
  LayerRunner runner(batch_normalization({.momentum = 0}), Shape{kChannels}, kRows);
  const std::vector<float> mask = {1, 0, 1, 1, 0, 1, 1, 1, 0};
  for (std::size_t j = 0; j < kChannels; ++j) runner.x[kChannels + j] = 1e6F;
  runner.forward({.update_state = true, .mask = mask.data()});
  for (std::size_t j = 0; j < kChannels; ++j) {
    const Moments moments = moments_of(runner.x.data() + j, kRows, kChannels, mask.data());
    CHECK(std::abs(static_cast<double>(runner.state[0][j]) - moments.mean) < 1e-6);
    CHECK(std::abs(static_cast<double>(runner.state[1][j]) - moments.variance) < 1e-6);
  }
  const std::vector<float> none(kRows, 0.0F);
  const auto before = runner.state;
  runner.forward({.update_state = true, .mask = none.data()});
  CHECK(runner.state == before);
  runner.backward({.mask = none.data()});
  CHECK(std::all_of(runner.d_x.begin(), runner.d_x.end(), [](float value) { return std::isfinite(value); }));
}

// 100 000 values of mean 100 and deviation 1: a float32 chain of squares would lose three digits.
TEST_CASE("BatchNormalization's statistics keep their digits in a long sum") {
  constexpr std::size_t kRows = 100000;
  LayerRunner runner(batch_normalization({.momentum = 0}), Shape{1}, kRows);
  for (float& x : runner.x) x = 100 + x;
  runner.forward({.update_state = true});
  const Moments moments = moments_of(runner.x.data(), kRows, 1);
  CHECK(std::abs(static_cast<double>(runner.state[0][0]) - moments.mean) < 1e-5);
  CHECK(std::abs(static_cast<double>(runner.state[1][0]) / moments.variance - 1) < 1e-6);
}

TEST_CASE("LayerNormalization normalises each row over its last axes") {
  struct Case {
    LayerPtr layer;
    Shape input;
    std::size_t features;
  };
  const Case cases[] = {{layer_normalization(), Shape{1}, 1},
                        {layer_normalization(), Shape{17}, 17},
                        {layer_normalization(), Shape{3, 65}, 65},
                        {layer_normalization({.axis = {1, 2}}), Shape{3, 7}, 21},
                        {layer_normalization({.axis = {-2, -1}}), Shape{2, 3, 7}, 21}};
  for (const Case& test : cases) {
    for (const double shift : {0.0, 1000.0}) {
      LayerRunner runner(test.layer, test.input, 4);
      const std::size_t n = test.features;
      REQUIRE(runner.parameters[0].size() == n);
      for (float& x : runner.x) x += static_cast<float>(shift);
      runner.forward({});
      for (std::size_t at = 0; at < runner.x.size(); ++at) {
        const Moments moments = moments_of(runner.x.data() + at / n * n, n, 1);
        const double expected =
            normalized(moments, 1e-3, runner.x[at]) * static_cast<double>(runner.parameters[0][at % n]) +
            static_cast<double>(runner.parameters[1][at % n]);
        CHECK(std::abs(static_cast<double>(runner.y[at]) - expected) <= tolerance(moments, expected));
      }
    }
  }
}

TEST_CASE("Normalisations declare Keras's parameters and state") {
  const TensorSpec inputs[] = {{Shape{2, 3}}};
  const LayerSpec batch = batch_normalization()->build(inputs, "b");
  REQUIRE(batch.parameters.size() == 2);
  CHECK(batch.parameters[0].name == "gamma");
  CHECK(batch.parameters[0].shape == Shape{3});
  CHECK(batch.parameters[0].initializer->type() == "Ones");
  CHECK(batch.parameters[1].name == "beta");
  CHECK(batch.parameters[1].initializer->type() == "Zeros");
  REQUIRE(batch.state.size() == 2);
  CHECK(batch.state[0].name == "moving_mean");
  CHECK(batch.state[0].initializer->type() == "Zeros");
  CHECK(batch.state[1].name == "moving_variance");
  CHECK(batch.state[1].initializer->type() == "Ones");
  CHECK(batch_normalization()->inference_when_frozen());

  const LayerSpec layer = layer_normalization({.axis = {1, 2}})->build(inputs, "l");
  REQUIRE(layer.parameters.size() == 2);
  CHECK(layer.parameters[0].name == "gamma");
  CHECK(layer.parameters[0].shape == Shape{2, 3});
  CHECK(layer.parameters[1].name == "beta");
}

}  // namespace lamina::test
