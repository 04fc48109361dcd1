// What a loss promises beside its formula: names, options, reductions, weights, ignored labels, fusion.
#include "lamina/losses/loss.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "lamina/core/error.h"
#include "lamina/losses/registered.h"

using namespace lamina;

namespace {

struct Outcome {
  LossValue value;
  std::vector<float> row_losses, gradient;
};

Outcome evaluate(const Loss& loss, const LossBatch& batch, float scale = 1.0F) {
  Outcome outcome{{}, std::vector<float>(batch.rows), std::vector<float>(batch.rows * batch.columns)};
  std::vector<float> scratch(loss.scratch(batch.rows, batch.columns));
  outcome.value = loss.evaluate(
      batch, scale, {.d_prediction = outcome.gradient.data(), .row_losses = outcome.row_losses.data()},
      scratch.data(), serial_executor());
  return outcome;
}

const std::vector<float> kProbabilities{0.7F, 0.2F, 0.1F, 0.1F, 0.8F, 0.1F, 0.3F, 0.3F, 0.4F};

LossBatch labelled(const std::vector<std::int32_t>& labels) {
  LossBatch batch;
  batch.rows = 3;
  batch.columns = 3;
  batch.prediction = kProbabilities.data();
  batch.labels = labels.data();
  return batch;
}

}  // namespace

TEST_CASE("every name of Keras makes its loss, and every loss reads back from its description") {
  const std::map<std::string, std::string> names{
      {"categorical_crossentropy", "CategoricalCrossentropy"},
      {"sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"},
      {"binary_crossentropy", "BinaryCrossentropy"},
      {"bce", "BinaryCrossentropy"},
      {"nll", "NegativeLogLikelihood"},
      {"negative_log_likelihood", "NegativeLogLikelihood"},
      {"mse", "MeanSquaredError"},
      {"MSE", "MeanSquaredError"},
      {"mean_squared_error", "MeanSquaredError"},
      {"mae", "MeanAbsoluteError"},
      {"huber", "Huber"},
      {"log_cosh", "LogCosh"},
      {"logcosh", "LogCosh"},
      {"hinge", "Hinge"},
      {"squared_hinge", "SquaredHinge"},
      {"kl_divergence", "KLDivergence"},
      {"kld", "KLDivergence"},
      {"poisson", "Poisson"},
      {"cosine_similarity", "CosineSimilarity"},
      {"binary_focal_crossentropy", "BinaryFocalCrossentropy"},
      {"MeanSquaredError", "MeanSquaredError"},
  };
  for (const auto& [name, type] : names) CHECK(Loss::registry().make(name)->type() == type);
  CHECK(Loss::registry().entries().size() == 14);
  for (const auto& entry : Loss::registry().entries()) {
    const auto loss = Loss::registry().make(entry.schema.type);
    CHECK(Loss::registry().make(loss->config())->config() == loss->config());
    CHECK(loss->reduction() == "sum_over_batch_size");
  }
  CHECK_THROWS_WITH_AS(Loss::registry().make("categorical_crossentrpy"),
                       doctest::Contains("did you mean 'categorical_crossentropy'?"), ArgumentError);
}

TEST_CASE("fields stand in Keras's order") {
  const auto fields = [](const Loss& loss) {
    std::string names;
    for (const auto& [name, value] : loss.config().fields) names += name + " ";
    return names;
  };
  CHECK(fields(BinaryFocalCrossentropy()) ==
        "apply_class_balancing alpha gamma from_logits label_smoothing reduction ");
  CHECK(fields(CategoricalCrossentropy()) == "from_logits label_smoothing reduction ");
  CHECK(fields(SparseCategoricalCrossentropy()) == "from_logits ignore_class reduction ");
  CHECK(fields(Huber()) == "delta reduction ");
  CHECK(
      sparse_categorical_crossentropy({.from_logits = true})->repr() ==
      "SparseCategoricalCrossentropy(from_logits=True, ignore_class=None, reduction='sum_over_batch_size')");
}

TEST_CASE("options are checked when the loss is made") {
  CHECK_THROWS_AS(categorical_crossentropy({.label_smoothing = 1.5}), ArgumentError);
  CHECK_THROWS_AS(binary_crossentropy({.label_smoothing = -0.1}), ArgumentError);
  CHECK_THROWS_AS(binary_focal_crossentropy({.gamma = -1}), ArgumentError);
  CHECK_THROWS_AS(huber({.delta = 0}), ArgumentError);
  CHECK_THROWS_AS(sparse_categorical_crossentropy({.ignore_class = std::int64_t{1} << 40}), ArgumentError);
  CHECK_THROWS_WITH_AS(mean_squared_error({.reduction = "average"}),
                       doctest::Contains("MeanSquaredError: expected reduction to be one of"), ArgumentError);
  CHECK(mean_squared_error({.reduction = {}})->reduction() == "none");
}

