#include "lamina/schedules/cosine.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace lamina {

namespace {

// From 1 at fraction 0 to 0 at fraction 1.
double half_cosine(double fraction) {
  return 0.5 * (1.0 + std::cos(std::numbers::pi * fraction));
}

}  // namespace

// ---- CosineDecay

void CosineDecay::fields(Fields<CosineDecayOptions>& field) {
  using O = CosineDecayOptions;
  field("initial_learning_rate", &O::initial_learning_rate, "Rate of the first step.", non_negative())
      .required();
  field("decay_steps", &O::decay_steps, "Steps of the decay, after the warm-up.", positive()).required();
  field("alpha", &O::alpha, "The last rate as a fraction of the one that the decay starts from.",
        non_negative());
  field("warmup_target", &O::warmup_target, "Rate at the end of the warm-up; None is no warm-up.",
        non_negative());
  field("warmup_steps", &O::warmup_steps, "Steps of the warm-up.", non_negative());
}

double CosineDecay::rate(std::int64_t step) const {
  const double initial = options_.initial_learning_rate;
  const double target = options_.warmup_target.value_or(initial);
  const double warmup = options_.warmup_target ? options_.warmup_steps : 0.0;
  const double at = static_cast<double>(step);
  if (at < warmup) return initial + (target - initial) * at / warmup;
  const double fraction = std::min(1.0, (at - warmup) / options_.decay_steps);
  return target * ((1.0 - options_.alpha) * half_cosine(fraction) + options_.alpha);
}

// ---- CosineDecayRestarts

void CosineDecayRestarts::fields(Fields<CosineDecayRestartsOptions>& field) {
  using O = CosineDecayRestartsOptions;
  field("initial_learning_rate", &O::initial_learning_rate, "Rate of the first step.", non_negative())
      .required();
  field("first_decay_steps", &O::first_decay_steps, "Steps of the first decay.", positive()).required();
  field("t_mul", &O::t_mul, "How much longer each decay is than the one before.",
        in_range(1, std::numeric_limits<double>::infinity()));
  field("m_mul", &O::m_mul, "How much higher each decay starts than the one before.", non_negative());
  field("alpha", &O::alpha, "The lowest rate as a fraction of the initial one.", non_negative());
}

double CosineDecayRestarts::rate(std::int64_t step) const {
  const double t = options_.t_mul;
  double fraction = static_cast<double>(step) / options_.first_decay_steps;  // in lengths of the first decay
  double restarts = std::floor(fraction);
  if (t == 1.0) {
    fraction -= restarts;
  } else {
    // Decay i begins at 1 + t + ... + t^(i-1) = (t^i - 1) / (t - 1). The logarithm finds it up to rounding,
    // which would otherwise take the step of a restart for the end of the decay before.
    const auto begin = [t](double i) { return (std::pow(t, i) - 1.0) / (t - 1.0); };
    restarts = std::floor(std::log1p(fraction * (t - 1.0)) / std::log(t));
    if (begin(restarts) > fraction) restarts -= 1.0;
    if (begin(restarts + 1.0) <= fraction) restarts += 1.0;
    fraction = (fraction - begin(restarts)) / std::pow(t, restarts);
  }
  const double decayed = std::pow(options_.m_mul, restarts) * half_cosine(fraction);
  return options_.initial_learning_rate * ((1.0 - options_.alpha) * decayed + options_.alpha);
}

SchedulePtr cosine_decay(CosineDecayOptions options) {
  return std::make_shared<CosineDecay>(options);
}
SchedulePtr cosine_decay_restarts(CosineDecayRestartsOptions options) {
  return std::make_shared<CosineDecayRestarts>(options);
}

}  // namespace lamina
