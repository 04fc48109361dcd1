// How often predictions are right. NaN before the first row.
#pragma once

#include <cstdint>
#include <string>

#include "lamina/metrics/mean_metric.h"

namespace lamina {

struct BinaryAccuracyOptions {
  std::string name = "binary_accuracy";
  double threshold = 0.5;
};

// The share of elements whose target equals (prediction > threshold).
class BinaryAccuracy final : public MeanMetric<BinaryAccuracy, BinaryAccuracyOptions> {
 public:
  static constexpr const char* kType = "BinaryAccuracy";
  static constexpr const char* kDoc = "Share of elements whose target (0 or 1) equals y_pred > threshold.";
  static constexpr const char* kAliases[] = {"binary_accuracy"};
  static void fields(Fields<BinaryAccuracyOptions>& field);
  using MeanMetric::MeanMetric;

  void update(const MetricBatch& batch) override;

 private:
  void require_fit(std::size_t columns, TargetKind targets) const override;
};

struct CategoricalAccuracyOptions {
  std::string name = "categorical_accuracy";
};

// The share of rows whose largest prediction (the first of equals) stands in the column of the target. Takes
// one-hot targets and integer labels.
class CategoricalAccuracy final : public MeanMetric<CategoricalAccuracy, CategoricalAccuracyOptions> {
 public:
  static constexpr const char* kType = "CategoricalAccuracy";
  static constexpr const char* kDoc =
      "Share of rows whose largest prediction is the class of the one-hot target.";
  static constexpr const char* kAliases[] = {"categorical_accuracy"};
  static void fields(Fields<CategoricalAccuracyOptions>& field);
  using MeanMetric::MeanMetric;

  void update(const MetricBatch& batch) override;

 private:
  void require_fit(std::size_t columns, TargetKind targets) const override;
};

struct SparseCategoricalAccuracyOptions {
  std::string name = "sparse_categorical_accuracy";
};

// CategoricalAccuracy under the name that goes with integer labels.
class SparseCategoricalAccuracy final
    : public MeanMetric<SparseCategoricalAccuracy, SparseCategoricalAccuracyOptions> {
 public:
  static constexpr const char* kType = "SparseCategoricalAccuracy";
  static constexpr const char* kDoc =
      "Share of rows whose largest prediction is the class of the integer label.";
  static constexpr const char* kAliases[] = {"sparse_categorical_accuracy"};
  static void fields(Fields<SparseCategoricalAccuracyOptions>& field);
  using MeanMetric::MeanMetric;

  void update(const MetricBatch& batch) override;

 private:
  void require_fit(std::size_t columns, TargetKind targets) const override;
};

struct TopKCategoricalAccuracyOptions {
  std::int64_t k = 5;
  std::string name = "top_k_categorical_accuracy";
};

// The share of rows where fewer than k predictions are larger than that of the target's class (so equal ones
// count for it). Takes one-hot targets and integer labels.
class TopKCategoricalAccuracy final
    : public MeanMetric<TopKCategoricalAccuracy, TopKCategoricalAccuracyOptions> {
 public:
  static constexpr const char* kType = "TopKCategoricalAccuracy";
  static constexpr const char* kDoc =
      "Share of rows whose class is among the k largest predictions, for one-hot targets or integer labels.";
  static constexpr const char* kAliases[] = {"top_k_categorical_accuracy",
                                             "sparse_top_k_categorical_accuracy"};
  static void fields(Fields<TopKCategoricalAccuracyOptions>& field);
  using MeanMetric::MeanMetric;

  void update(const MetricBatch& batch) override;

 private:
  void require_fit(std::size_t columns, TargetKind targets) const override;
};

namespace metrics {
MetricPtr binary_accuracy(BinaryAccuracyOptions options = {});
MetricPtr categorical_accuracy(CategoricalAccuracyOptions options = {});
MetricPtr sparse_categorical_accuracy(SparseCategoricalAccuracyOptions options = {});
MetricPtr top_k_categorical_accuracy(TopKCategoricalAccuracyOptions options = {});
}  // namespace metrics

}  // namespace lamina
