#include "lamina/parameters/initializers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "lamina/parameters/initializer_types.h"

namespace lamina {
namespace {

std::vector<float> fill(const Initializer& initializer, const Shape& shape, std::uint64_t seed = 1) {
  RandomStream random(seed, RandomUse::weights, 0);
  std::vector<float> values(shape.elements(), -77.0F);
  initializer.fill(shape, random, values);
  return values;
}

struct Moments {
  double mean = 0, deviation = 0, lowest = 0, highest = 0;
};

Moments moments_of(const std::vector<float>& values) {
  Moments m;
  const double n = static_cast<double>(values.size());
  for (const float x : values) m.mean += static_cast<double>(x) / n;
  for (const float x : values) m.deviation += std::pow(static_cast<double>(x) - m.mean, 2) / n;
  m.deviation = std::sqrt(m.deviation);
  m.lowest = static_cast<double>(*std::min_element(values.begin(), values.end()));
  m.highest = static_cast<double>(*std::max_element(values.begin(), values.end()));
  return m;
}

TEST_CASE("fans are counted as in Keras") {
  const auto check = [](const Shape& shape, double in, double out) {
    CHECK(fans_of(shape).in == in);
    CHECK(fans_of(shape).out == out);
  };
  check({}, 1, 1);
  check({7}, 7, 7);
  check({3, 5}, 3, 5);
  check({3, 3, 16, 32}, 144, 288);
}

// 200 x 300 draws: the deviation has a relative standard error below 0.3 %, the mean one of deviation / 245.
TEST_CASE("variance scaling has the variance and the bounds that its formula gives") {
  struct Case {
    InitializerPtr initializer;
    double scale, n;
    bool uniform;
  };
  for (const Case& c : {Case{glorot_uniform(), 1, 250, true}, Case{glorot_normal(), 1, 250, false},
                        Case{he_uniform(), 2, 200, true}, Case{he_normal(), 2, 200, false},
                        Case{lecun_uniform(), 1, 200, true}, Case{lecun_normal(), 1, 200, false}}) {
    CAPTURE(c.initializer->type());
    const double deviation = std::sqrt(c.scale / c.n);
    const Moments m = moments_of(fill(*c.initializer, {200, 300}));
    CHECK(std::abs(m.mean) < deviation / 50);
    CHECK(m.deviation == doctest::Approx(deviation).epsilon(0.015));
    // A uniform ends at sqrt(3) deviations, a normal where it is cut: at two of its deviations before the
    // cut.
    const double bound = c.uniform ? std::sqrt(3.0) * deviation : 2.0 * deviation / 0.87962566103423978;
    CHECK(m.highest <= bound * (1 + 1e-6));
    CHECK(m.lowest >= -bound * (1 + 1e-6));
    CHECK(m.highest > 0.99 * bound);
    CHECK(m.lowest < -0.99 * bound);
  }
}

TEST_CASE("the cut of a standard normal at two deviations leaves the deviation that Keras divides by") {
  const double density = std::exp(-2.0) / std::sqrt(2.0 * std::acos(-1.0));
  const double mass = std::erf(2.0 / std::sqrt(2.0));
  const double deviation = std::sqrt(1.0 - 2.0 * 2.0 * density / mass);
  CHECK(deviation == doctest::Approx(0.87962566103423978).epsilon(1e-14));
}

TEST_CASE("RandomNormal, RandomUniform and TruncatedNormal follow their options") {
  Moments m = moments_of(fill(*random_normal({.mean = 3.0, .stddev = 0.5}), {60000}));
  CHECK(std::abs(m.mean - 3.0) < 0.01);
  CHECK(m.deviation == doctest::Approx(0.5).epsilon(0.015));
  CHECK(m.highest > 4.5);  // beyond three deviations: nothing is cut

  m = moments_of(fill(*random_uniform({.minval = -1.0, .maxval = 3.0}), {60000}));
  CHECK(std::abs(m.mean - 1.0) < 0.02);
  CHECK(m.deviation == doctest::Approx(4.0 / std::sqrt(12.0)).epsilon(0.01));
  CHECK(m.lowest >= -1.0);
  CHECK(m.highest <= 3.0);

  m = moments_of(fill(*truncated_normal({.mean = 3.0, .stddev = 0.5}), {60000}));
  CHECK(std::abs(m.mean - 3.0) < 0.01);
  CHECK(m.deviation == doctest::Approx(0.5 * 0.87962566103423978).epsilon(0.015));
  CHECK(m.lowest >= 2.0);
  CHECK(m.highest <= 4.0);
}

TEST_CASE("the numbers depend on the stream, unless the initializer has a seed") {
  const Shape shape{5, 7};
  for (const InitializerPtr& initializer :
       {glorot_uniform(), he_normal(), random_normal(), random_uniform(), truncated_normal(), orthogonal()}) {
    CAPTURE(initializer->type());
    CHECK(fill(*initializer, shape, 1) == fill(*initializer, shape, 1));
    CHECK(fill(*initializer, shape, 1) != fill(*initializer, shape, 2));
  }
  for (const InitializerPtr& initializer :
       {glorot_uniform({.seed = 3}), he_normal({.seed = 3}), random_normal({.seed = 3}),
        random_uniform({.seed = 3}), truncated_normal({.seed = 3}), orthogonal({.seed = 3})}) {
    CAPTURE(initializer->type());
    CHECK(fill(*initializer, shape, 1) == fill(*initializer, shape, 2));
  }
  CHECK(fill(*glorot_uniform({.seed = 3}), shape) != fill(*glorot_uniform({.seed = 4}), shape));
}

TEST_CASE("a seed leaves the stream of the caller alone") {
  RandomStream used(1, RandomUse::weights, 0), fresh(1, RandomUse::weights, 0);
  std::vector<float> values(10);
  he_normal({.seed = 3})->fill({10}, used, values);
  CHECK(used.next_u64() == fresh.next_u64());
}

// The products of any two of the shorter side's vectors, against gain^2 times the identity. Each is a sum of
// at most 64 products of floats, each rounded once: an error below 2 * 2^-24 * |u| |v|.
void check_orthogonal(const Shape& shape, double gain) {
  CAPTURE(shape.str());
  const std::vector<float> values = fill(*orthogonal({.gain = gain}), shape);
  const std::size_t columns = shape.back(), rows = values.size() / columns;
  const auto at = [&](std::size_t vector, std::size_t k) {
    const std::size_t index = rows >= columns ? k * columns + vector : vector * columns + k;
    return static_cast<double>(values[index]);
  };
  for (std::size_t i = 0; i < std::min(rows, columns); ++i) {
    for (std::size_t j = 0; j < std::min(rows, columns); ++j) {
      double product = 0;
      for (std::size_t k = 0; k < std::max(rows, columns); ++k) product += at(i, k) * at(j, k);
      REQUIRE(std::abs(product - (i == j ? gain * gain : 0.0)) < 2.4e-7 * gain * gain);
    }
  }
}

TEST_CASE("Orthogonal gives orthonormal columns or rows, times the gain") {
  check_orthogonal({64, 64}, 1.0);
  check_orthogonal({61, 17}, 1.0);
  check_orthogonal({17, 61}, 2.5);
  check_orthogonal({1, 1}, 1.0);
  check_orthogonal({1, 9}, 1.0);
  check_orthogonal({3, 3, 5, 7}, 1.0);
}

// A QR decomposition whose signs are left to chance or convention would favour one side.
TEST_CASE("Orthogonal has no preferred direction") {
  double sum = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    sum += static_cast<double>(fill(*orthogonal(), {3, 3}, static_cast<std::uint64_t>(i))[0]);
  }
  CHECK(std::abs(sum / kDraws) < 4 * std::sqrt(1.0 / 3 / kDraws));  // an entry has variance 1 / 3
}

TEST_CASE("Zeros, Ones, Constant and Identity") {
  CHECK(fill(*zeros(), {2, 2}) == std::vector<float>(4, 0.0F));
  CHECK(fill(*ones(), {3}) == std::vector<float>(3, 1.0F));
  CHECK(fill(*constant({.value = 0.25}), {2}) == std::vector<float>(2, 0.25F));
  CHECK(fill(*identity(), {2, 3}) == std::vector<float>{1, 0, 0, 0, 1, 0});
  CHECK(fill(*identity({.gain = 2.0}), {3, 2}) == std::vector<float>{2, 0, 0, 2, 0, 0});
}

TEST_CASE("empty parameters and shapes that don't fit") {
  for (const auto& entry : Initializer::registry().entries()) {
    CAPTURE(entry.schema.type);
    CHECK(fill(*Initializer::registry().make(entry.schema.type), {0, 4}).empty());
  }
  CHECK_THROWS_WITH_AS(fill(*orthogonal(), {4}),
                       "Orthogonal: expected a parameter of at least two dimensions, got one of shape (4,).",
                       ShapeError);
  CHECK_THROWS_WITH_AS(fill(*identity(), {2, 2, 2}),
                       "Identity: expected a parameter of two dimensions, got one of shape (2, 2, 2).",
                       ShapeError);
}

TEST_CASE("initializers check their options") {
  CHECK_THROWS_AS(random_normal({.stddev = -1.0}), ArgumentError);
  CHECK_THROWS_AS(truncated_normal({.mean = std::nan("")}), ArgumentError);
  CHECK_THROWS_AS(constant({.value = HUGE_VAL}), ArgumentError);
  CHECK_THROWS_WITH_AS(random_uniform({.minval = 1.0, .maxval = 0.5}),
                       "RandomUniform: expected minval to be at most maxval=0.5, got 1.0.", ArgumentError);
}

TEST_CASE("initializers have Keras's names") {
  for (const auto& [alias, type] :
       std::vector<std::pair<std::string, std::string>>{{"glorot_uniform", "GlorotUniform"},
                                                        {"glorot_normal", "GlorotNormal"},
                                                        {"he_uniform", "HeUniform"},
                                                        {"he_normal", "HeNormal"},
                                                        {"lecun_uniform", "LecunUniform"},
                                                        {"lecun_normal", "LecunNormal"},
                                                        {"random_normal", "RandomNormal"},
                                                        {"normal", "RandomNormal"},
                                                        {"random_uniform", "RandomUniform"},
                                                        {"uniform", "RandomUniform"},
                                                        {"truncated_normal", "TruncatedNormal"},
                                                        {"orthogonal", "Orthogonal"},
                                                        {"zeros", "Zeros"},
                                                        {"zero", "Zeros"},
                                                        {"ones", "Ones"},
                                                        {"one", "Ones"},
                                                        {"constant", "Constant"},
                                                        {"identity", "Identity"}}) {
    CHECK(Initializer::registry().make(std::string_view(alias))->type() == type);
    CHECK(Initializer::registry().make(std::string_view(type))->type() == type);
  }
  CHECK(Initializer::registry().make("random_normal")->repr() ==
        "RandomNormal(mean=0.0, stddev=0.05, seed=None)");
  CHECK(Initializer::registry().make(orthogonal({.gain = 2.0, .seed = 5})->config())->repr() ==
        "Orthogonal(gain=2.0, seed=5)");
}

}  // namespace
}  // namespace lamina
