#include "lamina/metrics/regression.h"

#include <cmath>
#include <limits>
#include <utility>

#include "lamina/metrics/class_of.h"

namespace lamina {

namespace {

// Adds f(error) of all elements to sum, in order.
template <class F>
void add_errors(const MetricBatch& batch, double& sum, std::uint64_t& count, F f) {
  for (std::size_t row = 0; row < batch.rows; ++row) {
    for (std::size_t column = 0; column < batch.columns; ++column) {
      sum += f(static_cast<double>(batch.prediction[row * batch.columns + column]) -
               static_cast<double>(target_value(batch, row, column)));
    }
  }
  count += batch.rows * batch.columns;
}

double square(double x) {
  return x * x;
}
double size(double x) {
  return std::fabs(x);
}

}  // namespace

void MeanSquaredErrorMetric::fields(Fields<MeanSquaredErrorMetricOptions>& field) {
  field("name", &MeanSquaredErrorMetricOptions::name, kMetricNameDoc);
}

void MeanSquaredErrorMetric::require_fit(std::size_t columns, TargetKind targets) const {
  require_values(*this, columns, targets);
}

void MeanSquaredErrorMetric::update(const MetricBatch& batch) {
  add_errors(batch, sum_, count_, square);
}

void MeanAbsoluteErrorMetric::fields(Fields<MeanAbsoluteErrorMetricOptions>& field) {
  field("name", &MeanAbsoluteErrorMetricOptions::name, kMetricNameDoc);
}

void MeanAbsoluteErrorMetric::require_fit(std::size_t columns, TargetKind targets) const {
  require_values(*this, columns, targets);
}

void MeanAbsoluteErrorMetric::update(const MetricBatch& batch) {
  add_errors(batch, sum_, count_, size);
}

void RootMeanSquaredError::fields(Fields<RootMeanSquaredErrorOptions>& field) {
  field("name", &RootMeanSquaredErrorOptions::name, kMetricNameDoc);
}

void RootMeanSquaredError::require_fit(std::size_t columns, TargetKind targets) const {
  require_values(*this, columns, targets);
}

void RootMeanSquaredError::update(const MetricBatch& batch) {
  add_errors(batch, sum_, count_, square);
}

double RootMeanSquaredError::result() const {
  return std::sqrt(MeanMetric::result());
}

void R2Score::fields(Fields<R2ScoreOptions>& field) {
  field("class_aggregation", &R2ScoreOptions::class_aggregation,
        "How columns are averaged: 'uniform_average', or 'variance_weighted_average'.",
        one_of({"uniform_average", "variance_weighted_average"}));
  field("name", &R2ScoreOptions::name, kMetricNameDoc);
}

void R2Score::reset(std::size_t columns, TargetKind targets) {
  require_values(*this, columns, targets);
  count_ = 0;
  mean_.assign(columns, 0.0);
  spread_.assign(columns, 0.0);
  error_.assign(columns, 0.0);
}

void R2Score::update(const MetricBatch& batch) {
  for (std::size_t row = 0; row < batch.rows; ++row) {
    ++count_;
    const double weight = 1.0 / static_cast<double>(count_);
    for (std::size_t column = 0; column < batch.columns; ++column) {
      const double target = static_cast<double>(target_value(batch, row, column));
      const double prediction = static_cast<double>(batch.prediction[row * batch.columns + column]);
      const double delta = target - mean_[column];
      mean_[column] += delta * weight;
      spread_[column] += delta * (target - mean_[column]);
      error_[column] += square(prediction - target);
    }
  }
}

double R2Score::result() const {
  if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  const bool by_variance = options_.class_aggregation == "variance_weighted_average";
  double sum = 0, weights = 0;
  for (std::size_t column = 0; column < mean_.size(); ++column) {
    const double constant_score =
        error_[column] == 0 ? 1.0 : (std::isnan(error_[column]) ? error_[column] : 0.0);
    const double score = spread_[column] == 0 ? constant_score : 1.0 - error_[column] / spread_[column];
    const double weight = by_variance ? spread_[column] : 1.0;
    sum += weight * score;
    weights += weight;
  }
  return weights == 0 ? 0.0 : sum / weights;
}

namespace metrics {

MetricPtr mean_squared_error(MeanSquaredErrorMetricOptions options) {
  return std::make_shared<MeanSquaredErrorMetric>(std::move(options));
}

MetricPtr mean_absolute_error(MeanAbsoluteErrorMetricOptions options) {
  return std::make_shared<MeanAbsoluteErrorMetric>(std::move(options));
}

MetricPtr root_mean_squared_error(RootMeanSquaredErrorOptions options) {
  return std::make_shared<RootMeanSquaredError>(std::move(options));
}

MetricPtr r2_score(R2ScoreOptions options) {
  return std::make_shared<R2Score>(std::move(options));
}

}  // namespace metrics

}  // namespace lamina
