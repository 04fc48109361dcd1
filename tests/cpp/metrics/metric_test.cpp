// Metrics against their definitions and against figures of scikit-learn 1.x and Keras 3.15.1.
#include "lamina/metrics/metric.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "lamina/core/error.h"
#include "lamina/losses/registered.h"
#include "lamina/metrics/registered.h"

using namespace lamina;

namespace {

using Floats = std::vector<float>;
using Labels = std::vector<std::int32_t>;

// Feeds a metric in batches of `step` rows and returns its result.
double measure(Metric& metric, std::size_t columns, const Floats& prediction, const Floats& target,
               std::size_t step = 1000) {
  metric.reset(columns, TargetKind::values);
  const std::size_t rows = prediction.size() / columns;
  for (std::size_t row = 0; row < rows; row += step) {
    metric.update({.rows = std::min(step, rows - row),
                   .columns = columns,
                   .prediction = prediction.data() + row * columns,
                   .target = target.data() + row * columns});
  }
  return metric.result();
}

double measure(Metric& metric, std::size_t columns, const Floats& prediction, const Labels& labels,
               std::size_t step = 1000) {
  metric.reset(columns, TargetKind::labels);
  for (std::size_t row = 0; row < labels.size(); row += step) {
    metric.update({.rows = std::min(step, labels.size() - row),
                   .columns = columns,
                   .prediction = prediction.data() + row * columns,
                   .labels = labels.data() + row});
  }
  return metric.result();
}

Floats one_hot(const Labels& labels, std::size_t columns) {
  Floats result(labels.size() * columns, 0.0F);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    result[row * columns + static_cast<std::size_t>(labels[row])] = 1.0F;
  }
  return result;
}

const Floats kYes{0, 0, 1, 1, 0, 1, 0, 1, 1, 0};
const Floats kScores{0.1F, 0.4F, 0.35F, 0.8F, 0.05F, 0.62F, 0.7F, 0.9F, 0.4F, 0.2F};
const Floats kManyTargets{1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0};
const Floats kManyScores{0.9F, 0.1F, 0.4F, 0.6F, 0.2F, 0.7F, 0.8F, 0.55F, 0.5F, 0.3F, 0.2F, 0.1F};

}  // namespace

TEST_CASE("accuracies") {
  BinaryAccuracy binary;
  CHECK(measure(binary, 1, {0.5F, 0.51F, 0.2F, 0.9F}, Floats{0, 1, 1, 1}, 3) == 0.75);
  BinaryAccuracy strict({.threshold = 0.8});
  CHECK(measure(strict, 2, {0.5F, 0.81F, 0.2F, 0.9F}, Floats{0, 1, 1, 1}) == 0.75);
  CHECK(measure(binary, 1, {0.1F, 0.9F}, Labels{0, 0}) == 0.5);

  // The first of equal predictions is the answer.
  const Floats prediction{0.4F, 0.4F, 0.2F, 0.1F, 0.2F, 0.7F, 0.3F, 0.3F, 0.3F};
  CategoricalAccuracy categorical;
  SparseCategoricalAccuracy sparse;
  CHECK(measure(sparse, 3, prediction, Labels{0, 2, 1}, 2) == doctest::Approx(2.0 / 3));
  CHECK(measure(sparse, 3, prediction, Labels{1, 2, -1}) == doctest::Approx(1.0 / 3));
  CHECK(measure(categorical, 3, prediction, one_hot({0, 2, 1}, 3)) == doctest::Approx(2.0 / 3));
  CHECK(std::isnan(measure(sparse, 3, {}, Labels{})));
}