TEST_CASE("reductions choose the weight; the sum is weighted in each") {
  const std::vector<float> prediction{1, 2, 3}, target{0, 0, 0}, weights{0.5F, 2, 1};
  LossBatch batch;
  batch.rows = 3;
  batch.columns = 1;
  batch.prediction = prediction.data();
  batch.target = target.data();
  batch.weights = weights.data();
  const std::map<std::string, double> expected{
      {"sum_over_batch_size", 3}, {"mean", 3}, {"none", 3}, {"sum", 1}, {"mean_with_sample_weight", 3.5}};
  for (const auto& [reduction, weight] : expected) {
    const auto loss = mean_squared_error({.reduction = reduction});
    const LossValue value = evaluate(*loss, batch).value;
    CAPTURE(loss->repr());
    CHECK(value.sum == 0.5 * 1 + 2 * 4 + 1 * 9);
    CHECK(value.weight == weight);
    CHECK(loss->weight_of(3, weights.data()) == weight);
    CHECK(value.mean() == doctest::Approx(17.5 / weight));
  }
  CHECK(mean_squared_error({.reduction = "mean_with_sample_weight"})->weight_of(3, nullptr) == 3);
}

TEST_CASE("negative log-likelihood is categorical cross-entropy to the last bit") {
  const std::vector<float> target{1, 0, 0, 0.2F, 0.3F, 0.9F, 0, 0, 1};
  for (const bool logits : {false, true}) {
    for (const bool fused : {false, true}) {
      LossBatch batch = labelled({});
      batch.target = target.data();
      batch.fused_logits = fused;
      const CategoricalCrossentropyOptions options{.from_logits = logits, .label_smoothing = 0.1};
      const Outcome a = evaluate(CategoricalCrossentropy(options), batch, 0.3F);
      const Outcome b = evaluate(NegativeLogLikelihood(options), batch, 0.3F);
      CHECK(a.value.sum == b.value.sum);
      CHECK(a.row_losses == b.row_losses);
      CHECK(a.gradient == b.gradient);
    }
  }
}

TEST_CASE("rows of the ignored class have no loss, no gradient and no weight") {
  const std::vector<std::int32_t> labels{0, -1, 2};
  for (const bool logits : {false, true}) {
    const SparseCategoricalCrossentropy loss({.from_logits = logits, .ignore_class = -1});
    const LossBatch batch = labelled(labels);
    const Outcome outcome = evaluate(loss, batch);
    CHECK(loss.ignored_label() == -1);
    CHECK(outcome.row_losses[1] == 0.0F);
    CHECK(outcome.row_losses[0] > 0.0F);
    for (std::size_t j = 3; j < 6; ++j) CHECK(outcome.gradient[j] == 0.0F);
    CHECK(outcome.value.weight == 2);
    CHECK(loss.weight_of(3, nullptr, labels.data()) == 2);
    const std::vector<float> weights{0.5F, 4, 0.25F};
    const SparseCategoricalCrossentropy weighted(
        {.from_logits = logits, .ignore_class = -1, .reduction = "mean_with_sample_weight"});
    CHECK(weighted.weight_of(3, weights.data(), labels.data()) == 0.75);
    const std::vector<std::int32_t> all_ignored{-1, -1, -1};
    const LossValue nothing = evaluate(loss, labelled(all_ignored)).value;
    CHECK(nothing.weight == 0);
    CHECK(nothing.mean() == 0);
  }
}

TEST_CASE("labels out of range touch no memory and count as a row of zeros") {
  const std::vector<std::int32_t> labels{std::numeric_limits<std::int32_t>::max(), -7, 3};
  for (const bool logits : {false, true}) {
    const Outcome outcome =
        evaluate(SparseCategoricalCrossentropy({.from_logits = logits}), labelled(labels));
    for (const float loss : outcome.row_losses) CHECK(loss == 0.0F);
    for (const float gradient : outcome.gradient) CHECK(gradient == 0.0F);
    CHECK(outcome.value.weight == 3);
  }
}

