#include "lamina/parameters/constraints.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace lamina {
namespace {

std::vector<float> weights_of(const Shape& shape) {
  std::vector<float> w(shape.elements());
  for (std::size_t i = 0; i < w.size(); ++i) {
    w[i] = static_cast<float>(std::sin(1.3 * static_cast<double>(i + 1)) * (i % 3 == 0 ? 2.0 : 0.3));
  }
  return w;
}

// Norms in float64: elements whose indices agree on all axes that are not reduced share one. The result
// differs from the reference by the roundings of a factor and a product: 2 * 2^-24 of it, at most.
void check_norms(const Constraint& constraint, const Shape& shape, const std::vector<bool>& reduced,
                 const std::function<double(double)>& factor) {
  CAPTURE(constraint.repr());
  CAPTURE(shape.str());
  const std::vector<float> before = weights_of(shape);
  std::vector<float> after = before;
  constraint.apply(shape, after.data());
  std::vector<std::size_t> group(before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    std::size_t rest = i, stride = 1;
    for (std::size_t axis = shape.rank(); axis-- > 0;) {
      if (!reduced[axis]) {
        group[i] += rest % shape[axis] * stride;
        stride *= shape[axis];
      }
      rest /= shape[axis];
    }
  }
  std::vector<double> squares(before.size());
  for (std::size_t i = 0; i < before.size(); ++i) squares[group[i]] += std::pow(before[i], 2);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const double expected = static_cast<double>(before[i]) * factor(std::sqrt(squares[group[i]]));
    REQUIRE(std::abs(static_cast<double>(after[i]) - expected) <= 1.3e-7 * std::abs(expected));
  }
}

constexpr double kEpsilon = 1e-7;

TEST_CASE("norm constraints run along any axes") {
  struct Case {
    Shape shape;
    Axes axes;
    std::vector<bool> reduced;
  };
  const std::vector<Case> cases = {
      {{5, 7}, 0, {true, false}},
      {{5, 7}, 1, {false, true}},
      {{5, 7}, -1, {false, true}},
      {{131, 67}, 0, {true, false}},
      {{131, 67}, -2, {true, false}},
      {{9}, 0, {true}},
      {{1, 1}, 0, {true, false}},
      {{3, 2, 5, 67}, {0, 1, 2}, {true, true, true, false}},
      {{3, 2, 5, 4}, {1}, {false, true, false, false}},
      {{3, 2, 5, 4}, {0, 2}, {true, false, true, false}},
      {{3, 2, 5, 4}, {1, 3}, {false, true, false, true}},
      {{3, 2, 5, 4}, {0, 1, 2, 3}, {true, true, true, true}},
  };
  for (const Case& c : cases) {
    check_norms(*max_norm({.max_value = 1.5, .axis = c.axes}), c.shape, c.reduced,
                [](double norm) { return std::min(norm, 1.5) / (kEpsilon + norm); });
    check_norms(*unit_norm({.axis = c.axes}), c.shape, c.reduced,
                [](double norm) { return 1.0 / (kEpsilon + norm); });
    check_norms(*min_max_norm({.min_value = 1.0, .max_value = 1.5, .rate = 0.25, .axis = c.axes}), c.shape,
                c.reduced, [](double norm) {
                  return (0.25 * std::max(1.0, std::min(1.5, norm)) + 0.75 * norm) / (kEpsilon + norm);
                });
  }
}

TEST_CASE("the defaults are Keras's") {
  CHECK(Constraint::registry().make("max_norm")->repr() == "MaxNorm(max_value=2.0, axis=0)");
  CHECK(Constraint::registry().make("non_neg")->repr() == "NonNeg()");
  CHECK(Constraint::registry().make("unit_norm")->repr() == "UnitNorm(axis=0)");
  CHECK(Constraint::registry().make("min_max_norm")->repr() ==
        "MinMaxNorm(min_value=0.0, max_value=1.0, rate=1.0, axis=0)");
}

TEST_CASE("NonNeg sets negative weights to 0, and leaves the rest, NaN included") {
  std::vector<float> w = {-1.0F, 0.0F, 2.0F, std::numeric_limits<float>::quiet_NaN(), -1e-30F};
  non_neg()->apply({5}, w.data());
  CHECK(w[0] == 0.0F);
  CHECK(w[1] == 0.0F);
  CHECK(w[2] == 2.0F);
  CHECK(std::isnan(w[3]));
  CHECK(w[4] == 0.0F);
}

TEST_CASE("weights that are all 0 stay 0") {
  std::vector<float> w(6, 0.0F);
  unit_norm()->apply({3, 2}, w.data());
  max_norm()->apply({3, 2}, w.data());
  min_max_norm({.min_value = 0.5})->apply({3, 2}, w.data());
  CHECK(w == std::vector<float>(6, 0.0F));
}

TEST_CASE("empty parameters are left alone") {
  for (const auto& entry : Constraint::registry().entries()) {
    const auto constraint = Constraint::registry().make(entry.schema.type);
    CHECK_NOTHROW(constraint->apply({0, 3}, nullptr));
    CHECK_NOTHROW(constraint->apply({3, 0}, nullptr));
  }
}

TEST_CASE("an axis that the shape lacks is a ShapeError, before anything changes") {
  std::vector<float> w = {3.0F, 4.0F};
  const auto constraint = max_norm({.axis = 1});
  CHECK_THROWS_WITH_AS(constraint->apply({2}, w.data()),
                       "MaxNorm: expected a parameter that has axis 1, got one of shape (2,).", ShapeError);
  CHECK_THROWS_AS(constraint->check({2}), ShapeError);
  CHECK_NOTHROW(constraint->check({2, 2}));
  CHECK_THROWS_AS(unit_norm({.axis = -2})->check({2}), ShapeError);
  CHECK_THROWS_AS(unit_norm()->check({}), ShapeError);
  CHECK_NOTHROW(non_neg()->check({}));
  CHECK(w == std::vector<float>{3.0F, 4.0F});
}

TEST_CASE("constraints check their options") {
  CHECK_THROWS_AS(max_norm({.max_value = -1.0}), ArgumentError);
  CHECK_THROWS_AS(max_norm({.axis = {0, 0}}), ArgumentError);
  CHECK_THROWS_AS(unit_norm({.axis = Axes(std::vector<std::int64_t>{})}), ArgumentError);
  CHECK_THROWS_AS(unit_norm({.axis = 8}), ArgumentError);
  CHECK_THROWS_AS(min_max_norm({.rate = 1.5}), ArgumentError);
  CHECK_THROWS_WITH_AS(min_max_norm({.min_value = 2.0}),
                       "MinMaxNorm: expected min_value to be at most max_value=1.0, got 2.0.", ArgumentError);
}

TEST_CASE("axes are a number or a list, there and back") {
  for (const ConstraintPtr& constraint : {max_norm({.axis = {0, 1}}), unit_norm({.axis = -1})}) {
    CHECK(Constraint::registry().make(constraint->config())->config() == constraint->config());
  }
  CHECK(max_norm({.axis = {0, 1}})->repr() == "MaxNorm(max_value=2.0, axis=(0, 1))");
  CHECK_THROWS_AS(Constraint::registry().make(Config{"UnitNorm", {{"axis", "first"}}}), ArgumentError);
}

}  // namespace
}  // namespace lamina