TEST_CASE("top k counts ties for the target, as in Keras") {
  const Floats prediction{0.4F, 0.4F, 0.4F, 0.1F, 0.5F, 0.4F, 0.2F, 0.3F, 0.5F};
  const Labels labels{2, 0, 1};
  TopKCategoricalAccuracy two({.k = 2}), one({.k = 1}), all({.k = 5});
  CHECK(measure(two, 3, prediction, labels) == doctest::Approx(2.0 / 3));
  CHECK(measure(two, 3, prediction, one_hot(labels, 3)) == doctest::Approx(2.0 / 3));
  CHECK(measure(one, 3, prediction, labels) == doctest::Approx(1.0 / 3));
  CHECK(measure(all, 3, prediction, labels) == 1);
  CHECK(measure(all, 3, prediction, Labels{3, -1, 0}) == doctest::Approx(1.0 / 3));
}

TEST_CASE("errors of numbers stream over all elements") {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  Floats prediction(7 * 31), target(7 * 31);
  double squares = 0, sizes = 0;
  for (std::size_t i = 0; i < prediction.size(); ++i) {
    prediction[i] = normal(random);
    target[i] = normal(random);
    const double error = static_cast<double>(prediction[i]) - static_cast<double>(target[i]);
    squares += error * error;
    sizes += std::fabs(error);
  }
  const auto n = static_cast<double>(prediction.size());
  MeanSquaredErrorMetric mse;
  MeanAbsoluteErrorMetric mae;
  RootMeanSquaredError rmse;
  for (const std::size_t step : {std::size_t{1}, std::size_t{4}, std::size_t{31}}) {
    CHECK(measure(mse, 7, prediction, target, step) == doctest::Approx(squares / n).epsilon(1e-12));
    CHECK(measure(mae, 7, prediction, target, step) == doctest::Approx(sizes / n).epsilon(1e-12));
    CHECK(measure(rmse, 7, prediction, target, step) ==
          doctest::Approx(std::sqrt(squares / n)).epsilon(1e-12));
  }
}

TEST_CASE("r2") {
  R2Score uniform, by_variance({.class_aggregation = "variance_weighted_average"});
  const Floats target{1, 2, 3, 5, 2, -1}, prediction{1.5F, 2, 2, 4, 2.5F, 0};
  CHECK(measure(uniform, 2, prediction, target, 2) == doctest::Approx(0.5694444179534912));  // Keras
  CHECK(measure(by_variance, 2, prediction, target) == doctest::Approx(0.824999988079071));  // Keras
  CHECK(measure(uniform, 1, {3, 3, 3}, Floats{3, 3, 3}) == 1);
  CHECK(measure(uniform, 1, {3, 3, 4}, Floats{3, 3, 3}) == 0);
  CHECK(std::isnan(measure(uniform, 1, {}, Floats{})));

  // A mean of 1e6 with a spread of 1: a sum of squares less the square of the sum would lose it.
  Floats far_target, far_prediction;
  for (int i = 0; i < 1000; ++i) {
    far_target.push_back(1e6F + static_cast<float>(i % 4));
    far_prediction.push_back(far_target.back() + 0.5F);
  }
  CHECK(measure(uniform, 1, far_prediction, far_target, 7) == doctest::Approx(1 - 0.25 / 1.25).epsilon(1e-9));
}

TEST_CASE("precision, recall and f1 of one column") {
  Precision precision;
  Recall recall;
  F1Score f1;
  // Above 0.5: items 3, 5, 6, 7, of which 6 is wrong; 2 and 8 are missed.
  CHECK(measure(precision, 1, kScores, kYes, 3) == 3.0 / 4);
  CHECK(measure(recall, 1, kScores, kYes) == 3.0 / 5);
  CHECK(measure(f1, 1, kScores, kYes) == doctest::Approx(2 * 0.75 * 0.6 / 1.35));
  Precision high({.thresholds = 0.75});
  CHECK(measure(high, 1, kScores, kYes) == 1);
  CHECK(measure(precision, 1, {0.1F}, Floats{1}) == 0);
  CHECK(std::isnan(measure(precision, 1, {}, Floats{})));
}

