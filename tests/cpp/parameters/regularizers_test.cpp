#include "lamina/parameters/regularizers.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace lamina {
namespace {

TEST_CASE("penalties are l1 * sum|w| + l2 * sum w^2") {
  std::vector<float> w(37);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    w[i] = static_cast<float>(std::sin(static_cast<double>(i)));
    sum += std::abs(static_cast<double>(w[i]));
    squares += static_cast<double>(w[i]) * static_cast<double>(w[i]);
  }
  // Both sides sum in float64: they differ by the order of 37 additions.
  const auto close = [](double value) { return doctest::Approx(value).epsilon(1e-13); };
  CHECK(l1({.l1 = 0.3})->penalty(w.data(), w.size()) == close(0.3 * sum));
  CHECK(l2({.l2 = 0.2})->penalty(w.data(), w.size()) == close(0.2 * squares));
  CHECK(l1_l2({.l1 = 0.3, .l2 = 0.2})->penalty(w.data(), w.size()) == close(0.3 * sum + 0.2 * squares));
  CHECK(l1_l2()->penalty(w.data(), w.size()) == 0.0);
  CHECK(l2()->penalty(nullptr, 0) == 0.0);
}

TEST_CASE("each kind tells both factors") {
  CHECK(l1()->l1() == 0.01);
  CHECK(l1()->l2() == 0.0);
  CHECK(l2()->l1() == 0.0);
  CHECK(l2()->l2() == 0.01);
  CHECK(l1_l2({.l1 = 0.5, .l2 = 0.25})->l1() == 0.5);
  CHECK(l1_l2({.l1 = 0.5, .l2 = 0.25})->l2() == 0.25);
}

TEST_CASE("regularizers have Keras's names and defaults") {
  CHECK(Regularizer::registry().make("l1")->repr() == "L1(l1=0.01)");
  CHECK(Regularizer::registry().make("l2")->repr() == "L2(l2=0.01)");
  CHECK(Regularizer::registry().make("l1_l2")->repr() == "L1L2(l1=0.0, l2=0.0)");
  CHECK(Regularizer::registry().make("elastic_net")->type() == "L1L2");
  CHECK_THROWS_WITH_AS(Regularizer::registry().make("l3"), "Unknown regularizer 'l3'; did you mean 'l1'?",
                       ArgumentError);
}

TEST_CASE("factors are at least 0 and finite") {
  CHECK_THROWS_WITH_AS(l2({.l2 = -0.5}), "L2: expected l2 to be a non-negative number, got -0.5.",
                       ArgumentError);
  CHECK_THROWS_AS(l1({.l1 = std::numeric_limits<double>::infinity()}), ArgumentError);
  CHECK_THROWS_AS(l1_l2({.l2 = std::nan("")}), ArgumentError);
}

}  // namespace
}  // namespace lamina
