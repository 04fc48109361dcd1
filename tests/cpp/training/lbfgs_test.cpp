// L-BFGS and its line search. tests/python/test_cpp_programs.py compares the steps with SciPy's.
#include "lamina/training/lbfgs.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <stdexcept>

#include "lamina/core/error.h"
#include "lamina/training/line_search.h"
#include "sessions.h"

namespace lamina {
namespace {

using Line = std::pair<double, double> (*)(double);  // value and slope

// The first three functions of Moré and Thuente (1994), section 5.
std::pair<double, double> one(double a) {
  const double below = a * a + 2;
  return {-a / below, (a * a - 2) / (below * below)};
}
std::pair<double, double> two(double a) {
  const double b = a + 0.004;
  return {std::pow(b, 5) - 2 * std::pow(b, 4), 5 * std::pow(b, 4) - 8 * std::pow(b, 3)};
}
std::pair<double, double> three(double a) {
  constexpr double kBeta = 0.01;
  constexpr double kWaves = 39;
  const double pi = std::acos(-1.0);
  double smooth = std::abs(a - 1);
  double slope = a < 1 ? -1 : 1;
  if (smooth <= kBeta) {
    slope = (a - 1) / kBeta;
    smooth = (a - 1) * (a - 1) / (2 * kBeta) + kBeta / 2;
  }
  const double inside = kWaves * pi / 2 * a;
  return {smooth + 2 * (1 - kBeta) / (kWaves * pi) * std::sin(inside),
          slope + (1 - kBeta) * std::cos(inside)};
}

TEST_CASE("the line search finds steps that decrease enough, and fulfil the strong Wolfe conditions") {
  for (const Line line : {one, two, three}) {
    for (const double first : {1e-3, 1e-1, 1e1, 1e3}) {
      CAPTURE(first);
      const auto [value, slope] = line(0);
      LineSearch search(value, slope, first, 1e10);
      double last_step = 0;
      double last_value = 0;
      double last_slope = 0;
      int evaluations = 0;
      while (!search.done() && evaluations < 20) {
        last_step = search.step();
        std::tie(last_value, last_slope) = line(last_step);
        search.take(last_value, last_slope);
        ++evaluations;
      }
      REQUIRE(search.done());
      CHECK(search.step() == last_step);
      CHECK(last_value <= value + 1e-3 * last_step * slope);
      // the others are nearly flat at 0: there the search ends by the width of its interval
      if (line == one) CHECK(std::abs(last_slope) <= 0.9 * std::abs(slope));
      CHECK(evaluations <= 12);  // the paper's table for the tighter 0.1 has up to 12
    }
  }
}

TEST_CASE("the line search comes back from where the value isn't finite") {
  // -log(1 - a) - 3 a has its minimum at 2/3, and no value from 1 on
  const auto line = [](double a) { return std::pair(-std::log(1 - a) - 3 * a, 1 / (1 - a) - 3); };
  for (const double first : {1.5, 40.0, 1e6}) {
    LineSearch search(0, -2, first, 1e10);
    int evaluations = 0;
    double value = 0;
    for (; !search.done() && evaluations < 20; ++evaluations) {
      const auto [its_value, slope] = line(search.step());
      value = its_value;
      search.take(value, slope);
    }
    CHECK(search.done());
    CHECK(search.step() < 1);
    CHECK(value < 0);
  }
}

double bowl(std::span<const double> x, std::span<double> gradient) {
  double value = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double c = 1 + static_cast<double>(i);
    value += c * (x[i] - 2) * (x[i] - 2);
    gradient[i] = 2 * c * (x[i] - 2);
  }
  return value;
}

TEST_CASE("minimize_lbfgs ends where and as it says") {
  std::vector<double> x(20, -1.0);
  const LbfgsResult result = minimize_lbfgs(bowl, x, {.gradient_tolerance = 1e-8, .value_tolerance = 0});
  CHECK(result.end == LbfgsEnd::gradient_tolerance);
  CHECK(result.converged());
  for (const double value : x) CHECK(value == doctest::Approx(2).epsilon(1e-8));
  CHECK(result.evaluations > result.iterations);

  // at the minimum already; a value alone; nothing to move
  CHECK(minimize_lbfgs(bowl, x, {.gradient_tolerance = 1e-7}).iterations == 0);
  std::vector<double> none;
  CHECK(minimize_lbfgs(bowl, none).end == LbfgsEnd::gradient_tolerance);

  const auto from_start = [&x](LbfgsOptions options) {
    std::fill(x.begin(), x.end(), -1.0);
    return minimize_lbfgs(bowl, x, options);
  };
  LbfgsResult limited = from_start({.max_iterations = 3});
  CHECK(limited.end == LbfgsEnd::max_iterations);
  CHECK(limited.iterations == 3);
  CHECK_FALSE(limited.converged());
  limited = from_start({.max_evaluations = 2});
  CHECK(limited.end == LbfgsEnd::max_evaluations);
  CHECK(limited.evaluations == 3);
  limited = from_start({.value_tolerance = 0.5});
  CHECK(limited.end == LbfgsEnd::value_tolerance);
  std::vector<double> seen;
  limited = from_start({.on_iteration = [&seen](const LbfgsProgress& progress) {
    seen.push_back(progress.value);
    return progress.iterations < 2;
  }});
  CHECK(limited.end == LbfgsEnd::stopped);
  CHECK(seen.size() == 2);
  CHECK(seen.back() == limited.value);
  CHECK(limited.last_decrease == seen[0] - seen[1]);
  std::vector<double> unused(20);
  CHECK(bowl(x, unused) == limited.value);
}

TEST_CASE("minimize_lbfgs: a history of one pair goes, too, and longer ones take fewer steps") {
  std::vector<double> x(200, -1.0);
  const std::size_t with_one = minimize_lbfgs(bowl, x, {.history = 1}).iterations;
  std::fill(x.begin(), x.end(), -1.0);
  CHECK(minimize_lbfgs(bowl, x, {.history = 30}).iterations < with_one);
  CHECK(x[0] == doctest::Approx(2).epsilon(1e-3));
  std::fill(x.begin(), x.end(), -1.0);
  CHECK(minimize_lbfgs(bowl, x, {.history = SIZE_MAX}).converged());  // takes what it needs
}

TEST_CASE("minimize_lbfgs keeps the last place where all was well") {
  // no value from 1 on: sum -log(1 - x) - 3 x
  const auto walled = [](std::span<const double> x, std::span<double> gradient) {
    double value = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      value += -std::log(1 - x[i]) - 3 * x[i];
      gradient[i] = 1 / (1 - x[i]) - 3;
    }
    return value;
  };
  std::vector<double> x{-40.0, 0.0, 0.9};
  CHECK(minimize_lbfgs(walled, x).converged());
  for (const double value : x) CHECK(value == doctest::Approx(2.0 / 3).epsilon(1e-4));

