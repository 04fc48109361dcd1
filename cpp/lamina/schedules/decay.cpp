#include "lamina/schedules/decay.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace lamina {

namespace {

constexpr const char* kInitialDoc = "Rate of the first step.";
constexpr const char* kStepsDoc = "Steps of the decay.";
constexpr const char* kStaircaseDoc = "Decay at once every `decay_steps` steps.";

// step / decay_steps, rounded down for a staircase.
double periods(std::int64_t step, double decay_steps, bool staircase) {
  const double p = static_cast<double>(step) / decay_steps;
  return staircase ? std::floor(p) : p;
}

}  // namespace

// ---- ExponentialDecay

void ExponentialDecay::fields(Fields<ExponentialDecayOptions>& field) {
  using O = ExponentialDecayOptions;
  field("initial_learning_rate", &O::initial_learning_rate, kInitialDoc, non_negative()).required();
  field("decay_steps", &O::decay_steps, kStepsDoc, positive()).required();
  field("decay_rate", &O::decay_rate, "Factor every `decay_steps` steps.", non_negative()).required();
  field("staircase", &O::staircase, kStaircaseDoc);
}

double ExponentialDecay::rate(std::int64_t step) const {
  return options_.initial_learning_rate *
         std::pow(options_.decay_rate, periods(step, options_.decay_steps, options_.staircase));
}

// ---- InverseTimeDecay

void InverseTimeDecay::fields(Fields<InverseTimeDecayOptions>& field) {
  using O = InverseTimeDecayOptions;
  field("initial_learning_rate", &O::initial_learning_rate, kInitialDoc, non_negative()).required();
  field("decay_steps", &O::decay_steps, kStepsDoc, positive()).required();
  field("decay_rate", &O::decay_rate, "What every `decay_steps` steps add to the divisor.", non_negative())
      .required();
  field("staircase", &O::staircase, kStaircaseDoc);
}

double InverseTimeDecay::rate(std::int64_t step) const {
  return options_.initial_learning_rate /
         (1.0 + options_.decay_rate * periods(step, options_.decay_steps, options_.staircase));
}

// ---- PolynomialDecay

void PolynomialDecay::fields(Fields<PolynomialDecayOptions>& field) {
  using O = PolynomialDecayOptions;
  field("initial_learning_rate", &O::initial_learning_rate, kInitialDoc, non_negative()).required();
  field("decay_steps", &O::decay_steps, kStepsDoc, positive()).required();
  field("end_learning_rate", &O::end_learning_rate, "Rate at the end of the decay.", non_negative());
  field("power", &O::power, "Power of the polynomial.", non_negative());
  field("cycle", &O::cycle, "Go on beyond `decay_steps`, with a longer decay.");
}

double PolynomialDecay::rate(std::int64_t step) const {
  double steps = options_.decay_steps;
  double at = static_cast<double>(step);
  if (options_.cycle) {
    steps *= std::max(1.0, std::ceil(at / steps));
  } else {
    at = std::min(at, steps);
  }
  return (options_.initial_learning_rate - options_.end_learning_rate) *
             std::pow(1.0 - at / steps, options_.power) +
         options_.end_learning_rate;
}

// ---- PiecewiseConstantDecay

void PiecewiseConstantDecay::fields(Fields<PiecewiseConstantDecayOptions>& field) {
  using O = PiecewiseConstantDecayOptions;
  field("boundaries", &O::boundaries, "The last step of each value but the last; strictly increasing.",
        finite())
      .required();
  field("values", &O::values, "The rates: one more than `boundaries`.", non_negative()).required();
}

PiecewiseConstantDecay::PiecewiseConstantDecay(PiecewiseConstantDecayOptions options)
    : Described(std::move(options)) {
  const auto& boundaries = options_.boundaries;
  const auto list = [](const std::vector<double>& items) {
    return FieldType<std::vector<double>>::to(items);
  };
  if (std::adjacent_find(boundaries.begin(), boundaries.end(), [](double a, double b) { return !(a < b); }) !=
      boundaries.end()) {
    throw_bad_field(kType, "boundaries", "strictly increasing", list(boundaries));
  }
  if (options_.values.size() != boundaries.size() + 1) {
    throw_bad_field(kType, "values",
                    "a list of " + std::to_string(boundaries.size() + 1) + " rates, one more than boundaries",
                    list(options_.values));
  }
}

double PiecewiseConstantDecay::rate(std::int64_t step) const {
  const auto& boundaries = options_.boundaries;
  const auto it = std::lower_bound(boundaries.begin(), boundaries.end(), static_cast<double>(step));
  return options_.values[static_cast<std::size_t>(it - boundaries.begin())];
}

SchedulePtr exponential_decay(ExponentialDecayOptions options) {
  return std::make_shared<ExponentialDecay>(options);
}
SchedulePtr inverse_time_decay(InverseTimeDecayOptions options) {
  return std::make_shared<InverseTimeDecay>(options);
}
SchedulePtr polynomial_decay(PolynomialDecayOptions options) {
  return std::make_shared<PolynomialDecay>(options);
}
SchedulePtr piecewise_constant_decay(PiecewiseConstantDecayOptions options) {
  return std::make_shared<PiecewiseConstantDecay>(std::move(options));
}

}  // namespace lamina
