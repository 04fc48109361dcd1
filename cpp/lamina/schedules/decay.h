// Learning rates that fall: exponentially, with 1/t, as a polynomial, in steps.
#pragma once

#include <vector>

#include "lamina/schedules/schedule.h"

namespace lamina {

struct ExponentialDecayOptions {
  double initial_learning_rate = 0.0;  // at least 0
  double decay_steps = 0.0;            // above 0
  double decay_rate = 0.0;             // at least 0
  bool staircase = false;
};

class ExponentialDecay final : public Described<ExponentialDecay, Schedule, ExponentialDecayOptions> {
 public:
  static constexpr const char* kType = "ExponentialDecay";
  static constexpr const char* kDoc =
      "`initial_learning_rate * decay_rate ** (step / decay_steps)`; the quotient is rounded down with "
      "`staircase`.";
  static void fields(Fields<ExponentialDecayOptions>& field);
  using Described::Described;
  double rate(std::int64_t step) const override;
};

struct InverseTimeDecayOptions {
  double initial_learning_rate = 0.0;  // at least 0
  double decay_steps = 0.0;            // above 0
  double decay_rate = 0.0;             // at least 0
  bool staircase = false;
};

class InverseTimeDecay final : public Described<InverseTimeDecay, Schedule, InverseTimeDecayOptions> {
 public:
  static constexpr const char* kType = "InverseTimeDecay";
  static constexpr const char* kDoc =
      "`initial_learning_rate / (1 + decay_rate * step / decay_steps)`; the quotient is rounded down with "
      "`staircase`.";
  static void fields(Fields<InverseTimeDecayOptions>& field);
  using Described::Described;
  double rate(std::int64_t step) const override;
};

struct PolynomialDecayOptions {
  double initial_learning_rate = 0.0;  // at least 0
  double decay_steps = 0.0;            // above 0
  double end_learning_rate = 0.0001;   // at least 0
  double power = 1.0;                  // at least 0
  bool cycle = false;
};

class PolynomialDecay final : public Described<PolynomialDecay, Schedule, PolynomialDecayOptions> {
 public:
  static constexpr const char* kType = "PolynomialDecay";
  static constexpr const char* kDoc =
      "`(initial_learning_rate - end_learning_rate) * (1 - step / decay_steps) ** power + "
      "end_learning_rate`, and `end_learning_rate` after `decay_steps`; with `cycle` the decay is "
      "stretched to the next multiple of `decay_steps` instead.";
  static void fields(Fields<PolynomialDecayOptions>& field);
  using Described::Described;
  double rate(std::int64_t step) const override;
};

struct PiecewiseConstantDecayOptions {
  std::vector<double> boundaries = {};  // strictly increasing
  std::vector<double> values = {};      // one more than boundaries, each at least 0
};

class PiecewiseConstantDecay final
    : public Described<PiecewiseConstantDecay, Schedule, PiecewiseConstantDecayOptions> {
 public:
  static constexpr const char* kType = "PiecewiseConstantDecay";
  static constexpr const char* kDoc =
      "`values[0]` up to and including step `boundaries[0]`, then `values[1]` up to `boundaries[1]`, and "
      "so on; the last value after the last boundary.";
  static void fields(Fields<PiecewiseConstantDecayOptions>& field);
  explicit PiecewiseConstantDecay(PiecewiseConstantDecayOptions options = {});
  double rate(std::int64_t step) const override;
};

SchedulePtr exponential_decay(ExponentialDecayOptions options);
SchedulePtr inverse_time_decay(InverseTimeDecayOptions options);
SchedulePtr polynomial_decay(PolynomialDecayOptions options);
SchedulePtr piecewise_constant_decay(PiecewiseConstantDecayOptions options);

}  // namespace lamina
