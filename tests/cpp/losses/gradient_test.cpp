// Every loss against a float64 reference: values, and gradients against numeric derivatives of the reference.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "lamina/core/thread_pool.h"
#include "lamina/losses/registered.h"
#include "losses/reference.h"

using namespace lamina;
using lamina::testing::Row;
using lamina::testing::RowLoss;

namespace {

enum class Targets { one_hot, weights, binary, soft, signs, numbers, counts, labels };
enum class Predictions { distribution, probabilities, numbers, positive, logits };

struct Case {
  std::string name;
  LossPtr loss;
  RowLoss reference;
  Targets targets;
  Predictions predictions;
  bool fused = false;
};

std::vector<Case> cases() {
  namespace r = lamina::testing;
  using T = Targets;
  using P = Predictions;
  std::vector<Case> all;
  for (const bool logits : {false, true}) {
    for (const double s : {0.0, 0.1}) {
      for (const T targets : {T::one_hot, T::weights}) {
        all.push_back({"categorical", categorical_crossentropy({.from_logits = logits, .label_smoothing = s}),
                       r::crossentropy(s, logits), targets, logits ? P::logits : P::distribution});
      }
      for (const T targets : {T::binary, T::soft}) {
        const P predictions = logits ? P::logits : P::probabilities;
        all.push_back({"binary", binary_crossentropy({.from_logits = logits, .label_smoothing = s}),
                       r::binary(s, logits), targets, predictions});
        for (const double gamma : {0.0, 0.5, 1.0, 2.0, 3.5}) {
          all.push_back({"focal gamma " + std::to_string(gamma),
                         binary_focal_crossentropy({.apply_class_balancing = s != 0,
                                                    .alpha = 0.3,
                                                    .gamma = gamma,
                                                    .from_logits = logits,
                                                    .label_smoothing = s}),
                         r::focal(s, logits, s != 0, 0.3, gamma), targets, predictions});
        }
      }
    }
    all.push_back({"sparse", sparse_categorical_crossentropy({.from_logits = logits}),
                   r::crossentropy(0, logits), T::labels, logits ? P::logits : P::distribution});
  }
  all.push_back({"sparse fused", sparse_categorical_crossentropy(), r::crossentropy(0, true), T::labels,
                 P::logits, true});
  all.push_back({"categorical fused", categorical_crossentropy({.label_smoothing = 0.2}),
                 r::crossentropy(0.2, true), T::weights, P::logits, true});
  all.push_back({"binary fused", binary_crossentropy(), r::binary(0, true), T::binary, P::logits, true});
  all.push_back({"focal fused", binary_focal_crossentropy(), r::focal(0, true, false, 0.25, 2), T::binary,
                 P::logits, true});
  all.push_back({"mse", mean_squared_error(), r::squared_error(), T::numbers, P::numbers});
  all.push_back({"mae", mean_absolute_error(), r::absolute_error(), T::numbers, P::numbers});
  all.push_back({"huber", huber({.delta = 0.75}), r::huber(0.75), T::numbers, P::numbers});
  all.push_back({"log_cosh", log_cosh(), r::log_cosh(), T::numbers, P::numbers});
  all.push_back({"poisson", poisson(), r::poisson(), T::counts, P::positive});
  all.push_back({"hinge", hinge(), r::hinge(false, false), T::signs, P::numbers});
  all.push_back({"hinge of 0 and 1", hinge(), r::hinge(false, true), T::binary, P::numbers});
  all.push_back({"squared_hinge", squared_hinge(), r::hinge(true, false), T::signs, P::numbers});
  all.push_back({"squared_hinge of 0 and 1", squared_hinge(), r::hinge(true, true), T::binary, P::numbers});
  all.push_back({"kl_divergence", kl_divergence(), r::kl_divergence(), T::soft, P::distribution});
  all.push_back({"cosine_similarity", cosine_similarity(), r::cosine(), T::numbers, P::numbers});
  return all;
}

struct Data {
  std::size_t rows, columns;
  std::vector<float> prediction, target, weights;
  std::vector<std::int32_t> labels;

  Row row_of(const std::vector<float>& values, std::size_t row) const {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row * columns);
    return Row(begin, begin + static_cast<std::ptrdiff_t>(columns));
  }
};

