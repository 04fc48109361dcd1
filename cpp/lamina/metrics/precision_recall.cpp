#include "lamina/metrics/precision_recall.h"

#include <limits>
#include <utility>

#include "lamina/metrics/class_of.h"
#include "lamina/metrics/mean_metric.h"

namespace lamina {

namespace {

using Count = ClassCounts::Count;

constexpr const char* kThresholdDoc =
    "Columns above it are positive answers; None is 0.5 for one column, and for several the largest column.";

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

double precision_of(const Count& count) {
  return ratio(count.found, count.found + count.wrong);
}
double recall_of(const Count& count) {
  return ratio(count.found, count.found + count.missed);
}
double f1_of(const Count& count) {
  return ratio(2 * count.found, 2 * count.found + count.wrong + count.missed);
}

template <class Options>
void average_field(Fields<Options>& field) {
  field("average", &Options::average,
        "How classes are averaged: 'macro' (mean of their scores), 'weighted' (by how often they occur) or "
        "'micro' "
        "(pooled counts).",
        one_of({"macro", "weighted", "micro"}));
}

}  // namespace

void ClassCounts::reset(std::size_t columns) {
  counts_.assign(columns, Count());
  exclusive_ = false;
  rows_ = 0;
}

void ClassCounts::answer(std::size_t column, bool truth, bool answer) {
  Count& count = counts_[column];
  if (truth && answer) ++count.found;
  if (!truth && answer) ++count.wrong;
  if (truth && !answer) ++count.missed;
}

void ClassCounts::update(const MetricBatch& batch, std::optional<double> threshold) {
  exclusive_ = batch.columns > 1 && !threshold;
  rows_ += batch.rows;
  const float limit = static_cast<float>(threshold.value_or(0.5));
  for (std::size_t row = 0; row < batch.rows; ++row) {
    if (exclusive_) {
      const std::size_t truth = true_class(batch, row);
      const std::size_t guess = predicted_class(batch, row);
      answer(guess, guess == truth, true);
      if (truth != guess && truth < batch.columns) answer(truth, true, false);
      continue;
    }
    for (std::size_t column = 0; column < batch.columns; ++column) {
      answer(column, target_value(batch, row, column) > 0.0F,
             batch.prediction[row * batch.columns + column] > limit);
    }
  }
}

double ClassCounts::average(const std::string& how, double (*score)(const Count&)) const {
  if (rows_ == 0) return std::numeric_limits<double>::quiet_NaN();
  Count pooled;
  double sum = 0, weights = 0;
  for (const Count& count : counts_) {
    pooled.found += count.found;
    pooled.wrong += count.wrong;
    pooled.missed += count.missed;
    const bool absent = count.found + count.wrong + count.missed == 0;
    if (exclusive_ && absent) continue;
    const double weight = how == "weighted" ? static_cast<double>(count.found + count.missed) : 1.0;
    sum += weight * score(count);
    weights += weight;
  }
  if (how == "micro") return score(pooled);
  return weights == 0 ? 0.0 : sum / weights;
}

void Precision::fields(Fields<PrecisionOptions>& field) {
  field("thresholds", &PrecisionOptions::thresholds, kThresholdDoc, finite());
  average_field(field);
  field("name", &PrecisionOptions::name, kMetricNameDoc);
}

void Precision::reset(std::size_t columns, TargetKind) {
  counts_.reset(columns);
}

double Precision::result() const {
  return counts_.average(options_.average, precision_of);
}

void Recall::fields(Fields<RecallOptions>& field) {
  field("thresholds", &RecallOptions::thresholds, kThresholdDoc, finite());
  average_field(field);
  field("name", &RecallOptions::name, kMetricNameDoc);
}

void Recall::reset(std::size_t columns, TargetKind) {
  counts_.reset(columns);
}

double Recall::result() const {
  return counts_.average(options_.average, recall_of);
}

void F1Score::fields(Fields<F1ScoreOptions>& field) {
  average_field(field);
  field("threshold", &F1ScoreOptions::threshold, kThresholdDoc, finite());
  field("name", &F1ScoreOptions::name, kMetricNameDoc);
}

void F1Score::reset(std::size_t columns, TargetKind) {
  counts_.reset(columns);
}

double F1Score::result() const {
  return counts_.average(options_.average, f1_of);
}

namespace metrics {

MetricPtr precision(PrecisionOptions options) {
  return std::make_shared<Precision>(std::move(options));
}

MetricPtr recall(RecallOptions options) {
  return std::make_shared<Recall>(std::move(options));
}

MetricPtr f1_score(F1ScoreOptions options) {
  return std::make_shared<F1Score>(std::move(options));
}

}  // namespace metrics

}  // namespace lamina