  // a gradient that points the wrong way
  const auto wrong = [](std::span<const double> at, std::span<double> gradient) {
    for (std::size_t i = 0; i < at.size(); ++i) gradient[i] = -2 * at[i];
    double value = 0;
    for (const double v : at) value += v * v;
    return value;
  };
  x = {1.0, 2.0, 3.0};
  CHECK(minimize_lbfgs(wrong, x).end == LbfgsEnd::no_descent);
  CHECK(x == std::vector<double>{1.0, 2.0, 3.0});

  const auto nowhere = [](std::span<const double>, std::span<double>) { return std::nan(""); };
  CHECK(minimize_lbfgs(nowhere, x).end == LbfgsEnd::no_descent);
  CHECK(x == std::vector<double>{1.0, 2.0, 3.0});

  int calls = 0;
  std::vector<double> last;
  const auto breaking = [&](std::span<const double> at, std::span<double> gradient) {
    if (++calls == 6) throw std::runtime_error("out of order");
    return bowl(at, gradient);
  };
  std::vector<double> y(20, -1.0);
  CHECK_THROWS_AS(minimize_lbfgs(breaking, y,
                                 {.on_iteration =
                                      [&](const LbfgsProgress&) {
                                        last = y;
                                        return true;
                                      }}),
                  std::runtime_error);
  CHECK(y == last);
}

TEST_CASE("minimize_lbfgs refuses what makes no sense") {
  std::vector<double> x(3);
  for (const LbfgsOptions& options :
       {LbfgsOptions{.max_iterations = 0}, LbfgsOptions{.max_evaluations = 0}, LbfgsOptions{.history = 0},
        LbfgsOptions{.gradient_tolerance = -1}, LbfgsOptions{.value_tolerance = std::nan("")}}) {
    CHECK_THROWS_AS(minimize_lbfgs(bowl, x, options), ArgumentError);
  }
}

TEST_CASE("fit_lbfgs trains, and moves what training moves") {
  const test::Samples samples(200);
  const Dataset data = samples.with_labels();
  Model model = sequential({input({5}), dense(16, "tanh"), dense(3, "softmax")}, 3);
  const auto session = test::make_session(model, sgd(), sparse_categorical_crossentropy());
  CHECK_THROWS_AS(fit_lbfgs(*session, data), StateError);
  session->prepare(data, true);
  const double before = session->evaluate(data, 64, {}).loss;
  const LbfgsResult result = fit_lbfgs(*session, data, {.max_iterations = 300});
  CHECK(result.value < 0.5 * before);
  CHECK(session->evaluate(data, 64, {}).loss == doctest::Approx(result.value).epsilon(1e-5));
  CHECK(session->step() == 0);

  // the first layer stays where it is once it is frozen
  model.set_trainable(0, false);
  std::vector<float> kernel(model.flat_parameters().begin(), model.flat_parameters().begin() + 80);
  fit_lbfgs(*session, data, {.max_iterations = 5, .value_tolerance = 0});
  CHECK(std::equal(kernel.begin(), kernel.end(), model.flat_parameters().begin()));
}

TEST_CASE("fit_lbfgs leaves the weights of the last iteration when it is broken off") {
  const test::Samples samples(100);
  const Dataset data = samples.with_values();
  const auto session = test::make_session(test::plain_model(), sgd(), mean_squared_error());
  session->prepare(data, true);
  double value = 0;
  CHECK_THROWS_AS(fit_lbfgs(*session, data, {.on_iteration = [&](const LbfgsProgress& progress) -> bool {
                    value = progress.value;
                    if (progress.iterations == 4) throw std::runtime_error("enough");
                    return true;
                  }}),
                  std::runtime_error);
  CHECK(session->evaluate(data, 100, {}).loss == doctest::Approx(value).epsilon(1e-6));
}

TEST_CASE("fit_lbfgs refuses constraints, which it would break") {
  const test::Samples samples(50);
  const Dataset data = samples.with_labels();
  const auto session = test::make_session(test::busy_model(), sgd(), sparse_categorical_crossentropy());
  session->prepare(data, true);
  CHECK_THROWS_AS(fit_lbfgs(*session, data), ArgumentError);
}

}  // namespace
}  // namespace lamina