Data make_data(const Case& test, std::size_t rows, std::size_t columns) {
  std::mt19937 random(static_cast<unsigned>(7 + rows * 100 + columns));
  const auto uniform = [&](double low, double high) {
    return static_cast<float>(std::uniform_real_distribution<double>(low, high)(random));
  };
  Data data{rows, columns, std::vector<float>(rows * columns), std::vector<float>(rows * columns, 0.0F),
            {},   {}};
  for (std::size_t row = 0; row < rows; ++row) {
    data.weights.push_back(uniform(0.1, 3));
    data.labels.push_back(static_cast<std::int32_t>(random() % columns));
    for (std::size_t j = 0; j < columns; ++j) {
      float& t = data.target[row * columns + j];
      float& p = data.prediction[row * columns + j];
      switch (test.targets) {
        case Targets::labels:
        case Targets::one_hot:
          t = static_cast<std::size_t>(data.labels[row]) == j ? 1.0F : 0.0F;
          break;
        case Targets::weights:
        case Targets::soft:
          t = uniform(0, 1);
          break;
        case Targets::binary:
          t = random() % 2 == 0 ? 0.0F : 1.0F;
          break;
        case Targets::signs:
          t = (row + j) % 2 == 0 ? -1.0F : 1.0F;  // never all 1, which would count as 0 and 1
          break;
        case Targets::numbers:
          t = uniform(-2, 2);
          break;
        case Targets::counts:
          t = static_cast<float>(random() % 5);
          break;
      }
      switch (test.predictions) {
        case Predictions::distribution:  // of any sum: the loss divides by it
        case Predictions::probabilities:
          p = uniform(0.02, 0.98);
          break;
        case Predictions::numbers:
          p = uniform(-3, 3);
          break;
        case Predictions::positive:
          p = uniform(0.1, 6);
          break;
        case Predictions::logits:
          p = uniform(-8, 8);
          break;
      }
    }
  }
  return data;
}

LossBatch batch_of(const Case& test, const Data& data, bool weighted) {
  LossBatch batch;
  batch.rows = data.rows;
  batch.columns = data.columns;
  batch.prediction = data.prediction.data();
  if (test.loss->target_kind() == TargetKind::labels) {
    batch.labels = data.labels.data();
  } else {
    batch.target = data.target.data();
  }
  batch.weights = weighted ? data.weights.data() : nullptr;
  batch.fused_logits = test.fused;
  return batch;
}

struct Result {
  LossValue value;
  std::vector<float> gradient, row_losses, activated;
};

Result run(const Case& test, const LossBatch& batch, float scale, Executor& executor) {
  const std::size_t n = batch.rows * batch.columns;
  Result result{{}, std::vector<float>(n, 99.0F), std::vector<float>(batch.rows), std::vector<float>(n)};
  std::vector<float> scratch(test.loss->scratch(batch.rows, batch.columns), 99.0F);
  const LossOutputs outputs{.d_prediction = result.gradient.data(),
                            .row_losses = result.row_losses.data(),
                            .activated = test.fused ? result.activated.data() : nullptr};
  result.value = test.loss->evaluate(batch, scale, outputs, scratch.data(), executor);
  return result;
}

// Each value is a few dozen float32 operations on numbers of at most its own size, or that of the terms it is
// made of (up to 10 here): 2e-6 relative, and the same of 1 absolute. The numeric derivative is good to 1e-8.
void check_near(double got, double expected) {
  const double tolerance = 2e-6 + 5e-6 * std::fabs(expected);
  CHECK_MESSAGE(std::fabs(got - expected) <= tolerance, "got ", got, ", expected ", expected);
}

constexpr std::array<std::array<std::size_t, 2>, 5> kShapes{{{1, 1}, {3, 1}, {5, 7}, {17, 33}, {2, 1500}}};

}  // namespace

TEST_CASE("values and gradients of every loss agree with the float64 reference") {
  for (const Case& test : cases()) {
    for (const auto& shape : kShapes) {
      const std::size_t rows = shape[0], columns = shape[1];
      for (const bool weighted : {false, true}) {
        CAPTURE(test.name);
        CAPTURE(test.loss->repr());
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(weighted);
        const Data data = make_data(test, rows, columns);
        const float scale = 0.5F;
        const Result result = run(test, batch_of(test, data, weighted), scale, serial_executor());
        double sum = 0;
        for (std::size_t row = 0; row < rows; ++row) {
          const Row target = data.row_of(data.target, row), prediction = data.row_of(data.prediction, row);
          const double weight = weighted ? static_cast<double>(data.weights[row]) : 1.0;
          const double expected = test.reference(target, prediction);
          check_near(static_cast<double>(result.row_losses[row]), expected);
          sum += weight * expected;
          const std::size_t step = columns > 100 ? 97 : 1;
          for (std::size_t j = 0; j < columns; j += step) {
            check_near(static_cast<double>(result.gradient[row * columns + j]),
                       0.5 * weight * lamina::testing::derivative(test.reference, target, prediction, j));
          }
        }
        CHECK(std::fabs(result.value.sum - sum) <= 2e-6 * static_cast<double>(rows) + 5e-6 * std::fabs(sum));
        CHECK(result.value.weight == static_cast<double>(rows));
      }
    }
  }
}

