#include "lamina/metrics/accuracy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "lamina/metrics/class_of.h"

namespace lamina {

namespace {

double count_right(const MetricBatch& batch) {
  double right = 0;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    right += predicted_class(batch, row) == true_class(batch, row) ? 1.0 : 0.0;
  }
  return right;
}

// Keras's in_top_k: the rank of the class is 1 + the number of larger predictions, and NaN ranks last.
bool in_top_k(const float* prediction, std::size_t columns, std::size_t target, std::int64_t k) {
  if (target >= columns) return false;
  const float at_target =
      std::isnan(prediction[target]) ? -std::numeric_limits<float>::infinity() : prediction[target];
  const auto larger =
      std::count_if(prediction, prediction + columns, [=](float value) { return value > at_target; });
  return larger < k;
}

}  // namespace

void BinaryAccuracy::fields(Fields<BinaryAccuracyOptions>& field) {
  field("name", &BinaryAccuracyOptions::name, kMetricNameDoc);
  field("threshold", &BinaryAccuracyOptions::threshold, "Predictions above it count as 1.", finite());
}

void BinaryAccuracy::require_fit(std::size_t columns, TargetKind targets) const {
  require_values(*this, columns, targets);
}

void BinaryAccuracy::update(const MetricBatch& batch) {
  const float threshold = static_cast<float>(options_.threshold);
  for (std::size_t row = 0; row < batch.rows; ++row) {
    for (std::size_t column = 0; column < batch.columns; ++column) {
      const float answer = batch.prediction[row * batch.columns + column] > threshold ? 1.0F : 0.0F;
      sum_ += target_value(batch, row, column) == answer ? 1.0 : 0.0;
    }
  }
  count_ += batch.rows * batch.columns;
}

void CategoricalAccuracy::fields(Fields<CategoricalAccuracyOptions>& field) {
  field("name", &CategoricalAccuracyOptions::name, kMetricNameDoc);
}

void CategoricalAccuracy::require_fit(std::size_t columns, TargetKind) const {
  require_classes(*this, columns);
}

void CategoricalAccuracy::update(const MetricBatch& batch) {
  sum_ += count_right(batch);
  count_ += batch.rows;
}

void SparseCategoricalAccuracy::fields(Fields<SparseCategoricalAccuracyOptions>& field) {
  field("name", &SparseCategoricalAccuracyOptions::name, kMetricNameDoc);
}

void SparseCategoricalAccuracy::require_fit(std::size_t columns, TargetKind) const {
  require_classes(*this, columns);
}

void SparseCategoricalAccuracy::update(const MetricBatch& batch) {
  sum_ += count_right(batch);
  count_ += batch.rows;
}

void TopKCategoricalAccuracy::fields(Fields<TopKCategoricalAccuracyOptions>& field) {
  field("k", &TopKCategoricalAccuracyOptions::k, "How many of the largest predictions count.", at_least(1));
  field("name", &TopKCategoricalAccuracyOptions::name, kMetricNameDoc);
}

void TopKCategoricalAccuracy::require_fit(std::size_t columns, TargetKind) const {
  require_classes(*this, columns);
}

void TopKCategoricalAccuracy::update(const MetricBatch& batch) {
  for (std::size_t row = 0; row < batch.rows; ++row) {
    const float* prediction = batch.prediction + row * batch.columns;
    sum_ += in_top_k(prediction, batch.columns, true_class(batch, row), options_.k) ? 1.0 : 0.0;
  }
  count_ += batch.rows;
}

namespace metrics {

MetricPtr binary_accuracy(BinaryAccuracyOptions options) {
  return std::make_shared<BinaryAccuracy>(std::move(options));
}

MetricPtr categorical_accuracy(CategoricalAccuracyOptions options) {
  return std::make_shared<CategoricalAccuracy>(std::move(options));
}

MetricPtr sparse_categorical_accuracy(SparseCategoricalAccuracyOptions options) {
  return std::make_shared<SparseCategoricalAccuracy>(std::move(options));
}

MetricPtr top_k_categorical_accuracy(TopKCategoricalAccuracyOptions options) {
  return std::make_shared<TopKCategoricalAccuracy>(std::move(options));
}

}  // namespace metrics

}  // namespace lamina
