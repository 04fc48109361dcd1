// Dropout and GaussianNoise: what their random numbers are like.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "lamina/core/random.h"
#include "lamina/layers/dropout.h"
#include "lamina/layers/gaussian_noise.h"
#include "layers/layer_harness.h"

namespace lamina::test {

namespace {

constexpr std::size_t kRows = 500, kColumns = 101;
constexpr double kCount = kRows * kColumns;

}  // namespace

// The number kept is binomial: within five deviations but for one seed in a million.
TEST_CASE("Dropout keeps its share and scales what it keeps") {
  for (const double rate : {0.01, 0.2, 0.5, 0.9}) {
    LayerRunner runner(dropout(rate), Shape{kColumns}, kRows);
    runner.forward({});
    const auto scale = static_cast<float>(1 / (1 - rate));
    std::size_t kept = 0;
    for (std::size_t i = 0; i < runner.x.size(); ++i) {
      if (runner.y[i] == 0) continue;
      ++kept;
      CHECK(runner.y[i] == scale * runner.x[i]);
    }
    const double deviation = std::sqrt(kCount * rate * (1 - rate));
    CHECK(std::abs(static_cast<double>(kept) - kCount * (1 - rate)) < 5 * deviation);
  }
}

// The definition of the mask, element by element: the stream runs through the whole batch.
TEST_CASE("Dropout drops where Philox's word is below rate * 2^32") {
  constexpr std::uint64_t kKey = 0xFEDCBA9876543210ULL;
  LayerRunner runner(dropout(0.25), Shape{kColumns}, kRows);
  runner.forward({.random_key = kKey});
  for (std::uint64_t i = 0; i < runner.x.size(); ++i) {
    const std::uint64_t block = 16 * (i / 64) + i % 16;
    const auto words =
        philox4x32({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0},
                   {0x76543210U, 0xFEDCBA98U});
    CHECK((runner.y[i] == 0) == (words[i % 64 / 16] < (1U << 30)));
  }
}

TEST_CASE("Dropout's backward draws the mask of its forward") {
  LayerRunner runner(dropout(0.3), Shape{kColumns}, kRows);
  runner.forward({});
  runner.backward({});
  for (std::size_t i = 0; i < runner.x.size(); ++i) CHECK((runner.y[i] == 0) == (runner.d_x[i] == 0));
}

TEST_CASE("Random layers repeat themselves for a key and not for another") {
  for (const auto& make :
       {+[](std::optional<std::int64_t> seed) { return dropout({.rate = 0.5, .seed = seed}); },
        +[](std::optional<std::int64_t> seed) { return gaussian_noise({.stddev = 0.5, .seed = seed}); }}) {
    const auto output = [&](std::optional<std::int64_t> seed, std::uint64_t key) {
      LayerRunner runner(make(seed), Shape{kColumns}, 3);
      runner.forward({.random_key = key});
      return runner.y;
    };
    CHECK(output({}, 1) == output({}, 1));
    CHECK(output({}, 1) != output({}, 2));
    CHECK(output(7, 1) == output(7, 1));
    CHECK(output(7, 1) != output(8, 1));
    CHECK(output(7, 1) != output({}, 1));
    CHECK(output(7, 1) != output(7, 2));
  }
}

TEST_CASE("Dropout of rate 0 is the identity, of rate 1 zero") {
  LayerRunner none(dropout(0.0), Shape{kColumns}, 3);
  none.forward({});
  CHECK(none.y == none.x);
  for (const double rate : {1.0, 1 - 1e-12}) {  // the second rounds to all of 2^32 words
    LayerRunner all(dropout(rate), Shape{kColumns}, 3);
    all.forward({});
    all.backward({});
    CHECK(all.y == std::vector<float>(all.y.size(), 0.0F));
    CHECK(all.d_x == std::vector<float>(all.d_x.size(), 0.0F));
  }
}

TEST_CASE("Random layers do nothing in inference") {
  for (const LayerPtr& layer : {dropout(0.5), gaussian_noise(0.5)}) {
    LayerRunner runner(layer, Shape{kColumns}, 3);
    runner.forward({.mode = Mode::inference});
    runner.backward({.mode = Mode::inference});
    CHECK(runner.y == runner.x);
    CHECK(runner.d_x == runner.d_y);
  }
}

// Of n normals the mean has deviation s / sqrt(n), the variance s^2 sqrt(2 / n), and the share beyond two
// deviations is 4.55 %; neighbours are uncorrelated.
TEST_CASE("GaussianNoise adds normal noise") {
  constexpr double kDeviation = 0.25;
  LayerRunner runner(gaussian_noise(kDeviation), Shape{kColumns}, kRows);
  runner.x.assign(runner.x.size(), 0.0F);
  runner.forward({});
  double sum = 0, squares = 0, neighbours = 0, pairs = 0, beyond = 0;
  for (std::size_t i = 0; i < runner.y.size(); ++i) {
    const double value = static_cast<double>(runner.y[i]) / kDeviation;
    sum += value;
    squares += value * value;
    beyond += std::abs(value) > 2 ? 1 : 0;
    if (i + 1 < runner.y.size()) neighbours += value * static_cast<double>(runner.y[i + 1]) / kDeviation;
    if (i + 64 < runner.y.size()) pairs += value * static_cast<double>(runner.y[i + 64]) / kDeviation;
  }
  const double unit = 1 / std::sqrt(kCount);
  CHECK(std::abs(sum / kCount) < 5 * unit);
  CHECK(std::abs(squares / kCount - 1) < 5 * std::sqrt(2.0) * unit);
  CHECK(std::abs(neighbours / kCount) < 5 * unit);
  CHECK(std::abs(pairs / kCount) < 5 * unit);
  CHECK(std::abs(beyond / kCount - 0.0455) < 5 * std::sqrt(0.0455 * 0.9545) * unit);
}

}  // namespace lamina::test