TEST_CASE("the loss of a sure and right answer keeps its digits") {
  // log(1 + 2 exp(-20)), and the gradient -2 exp(-20) / (1 + 2 exp(-20)) of the right class: both are far
  // below an ulp of the float 1, and far above one of the double 1, in which the other probabilities are
  // summed.
  const std::vector<float> logits{20, 0, 0};
  const std::vector<std::int32_t> label{0};
  LossBatch batch;
  batch.rows = 1;
  batch.columns = 3;
  batch.prediction = logits.data();
  batch.labels = label.data();
  const Outcome outcome = evaluate(*sparse_categorical_crossentropy({.from_logits = true}), batch);
  const double expected = 2 * std::exp(-20.0);
  CHECK(static_cast<double>(outcome.row_losses[0]) / expected == doctest::Approx(1).epsilon(1e-5));
  CHECK(static_cast<double>(outcome.gradient[0]) / expected == doctest::Approx(-1).epsilon(1e-5));
}

TEST_CASE("the hinges take 0 and 1 for -1 and 1 only where the whole batch holds nothing else") {
  const std::vector<float> prediction{0.5F, 0.5F}, binary{0, 1}, mixed{0, -1};
  LossBatch batch;
  batch.rows = 2;
  batch.columns = 1;
  batch.prediction = prediction.data();
  batch.target = binary.data();
  CHECK(evaluate(*hinge(), batch).row_losses == std::vector<float>{1.5F, 0.5F});
  batch.target = mixed.data();
  CHECK(evaluate(*hinge(), batch).row_losses == std::vector<float>{1.0F, 1.5F});
}

TEST_CASE("cosine similarity of a zero prediction is 0, with no gradient") {
  const std::vector<float> prediction{0, 0, 0}, target{1, 2, 3};
  LossBatch batch;
  batch.rows = 1;
  batch.columns = 3;
  batch.prediction = prediction.data();
  batch.target = target.data();
  const Outcome outcome = evaluate(*cosine_similarity(), batch);
  CHECK(outcome.row_losses[0] == 0.0F);
  CHECK(outcome.gradient == std::vector<float>(3, 0.0F));
}

TEST_CASE("only a loss on probabilities offers to fuse the activation that makes them") {
  using kernels::Activation;
  CHECK(categorical_crossentropy()->fused_activation() == Activation::softmax);
  CHECK(negative_log_likelihood()->fused_activation() == Activation::softmax);
  CHECK(sparse_categorical_crossentropy()->fused_activation() == Activation::softmax);
  CHECK(binary_crossentropy()->fused_activation() == Activation::sigmoid);
  CHECK(binary_focal_crossentropy()->fused_activation() == Activation::sigmoid);
  CHECK(!categorical_crossentropy({.from_logits = true})->fused_activation());
  CHECK(!sparse_categorical_crossentropy({.from_logits = true})->fused_activation());
  CHECK(!binary_crossentropy({.from_logits = true})->fused_activation());
  CHECK(!mean_squared_error()->fused_activation());
}

TEST_CASE("fused losses write the probabilities") {
  const std::vector<float> logits{2, -1, 0.5F, 80, -80, 0};
  const std::vector<float> target{1, 0, 0, 0, 1, 0};
  LossBatch batch;
  batch.rows = 2;
  batch.columns = 3;
  batch.prediction = logits.data();
  batch.target = target.data();
  batch.fused_logits = true;
  const auto activated = [&](const Loss& loss) {
    std::vector<float> result(6), scratch(loss.scratch(2, 3));
    loss.evaluate(batch, 1.0F, {.activated = result.data()}, scratch.data(), serial_executor());
    return result;
  };
  const std::vector<float> sigmoid = activated(*binary_crossentropy());
  const std::vector<float> softmax = activated(*categorical_crossentropy());
  for (std::size_t i = 0; i < 6; ++i) {
    const double x = static_cast<double>(logits[i]);
    CHECK(static_cast<double>(sigmoid[i]) == doctest::Approx(1 / (1 + std::exp(-x))).epsilon(1e-6));
    double sum = 0;
    for (std::size_t j = 0; j < 3; ++j) sum += std::exp(static_cast<double>(logits[i / 3 * 3 + j]) - x);
    CHECK(static_cast<double>(softmax[i]) == doctest::Approx(1 / sum).epsilon(1e-6));
  }
}

TEST_CASE("NaN predictions give a NaN loss, and no rows a sum of 0") {
  const std::vector<float> prediction{std::numeric_limits<float>::quiet_NaN(), 0.5F}, target{1, 0};
  const std::vector<std::int32_t> label{1};
  for (const auto& entry : Loss::registry().entries()) {
    CAPTURE(entry.schema.type);
    const auto loss = Loss::registry().make(entry.schema.type);
    LossBatch batch;
    batch.rows = 1;
    batch.columns = 2;
    batch.prediction = prediction.data();
    batch.target = target.data();
    batch.labels = label.data();
    CHECK(std::isnan(evaluate(*loss, batch).value.sum));
    batch.rows = 0;
    CHECK(evaluate(*loss, batch).value.sum == 0);
  }
}