TEST_CASE("precision, recall and f1 of classes are scikit-learn's") {
  const Labels truth{0, 1, 2, 2, 1, 0, 4, 4, 1}, guess{0, 2, 2, 1, 1, 0, 4, 0, 1};  // class 3 does not occur
  Floats prediction = one_hot(guess, 5);
  for (float& p : prediction) p = 0.1F + 0.5F * p;
  const auto check = [&](Metric&& metric, double expected) {
    CHECK(measure(metric, 5, prediction, truth, 4) == doctest::Approx(expected).epsilon(1e-12));
    CHECK(measure(metric, 5, prediction, one_hot(truth, 5)) == doctest::Approx(expected).epsilon(1e-12));
  };
  check(Precision(), 0.7083333333333333);
  check(Precision({.average = "weighted"}), 0.7037037037037037);
  check(Precision({.average = "micro"}), 0.6666666666666666);
  check(Recall(), 0.6666666666666666);
  check(F1Score(), 0.6583333333333333);
  check(F1Score({.average = "weighted"}), 0.6592592592592592);
  check(F1Score({.average = "micro"}), 0.6666666666666666);

  const auto check_many = [&](Metric&& metric, double expected) {
    CHECK(measure(metric, 3, kManyScores, kManyTargets) == doctest::Approx(expected).epsilon(1e-7));
  };
  check_many(Precision({.thresholds = 0.5}), 0.8888888888888888);
  check_many(F1Score({.threshold = 0.5}), 0.7111111111111111);
  check_many(F1Score({.average = "micro", .threshold = 0.5}), 0.7272727272727273);
  check_many(Precision({.thresholds = 0.5, .average = "micro"}),
             0.800000011920929);                                                    // and Keras's Precision()
  check_many(Recall({.thresholds = 0.5, .average = "micro"}), 0.6666666865348816);  // and Keras's Recall()
}

TEST_CASE("labels outside the classes touch no memory") {
  const Floats prediction{0.9F, 0.1F, 0.2F, 0.8F};
  const Labels labels{-1, std::numeric_limits<std::int32_t>::max()};
  for (const auto& entry : Metric::registry().entries()) {
    const auto metric = Metric::registry().make(entry.schema.type);
    try {
      metric->reset(2, TargetKind::labels);
    } catch (const ArgumentError&) {
      continue;
    }
    metric->update({.rows = 2, .columns = 2, .prediction = prediction.data(), .labels = labels.data()});
    CHECK(metric->result() == 0);
  }
}

TEST_CASE("auc is Keras's") {
  const auto check = [](AUCOptions options, double expected) {
    AUC metric(options);
    CHECK(measure(metric, 1, kScores, kYes, 3) == doctest::Approx(expected).epsilon(1e-7));
  };
  check({}, 0.8199999928474426);
  check({.summation_method = "minoring"}, 0.800000011920929);
  check({.summation_method = "majoring"}, 0.8400000333786011);
  check({.curve = "PR"}, 0.8213498592376709);
  check({.curve = "PR", .summation_method = "minoring"}, 0.6000000238418579);
  check({.curve = "PR", .summation_method = "majoring"}, 0.8428571224212646);
  check({.num_thresholds = 5}, 0.8600000739097595);
  AUC auc;
  CHECK(measure(auc, 3, kManyScores, kManyTargets) == doctest::Approx(0.8194444179534912).epsilon(1e-7));

  Floats two_columns;
  Labels labels;
  for (std::size_t i = 0; i < kScores.size(); ++i) {
    two_columns.insert(two_columns.end(), {1 - kScores[i], kScores[i]});
    labels.push_back(static_cast<std::int32_t>(kYes[i]));
  }
  CHECK(measure(auc, 2, two_columns, labels) == doctest::Approx(0.8199999928474426).epsilon(1e-7));
  CHECK(measure(auc, 1, kScores, labels) == doctest::Approx(0.8199999928474426).epsilon(1e-7));
  CHECK_THROWS_WITH_AS(auc.reset(3, TargetKind::labels), doctest::Contains("at most 2 columns"),
                       ArgumentError);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isfinite(measure(auc, 1, {nan, -5, 7, 1}, Floats{0, 0, 1, 1})));
  CHECK(std::isnan(measure(auc, 1, {}, Floats{})));
}

