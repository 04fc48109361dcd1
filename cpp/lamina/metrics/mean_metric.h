// The base of metrics that are a sum over a count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "lamina/metrics/metric.h"

namespace lamina {

// What every metric's `name` field says.
inline constexpr const char* kMetricNameDoc = "The key in the history.";

// A metric of type `Self` whose options have a member `name`. Self adds to sum_ and count_ in update().
template <class Self, class Options>
class MeanMetric : public Described<Self, Metric, Options> {
 public:
  using Described<Self, Metric, Options>::Described;
  std::string name() const override { return this->options_.name; }
  void reset(std::size_t columns, TargetKind targets) override {
    require_fit(columns, targets);
    sum_ = 0;
    count_ = 0;
  }
  double result() const override {
    if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
    return sum_ / static_cast<double>(count_);
  }

 protected:
  // Throws ArgumentError where the metric doesn't fit.
  virtual void require_fit(std::size_t columns, TargetKind targets) const = 0;

  double sum_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace lamina
