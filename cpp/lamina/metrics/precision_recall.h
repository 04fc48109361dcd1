// Precision, recall and F1, from how often each class was found, found wrongly, and missed.
//
// Which answers a prediction gives:
// - one column: yes where it is above the threshold (0.5), and the score is that of yes;
// - several columns, no threshold: the class of the largest column, against a one-hot row or a label;
// - several columns and a threshold: an answer a column (many labels a row).
// How classes are averaged: "macro" is the mean of their scores, "weighted" weighs them by how often they
// occur, "micro" pools their counts. A score without a denominator is 0. All is as in scikit-learn with
// zero_division=0: among exclusive classes, macro leaves out those that occur neither in targets nor in
// predictions. (Keras's Precision and Recall always pool thresholded columns; that is average="micro" with
// thresholds=0.5, which make_metric() chooses beside a binary cross-entropy.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lamina/metrics/metric.h"

namespace lamina {

// True positives, false positives and false negatives of each class.
class ClassCounts {
 public:
  struct Count {
    std::uint64_t found = 0, wrong = 0, missed = 0;
  };

  void reset(std::size_t columns);
  void update(const MetricBatch& batch, std::optional<double> threshold);
  // NaN before the first row.
  double average(const std::string& how, double (*score)(const Count&)) const;

 private:
  void answer(std::size_t column, bool truth, bool answer);

  std::vector<Count> counts_;
  bool exclusive_ = false;  // the classes of a row exclude each other
  std::uint64_t rows_ = 0;
};

struct PrecisionOptions {
  std::optional<double> thresholds = {};
  std::string average = "macro";
  std::string name = "precision";
};

// Of what was found, the share that is right: found / (found + wrong).
class Precision final : public Described<Precision, Metric, PrecisionOptions> {
 public:
  static constexpr const char* kType = "Precision";
  static constexpr const char* kDoc =
      "Share of the positive answers that are right. One column: y_pred > 0.5. Classes: the mean over "
      "classes of "
      "their precisions (macro), as in scikit-learn; Keras pools thresholded columns (thresholds=0.5, "
      "average='micro').";
  static constexpr const char* kAliases[] = {"precision"};
  static void fields(Fields<PrecisionOptions>& field);
  using Described::Described;

  std::string name() const override { return options_.name; }
  void reset(std::size_t columns, TargetKind targets) override;
  void update(const MetricBatch& batch) override { counts_.update(batch, options_.thresholds); }
  double result() const override;

 private:
  ClassCounts counts_;
};

struct RecallOptions {
  std::optional<double> thresholds = {};
  std::string average = "macro";
  std::string name = "recall";
};

// Of what is there, the share that was found: found / (found + missed).
class Recall final : public Described<Recall, Metric, RecallOptions> {
 public:
  static constexpr const char* kType = "Recall";
  static constexpr const char* kDoc =
      "Share of the positive targets that are found. One column: y_pred > 0.5. Classes: the mean over "
      "classes of "
      "their recalls (macro), as in scikit-learn; Keras pools thresholded columns (thresholds=0.5, "
      "average='micro').";
  static constexpr const char* kAliases[] = {"recall"};
  static void fields(Fields<RecallOptions>& field);
  using Described::Described;

  std::string name() const override { return options_.name; }
  void reset(std::size_t columns, TargetKind targets) override;
  void update(const MetricBatch& batch) override { counts_.update(batch, options_.thresholds); }
  double result() const override;

 private:
  ClassCounts counts_;
};

struct F1ScoreOptions {
  std::string average = "macro";
  std::optional<double> threshold = {};
  std::string name = "f1_score";
};

// The harmonic mean of precision and recall: 2 found / (2 found + wrong + missed).
class F1Score final : public Described<F1Score, Metric, F1ScoreOptions> {
 public:
  static constexpr const char* kType = "F1Score";
  static constexpr const char* kDoc =
      "Harmonic mean of precision and recall. One column: y_pred > 0.5. Classes: the mean over classes of "
      "their "
      "scores (macro), as in scikit-learn.";
  static constexpr const char* kAliases[] = {"f1_score", "f1"};
  static void fields(Fields<F1ScoreOptions>& field);
  using Described::Described;

  std::string name() const override { return options_.name; }
  void reset(std::size_t columns, TargetKind targets) override;
  void update(const MetricBatch& batch) override { counts_.update(batch, options_.threshold); }
  double result() const override;

 private:
  ClassCounts counts_;
};

namespace metrics {
MetricPtr precision(PrecisionOptions options = {});
MetricPtr recall(RecallOptions options = {});
MetricPtr f1_score(F1ScoreOptions options = {});
}  // namespace metrics

}  // namespace lamina