TEST_CASE("reset forgets") {
  for (const auto& entry : Metric::registry().entries()) {
    CAPTURE(entry.schema.type);
    const auto metric = Metric::registry().make(entry.schema.type);
    const Floats prediction{0.9F, 0.2F, 0.3F, 0.4F, 0.2F, 0.8F}, target{1, 0, 0, 1, 1, 0};
    const double first = measure(*metric, 2, prediction, target);
    CHECK(measure(*metric, 2, prediction, target) == first);
    metric->reset(2, TargetKind::values);
    CHECK(std::isnan(metric->result()));
  }
}

TEST_CASE("make_metric chooses by name, loss and columns, and keeps the name") {
  struct Choice {
    std::string name;
    LossPtr loss;
    std::size_t columns;
    std::string type;
  };
  const LossPtr sparse = sparse_categorical_crossentropy(), dense = categorical_crossentropy(),
                binary = binary_crossentropy(), mse = mean_squared_error();
  const std::vector<Choice> choices{
      {"accuracy", sparse, 3, "SparseCategoricalAccuracy"},
      {"acc", dense, 3, "CategoricalAccuracy"},
      {"accuracy", binary, 1, "BinaryAccuracy"},
      {"accuracy", binary, 4, "BinaryAccuracy"},
      {"Accuracy", mse, 1, "BinaryAccuracy"},
      {"top_k_categorical_accuracy", dense, 9, "TopKCategoricalAccuracy"},
      {"sparse_top_k_categorical_accuracy", sparse, 9, "TopKCategoricalAccuracy"},
      {"mse", mse, 1, "MeanSquaredError"},
      {"mae", mse, 1, "MeanAbsoluteError"},
      {"rmse", mse, 1, "RootMeanSquaredError"},
      {"r2", mse, 1, "R2Score"},
      {"r2_score", mse, 1, "R2Score"},
      {"f1", sparse, 3, "F1Score"},
      {"precision", binary, 1, "Precision"},
      {"recall", binary, 1, "Recall"},
      {"auc", binary, 1, "AUC"},
      {"AUC", binary, 1, "AUC"},
  };
  for (const Choice& choice : choices) {
    CAPTURE(choice.name);
    const MetricPtr metric = make_metric(choice.name, *choice.loss, choice.columns);
    CHECK(metric->type() == choice.type);
    CHECK(metric->name() == choice.name);
  }
  CHECK(make_metric("accuracy", *mse, 3, TargetKind::labels)->type() == "SparseCategoricalAccuracy");
  // With many labels a row, precision is Keras's: thresholded and pooled.
  CHECK(measure(*make_metric("precision", *binary, 3), 3, kManyScores, kManyTargets) == doctest::Approx(0.8));
  CHECK_THROWS_WITH_AS(make_metric("acuracy", *sparse, 3), doctest::Contains("did you mean 'accuracy'?"),
                       ArgumentError);
}

TEST_CASE("a metric that does not fit says so") {
  BinaryAccuracy binary;
  CategoricalAccuracy categorical;
  R2Score r2;
  CHECK_THROWS_WITH_AS(binary.reset(3, TargetKind::labels), doctest::Contains("binary_accuracy: expected"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(categorical.reset(1, TargetKind::values), doctest::Contains("at least 2 columns"),
                       ArgumentError);
  CHECK_THROWS_AS(r2.reset(2, TargetKind::labels), ArgumentError);
  CHECK_THROWS_AS(TopKCategoricalAccuracy({.k = 0}), ArgumentError);
  CHECK_THROWS_AS(AUC({.num_thresholds = 1}), ArgumentError);
  CHECK_THROWS_AS(AUC({.curve = "roc"}), ArgumentError);
  CHECK_THROWS_AS(F1Score({.average = "samples"}), ArgumentError);
}
