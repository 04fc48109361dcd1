#include "lamina/schedules/schedule.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "lamina/schedules/cosine.h"
#include "lamina/schedules/decay.h"
#include "lamina/schedules/one_cycle.h"

namespace lamina {
namespace {

const double kPi = std::acos(-1.0);

// Both sides are float64 and differ at most in the order of a few operations.
void check_rates(const SchedulePtr& schedule, const std::function<double(double)>& expected) {
  for (std::int64_t step = 0; step < 300; ++step) {
    CAPTURE(step);
    CHECK(schedule->rate(step) == doctest::Approx(expected(static_cast<double>(step))).epsilon(1e-12));
  }
}

TEST_CASE("ExponentialDecay") {
  check_rates(exponential_decay({.initial_learning_rate = 0.1, .decay_steps = 40, .decay_rate = 0.5}),
              [](double s) { return 0.1 * std::exp2(-s / 40); });
  check_rates(exponential_decay(
                  {.initial_learning_rate = 0.1, .decay_steps = 40, .decay_rate = 0.5, .staircase = true}),
              [](double s) { return 0.1 * std::exp2(-std::floor(s / 40)); });
}

TEST_CASE("InverseTimeDecay") {
  check_rates(inverse_time_decay({.initial_learning_rate = 0.1, .decay_steps = 40, .decay_rate = 0.5}),
              [](double s) { return 0.1 / (1 + 0.5 * s / 40); });
  check_rates(inverse_time_decay(
                  {.initial_learning_rate = 0.1, .decay_steps = 40, .decay_rate = 0.5, .staircase = true}),
              [](double s) { return 0.1 / (1 + 0.5 * std::floor(s / 40)); });
}

TEST_CASE("PolynomialDecay") {
  const auto decay = polynomial_decay(
      {.initial_learning_rate = 0.1, .decay_steps = 100, .end_learning_rate = 0.01, .power = 2.0});
  check_rates(decay, [](double s) { return s < 100 ? 0.09 * (1 - s / 100) * (1 - s / 100) + 0.01 : 0.01; });
  const auto cycle = polynomial_decay({.initial_learning_rate = 0.1,
                                       .decay_steps = 100,
                                       .end_learning_rate = 0.01,
                                       .power = 0.5,
                                       .cycle = true});
  check_rates(cycle, [](double s) {
    const double length = s <= 100 ? 100 : s <= 200 ? 200 : 300;
    return 0.09 * std::sqrt(1 - s / length) + 0.01;
  });
}

TEST_CASE("PiecewiseConstantDecay holds a value up to and including its boundary") {
  const auto schedule = piecewise_constant_decay({.boundaries = {100, 110}, .values = {1.0, 0.5, 0.1}});
  CHECK(schedule->rate(0) == 1.0);
  CHECK(schedule->rate(100) == 1.0);
  CHECK(schedule->rate(101) == 0.5);
  CHECK(schedule->rate(110) == 0.5);
  CHECK(schedule->rate(111) == 0.1);
  CHECK(schedule->rate(1000000) == 0.1);
  CHECK(piecewise_constant_decay({.values = {0.3}})->rate(5) == 0.3);
}

TEST_CASE("CosineDecay") {
  check_rates(cosine_decay({.initial_learning_rate = 0.1, .decay_steps = 200, .alpha = 0.1}), [](double s) {
    return 0.1 * (0.9 * 0.5 * (1 + std::cos(kPi * std::min(s, 200.0) / 200)) + 0.1);
  });
  check_rates(cosine_decay({.initial_learning_rate = 0.01,
                            .decay_steps = 100,
                            .alpha = 0.1,
                            .warmup_target = 0.1,
                            .warmup_steps = 50}),
              [](double s) {
                if (s < 50) return 0.01 + 0.09 * s / 50;
                return 0.1 * (0.9 * 0.5 * (1 + std::cos(kPi * std::min(s - 50, 100.0) / 100)) + 0.1);
              });
  // Without a target, warmup_steps alone changes nothing.
  CHECK(cosine_decay({.initial_learning_rate = 0.1, .decay_steps = 10, .warmup_steps = 5})->rate(0) == 0.1);
}

TEST_CASE("CosineDecayRestarts") {
  const CosineDecayRestartsOptions options{
      .initial_learning_rate = 0.1, .first_decay_steps = 20, .t_mul = 2.0, .m_mul = 0.5, .alpha = 0.1};
  check_rates(cosine_decay_restarts(options), [](double s) {
    double begin = 0, length = 20, height = 1;
    while (s >= begin + length) {
      begin += length;
      length *= 2;
      height *= 0.5;
    }
    return 0.1 * (0.9 * height * 0.5 * (1 + std::cos(kPi * (s - begin) / length)) + 0.1);
  });
  check_rates(cosine_decay_restarts({.initial_learning_rate = 0.1, .first_decay_steps = 20, .t_mul = 1.0}),
              [](double s) { return 0.1 * 0.5 * (1 + std::cos(kPi * std::fmod(s, 20) / 20)); });
}

TEST_CASE("CosineDecayRestarts is back at the top exactly at each restart") {
  for (const double t_mul : {2.0, 3.0, 5.0, 7.0, 10.0}) {
    const auto schedule =
        cosine_decay_restarts({.initial_learning_rate = 0.1, .first_decay_steps = 3, .t_mul = t_mul});
    double begin = 0, length = 3;
    for (int restart = 0; restart < 9; ++restart) {
      CAPTURE(t_mul);
      CAPTURE(restart);
      CHECK(schedule->rate(static_cast<std::int64_t>(begin)) == doctest::Approx(0.1));
      begin += length;
      length *= t_mul;
    }
  }
}

TEST_CASE("OneCycle rises and falls as in PyTorch") {
  const double first = 0.5 / 25, last = first / 1e4;
  const auto reference = [=](double s, bool cosine) {
    const double summit = 0.3 * 200 - 1, end = 199;
    s = std::min(s, end);
    const bool up = s <= summit;
    const double fraction = up ? s / summit : (s - summit) / (end - summit);
    const double from = up ? first : 0.5, to = up ? 0.5 : last;
    return cosine ? to + (from - to) / 2 * (1 + std::cos(kPi * fraction)) : from + (to - from) * fraction;
  };
  check_rates(one_cycle({.maximal_learning_rate = 0.5, .total_steps = 200}),
              [&](double s) { return reference(s, true); });
  check_rates(one_cycle({.maximal_learning_rate = 0.5, .total_steps = 200, .anneal = "linear"}),
              [&](double s) { return reference(s, false); });
}

TEST_CASE("OneCycle is finite for every fraction and length") {
  for (const double fraction : {0.0, 0.1, 0.5, 1.0}) {
    for (const std::int64_t total : {1, 2, 10}) {
      const auto schedule =
          one_cycle({.maximal_learning_rate = 0.5, .total_steps = total, .pct_start = fraction});
      for (std::int64_t step = 0; step < 15; ++step) {
        CAPTURE(fraction);
        CAPTURE(total);
        CAPTURE(step);
        CHECK(schedule->rate(step) > 0.0);
        CHECK(schedule->rate(step) <= 0.5);
      }
    }
  }
}

TEST_CASE("schedules refuse what has no meaning") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(exponential_decay({.initial_learning_rate = 0.1, .decay_rate = 0.5}), ArgumentError);
  CHECK_THROWS_AS(exponential_decay({.initial_learning_rate = nan, .decay_steps = 1}), ArgumentError);
  CHECK_THROWS_AS(polynomial_decay({.initial_learning_rate = -0.1, .decay_steps = 1}), ArgumentError);
  CHECK_THROWS_AS(cosine_decay({.initial_learning_rate = 0.1, .decay_steps = -1}), ArgumentError);
  CHECK_THROWS_AS(cosine_decay_restarts({.initial_learning_rate = 0.1, .first_decay_steps = 1, .t_mul = 0.5}),
                  ArgumentError);
  CHECK_THROWS_AS(one_cycle({.maximal_learning_rate = 0.1}), ArgumentError);
  CHECK_THROWS_AS(one_cycle({.maximal_learning_rate = 0.1, .total_steps = 1, .anneal = "exp"}),
                  ArgumentError);
  CHECK_THROWS_WITH_AS(piecewise_constant_decay({.boundaries = {2}, .values = {0.1}}),
                       "PiecewiseConstantDecay: expected values to be a list of 2 rates, one more than "
                       "boundaries, got (0.1,).",
                       ArgumentError);
  CHECK_THROWS_AS(piecewise_constant_decay({.boundaries = {2, 2}, .values = {0.1, 0.2, 0.3}}), ArgumentError);
}

TEST_CASE("schedules come back from their descriptions") {
  for (const SchedulePtr& schedule :
       {exponential_decay({.initial_learning_rate = 0.1, .decay_steps = 40, .decay_rate = 0.5}),
        piecewise_constant_decay({.boundaries = {3}, .values = {0.1, 0.2}}),
        cosine_decay({.initial_learning_rate = 0.1, .decay_steps = 9, .warmup_target = 0.2}),
        one_cycle({.maximal_learning_rate = 0.1, .total_steps = 12})}) {
    CHECK(Schedule::registry().make(schedule->config())->config() == schedule->config());
  }
  CHECK(Schedule::registry().entries().size() == 7);
}

TEST_CASE("a learning rate is a number or a schedule") {
  const LearningRate number = 0.25;
  CHECK(number.at(7) == 0.25);
  const LearningRate schedule = std::make_shared<ExponentialDecay>(
      ExponentialDecayOptions{.initial_learning_rate = 1.0, .decay_steps = 1, .decay_rate = 0.5});
  CHECK(schedule.at(3) == 0.125);
  CHECK(learning_rate_check()(FieldType<LearningRate>::to(schedule)) == "");
  CHECK(learning_rate_check()(0.0) == "");
  CHECK(learning_rate_check()(-0.1) == "a non-negative number or a schedule");
  CHECK(learning_rate_check()(std::numeric_limits<double>::quiet_NaN()) != "");
}

}  // namespace
}  // namespace lamina