TEST_CASE("a row's loss and gradient depend on that row alone, not on threads or outputs asked for") {
  set_num_threads(2);
  for (const Case& test : cases()) {
    const bool of_batch =
        test.targets == Targets::binary && test.loss->type().find("Hinge") != std::string::npos;
    CAPTURE(test.name);
    const Data data = make_data(test, 4099, 11);
    const LossBatch batch = batch_of(test, data, true);
    const Result serial = run(test, batch, 0.125F, serial_executor());
    const Result pooled = run(test, batch, 0.125F, thread_pool());
    CHECK(serial.value.sum == pooled.value.sum);
    CHECK(serial.gradient == pooled.gradient);
    CHECK(serial.activated == pooled.activated);

    std::vector<float> scratch(test.loss->scratch(batch.rows, batch.columns));
    CHECK(test.loss->evaluate(batch, 1.0F, {}, scratch.data(), serial_executor()).sum == serial.value.sum);

    if (of_batch) continue;
    LossBatch tail = batch;
    tail.rows = 5;
    const std::size_t skip = 4094;
    tail.prediction += skip * 11;
    tail.weights += skip;
    if (tail.target != nullptr) tail.target += skip * 11;
    if (tail.labels != nullptr) tail.labels += skip;
    const Result alone = run(test, tail, 0.125F, serial_executor());
    for (std::size_t row = 0; row < 5; ++row) CHECK(alone.row_losses[row] == serial.row_losses[skip + row]);
    for (std::size_t i = 0; i < 55; ++i) CHECK(alone.gradient[i] == serial.gradient[skip * 11 + i]);
  }
}

TEST_CASE("extreme logits give finite, right values and gradients") {
  const std::vector<float> extremes{-1e4F, 1e4F, 0.0F, -90.0F, 90.0F, 1e-30F, -20.0F, 20.0F, 104.0F, -104.0F};
  for (const Case& test : cases()) {
    if (test.predictions != Predictions::logits) continue;
    CAPTURE(test.name);
    CAPTURE(test.loss->repr());
    for (const std::size_t columns : {std::size_t{2}, std::size_t{3}, std::size_t{10}}) {
      Data data = make_data(test, 30, columns);
      for (std::size_t i = 0; i < data.prediction.size(); ++i)
        data.prediction[i] = extremes[(i * 7 + i / 10) % 10];
      const Result result = run(test, batch_of(test, data, false), 1.0F, serial_executor());
      for (std::size_t row = 0; row < data.rows; ++row) {
        const double got = static_cast<double>(result.row_losses[row]);
        const double expected =
            test.reference(data.row_of(data.target, row), data.row_of(data.prediction, row));
        CHECK(std::isfinite(got));
        CHECK_MESSAGE(std::fabs(got - expected) <= 1e-6 * (1 + std::fabs(expected)), got, " for ", expected);
      }
      for (const float gradient : result.gradient) CHECK(std::isfinite(gradient));
      for (const float p : result.activated) CHECK((p >= 0.0F && p <= 1.0F));
    }
  }
}

TEST_CASE("extreme probabilities give finite values, and no gradient where they are clipped") {
  for (const Case& test : cases()) {
    const bool one_by_one = test.predictions == Predictions::probabilities;
    if (!one_by_one && test.predictions != Predictions::distribution) continue;
    CAPTURE(test.name);
    CAPTURE(test.loss->repr());
    Data data = make_data(test, 12, 3);
    const std::vector<float> extremes{0.0F, 1.0F, 1e-40F, 1e-9F, 1.0F - 6e-8F, 0.0F, 0.0F};
    for (std::size_t i = 0; i < 36; ++i) data.prediction[i] = i < 3 ? 0.0F : extremes[i % 7];
    const Result result = run(test, batch_of(test, data, false), 1.0F, serial_executor());
    for (const float loss : result.row_losses) CHECK(std::isfinite(loss));
    for (const float gradient : result.gradient) CHECK(std::isfinite(gradient));
    if (test.name == "binary") {
      for (const float gradient : result.gradient) CHECK(gradient == 0.0F);
    }
  }
}
