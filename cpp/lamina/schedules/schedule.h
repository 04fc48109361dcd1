// Learning rates as a function of the step, with Keras 3's names, defaults and formulas.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <utility>

#include "lamina/core/config.h"

namespace lamina {

class Schedule : public Describable {
 public:
  static const Registry<Schedule>& registry();

  // The rate at `step` (0 for the first update). Computed in float64.
  virtual double rate(std::int64_t step) const = 0;
};

using SchedulePtr = std::shared_ptr<const Schedule>;

// A learning rate: a number, or a schedule.
struct LearningRate {
  double value = 0.001;
  SchedulePtr schedule;  // wins over value when set

  LearningRate() = default;
  LearningRate(double constant) : value(constant) {}
  LearningRate(SchedulePtr function) : schedule(std::move(function)) {}
  template <std::derived_from<Schedule> S>
  LearningRate(std::shared_ptr<S> function) : schedule(std::move(function)) {}
  double at(std::int64_t step) const { return schedule ? schedule->rate(step) : value; }
};

template <>
struct FieldType<LearningRate> {
  static std::string kind() { return "float or schedule"; }
  static Value to(const LearningRate& rate) {
    return rate.schedule ? Value(rate.schedule->config()) : Value(decimal(rate.value));
  }
  static LearningRate from(const Value& value) {
    if (value.object() != nullptr) return SchedulePtr(Schedule::registry().make(*value.object()));
    return FieldType<double>::from(value);
  }
};

// A non-negative finite number, or a schedule.
Check learning_rate_check();

}  // namespace lamina
