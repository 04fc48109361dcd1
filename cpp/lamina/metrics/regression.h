// Metrics of numbers against numbers, over all elements since reset(), summed in float64. NaN before the
// first.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/metrics/mean_metric.h"

namespace lamina {

struct MeanSquaredErrorMetricOptions {
  std::string name = "mean_squared_error";
};

class MeanSquaredErrorMetric final
    : public MeanMetric<MeanSquaredErrorMetric, MeanSquaredErrorMetricOptions> {
 public:
  static constexpr const char* kType = "MeanSquaredError";
  static constexpr const char* kDoc = "Mean of the squared errors.";
  static constexpr const char* kAliases[] = {"mean_squared_error", "mse", "MSE"};
  static void fields(Fields<MeanSquaredErrorMetricOptions>& field);
  using MeanMetric::MeanMetric;

  void update(const MetricBatch& batch) override;

 private:
  void require_fit(std::size_t columns, TargetKind targets) const override;
};

struct MeanAbsoluteErrorMetricOptions {
  std::string name = "mean_absolute_error";
};

class MeanAbsoluteErrorMetric final
    : public MeanMetric<MeanAbsoluteErrorMetric, MeanAbsoluteErrorMetricOptions> {
 public:
  static constexpr const char* kType = "MeanAbsoluteError";
  static constexpr const char* kDoc = "Mean of the absolute errors.";
  static constexpr const char* kAliases[] = {"mean_absolute_error", "mae", "MAE"};
  static void fields(Fields<MeanAbsoluteErrorMetricOptions>& field);
  using MeanMetric::MeanMetric;

  void update(const MetricBatch& batch) override;

 private:
  void require_fit(std::size_t columns, TargetKind targets) const override;
};

struct RootMeanSquaredErrorOptions {
  std::string name = "root_mean_squared_error";
};

class RootMeanSquaredError final : public MeanMetric<RootMeanSquaredError, RootMeanSquaredErrorOptions> {
 public:
  static constexpr const char* kType = "RootMeanSquaredError";
  static constexpr const char* kDoc = "Square root of the mean of the squared errors.";
  static constexpr const char* kAliases[] = {"root_mean_squared_error", "rmse", "RMSE"};
  static void fields(Fields<RootMeanSquaredErrorOptions>& field);
  using MeanMetric::MeanMetric;

  void update(const MetricBatch& batch) override;
  double result() const override;

 private:
  void require_fit(std::size_t columns, TargetKind targets) const override;
};

struct R2ScoreOptions {
  std::string class_aggregation = "uniform_average";
  std::string name = "r2_score";
};

// The coefficient of determination, 1 - sum((y_pred - y_true)^2) / sum((y_true - mean)^2) of each column,
// averaged over the columns. The spread is updated by Welford's recurrence (Technometrics 4, 1962), so a
// large mean costs no digits. A column whose targets are all equal scores 1 when every prediction is right
// and else 0.
class R2Score final : public Described<R2Score, Metric, R2ScoreOptions> {
 public:
  static constexpr const char* kType = "R2Score";
  static constexpr const char* kDoc =
      "Coefficient of determination: 1 for right predictions, 0 for those of the mean, averaged over the "
      "columns.";
  static constexpr const char* kAliases[] = {"r2_score", "r2"};
  static void fields(Fields<R2ScoreOptions>& field);
  using Described::Described;

  std::string name() const override { return options_.name; }
  void reset(std::size_t columns, TargetKind targets) override;
  void update(const MetricBatch& batch) override;
  double result() const override;

 private:
  std::uint64_t count_ = 0;
  // Of each column: the mean of the targets, their sum of squared distances from it, the sum of squared
  // errors.
  std::vector<double> mean_, spread_, error_;
};

namespace metrics {
MetricPtr mean_squared_error(MeanSquaredErrorMetricOptions options = {});
MetricPtr mean_absolute_error(MeanAbsoluteErrorMetricOptions options = {});
MetricPtr root_mean_squared_error(RootMeanSquaredErrorOptions options = {});
MetricPtr r2_score(R2ScoreOptions options = {});
}  // namespace metrics

}  // namespace lamina
