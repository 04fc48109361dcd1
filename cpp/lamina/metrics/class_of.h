// Reading a metric's batch: the class of a row, in the target and in the prediction.
#pragma once

#include <cstddef>

#include "lamina/metrics/metric.h"

namespace lamina {

// The index of the largest of n >= 1 values, the first of equals.
inline std::size_t first_largest(const float* values, std::size_t n) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < n; ++i) {
    if (values[i] > values[best]) best = i;
  }
  return best;
}

inline std::size_t predicted_class(const MetricBatch& batch, std::size_t row) {
  return first_largest(batch.prediction + row * batch.columns, batch.columns);
}

// The label, or the largest column of a one-hot target. A label outside [0, columns) gives `columns`: no
// class.
inline std::size_t true_class(const MetricBatch& batch, std::size_t row) {
  if (batch.labels == nullptr) return first_largest(batch.target + row * batch.columns, batch.columns);
  const std::int32_t label = batch.labels[row];
  const bool known = label >= 0 && static_cast<std::size_t>(label) < batch.columns;
  return known ? static_cast<std::size_t>(label) : batch.columns;
}

// The target of one element as a number. With labels and one column it is the label, with more 1 in the
// label's column and 0 elsewhere.
inline float target_value(const MetricBatch& batch, std::size_t row, std::size_t column) {
  if (batch.labels == nullptr) return batch.target[row * batch.columns + column];
  if (batch.columns == 1) return static_cast<float>(batch.labels[row]);
  return true_class(batch, row) == column ? 1.0F : 0.0F;
}

// ArgumentErrors of reset().
void require_values(const Metric& metric, std::size_t columns, TargetKind targets);
void require_classes(const Metric& metric, std::size_t columns);

}  // namespace lamina
