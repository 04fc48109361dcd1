// The update against the formulas in float64: clipping, penalties, constraints, frozen layers, moving
// averages.
#include "lamina/training/update.h"

#include <doctest/doctest.h>

#include <cmath>

#include "lamina/core/error.h"
#include "lamina/core/thread_pool.h"
#include "training/sessions.h"

using namespace lamina;
using namespace lamina::test;

namespace {

std::shared_ptr<Graph> built(const Model& model) {
  auto graph = model.graph().clone();
  graph->ensure_weights(1);
  return graph;
}

std::vector<float> gradient_for(const Graph& graph) {
  std::vector<float> gradient(graph.parameter_count);
  for (std::size_t i = 0; i < gradient.size(); ++i)
    gradient[i] = 0.3F * std::sin(static_cast<float>(i) * 1.7F);
  return gradient;
}

// One update of `graph` by that gradient.
void update_once(Graph& graph, const OptimizerPtr& optimizer) {
  Update update(graph, *optimizer);
  const std::vector<float> gradient = gradient_for(graph);
  std::copy(gradient.begin(), gradient.end(), update.gradient());
  update.begin(graph);
  CHECK(update.apply(graph, 1.0, serial_executor()));
}

double norm_of(const std::vector<double>& values, std::size_t first, std::size_t count) {
  double sum = 0;
  for (std::size_t i = first; i < first + count; ++i) sum += values[i] * values[i];
  return std::sqrt(sum);
}

// Gradient with penalties: g + l1 * sign(w) + 2 * l2 * w.
std::vector<double> whole_gradient(const Graph& graph) {
  const std::vector<float> gradient = gradient_for(graph);
  std::vector<double> result(gradient.begin(), gradient.end());
  for (const Parameter& parameter : graph.parameters) {
    if (!parameter.regularizer) continue;
    for (std::size_t i = parameter.offset; i < parameter.offset + parameter.size; ++i) {
      const double w = static_cast<double>(graph.parameter_values.data()[i]);
      result[i] += parameter.regularizer->l1() * ((w > 0) - (w < 0)) + 2 * parameter.regularizer->l2() * w;
    }
  }
  return result;
}

void check_moved(const Graph& before, const Graph& after, const std::vector<double>& gradient, double rate) {
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double expected = static_cast<double>(before.parameter_values.data()[i]) - rate * gradient[i];
    REQUIRE(static_cast<double>(after.parameter_values.data()[i]) ==
            doctest::Approx(expected).epsilon(1e-5).scale(0.1));
  }
}

Model penalised_model() {
  DenseOptions first;
  first.units = 6;
  first.kernel_regularizer = l1_l2({.l1 = 0.05, .l2 = 0.1});
  DenseOptions second;
  second.units = 3;
  second.bias_regularizer = l2({.l2 = 0.2});
  return sequential({input({5}), dense(first), dense(second)}, 2);
}

}  // namespace

TEST_CASE("penalties are part of the gradient") {
  const auto before = built(penalised_model());
  const auto after = before->clone();
  update_once(*after, sgd({.learning_rate = 0.5}));
  check_moved(*before, *after, whole_gradient(*before), 0.5);
}

TEST_CASE("clipnorm bounds the norm of each parameter's gradient, penalties included") {
  const auto before = built(penalised_model());
  for (const double limit : {0.01, 0.9, 100.0}) {
    CAPTURE(limit);
    std::vector<double> gradient = whole_gradient(*before);
    for (const Parameter& parameter : before->parameters) {
      const double norm = norm_of(gradient, parameter.offset, parameter.size);
      for (std::size_t i = 0; i < parameter.size; ++i)
        gradient[parameter.offset + i] *= limit / std::max(norm, limit);
    }
    const auto after = before->clone();
    update_once(*after, sgd({.learning_rate = 0.5, .clipnorm = limit}));
    check_moved(*before, *after, gradient, 0.5);
  }
}

TEST_CASE("global_clipnorm bounds the norm of all together") {
  const auto before = built(penalised_model());
  for (const double limit : {0.01, 0.9, 100.0}) {
    CAPTURE(limit);
    std::vector<double> gradient = whole_gradient(*before);
    const double norm = norm_of(gradient, 0, gradient.size());
    for (double& value : gradient) value *= limit / std::max(norm, limit);
    const auto after = before->clone();
    update_once(*after, sgd({.learning_rate = 0.5, .global_clipnorm = limit}));
    check_moved(*before, *after, gradient, 0.5);
  }
}

TEST_CASE("clipvalue bounds each element") {
  const auto before = built(penalised_model());
  std::vector<double> gradient = whole_gradient(*before);
  std::size_t clipped = 0;
  for (double& value : gradient) {
    clipped += std::abs(value) > 0.1;
    value = std::clamp(value, -0.1, 0.1);
  }
  CHECK(clipped > 5);
  const auto after = before->clone();
  update_once(*after, sgd({.learning_rate = 0.5, .clipvalue = 0.1}));
  check_moved(*before, *after, gradient, 0.5);
}

TEST_CASE("sums over batches are divided by their weights before they are clipped") {
  const auto before = built(penalised_model());
  for (const bool clips : {false, true}) {
    CAPTURE(clips);
    SGDOptions options;
    options.learning_rate = 0.5;
    options.gradient_accumulation_steps = 2;
    if (clips) options.global_clipnorm = 0.2;
    const auto after = before->clone();
    const OptimizerPtr optimizer = sgd(options);
    Update update(*after, *optimizer);
    const std::vector<float> once = gradient_for(*before);
    for (std::size_t i = 0; i < once.size(); ++i) update.gradient()[i] = once[i] * 40;
    update.begin(*after);
    CHECK_FALSE(update.apply(*after, 30, serial_executor()));
    CHECK(update.accumulates());
    update.begin(*after);
    CHECK(update.apply(*after, 10, serial_executor()));
    CHECK_FALSE(update.accumulates());
    std::vector<double> gradient = whole_gradient(*before);
    const double norm = norm_of(gradient, 0, gradient.size());
    for (double& value : gradient) value *= clips ? 0.2 / norm : 1.0;
    check_moved(*before, *after, gradient, 0.5);
  }
}

TEST_CASE("constraints hold after every step") {
  DenseOptions options;
  options.units = 4;
  options.kernel_constraint = max_norm({.max_value = 0.3});
  options.bias_constraint = non_neg();
  const auto session = make_session(sequential({input({5}), dense(options), dense(3)}, 1),
                                    adam({.learning_rate = 0.1}), mean_squared_error());
  const Samples samples(40);
  session->prepare(samples.with_values(), true);
  bool held_back = false;
  const auto hook = [&](const Progress& progress) {
    if (!progress.batch_ends) return true;
    const auto weights = session->model().flat_parameters();
    for (std::size_t unit = 0; unit < 4; ++unit) {
      double squares = 0;
      for (std::size_t i = 0; i < 5; ++i) squares += std::pow(static_cast<double>(weights[i * 4 + unit]), 2);
      CHECK(std::sqrt(squares) <= 0.3 + 1e-6);
      held_back = held_back || std::sqrt(squares) > 0.29;
      CHECK(weights[20 + unit] >= 0.0F);
    }
    return true;
  };
  session->train_epoch(samples.with_values(), {.batch_size = 4, .batch_hook = hook});
  CHECK(held_back);
}

TEST_CASE("frozen layers never move, whatever the optimizer does") {
  const Samples samples(40);
  for (const OptimizerPtr& optimizer : {adam({.weight_decay = 0.1, .clipnorm = 0.1, .use_ema = true}),
                                        sgd({.momentum = 0.9, .weight_decay = 0.1}),
                                        adam({.global_clipnorm = 0.1, .gradient_accumulation_steps = 2})}) {
    const auto session = make_session(busy_model(), optimizer, sparse_categorical_crossentropy());
    session->prepare(samples.with_labels(), true);
    Model& model = session->model();
    const auto train = [&](std::int64_t epoch) {
      session->train_epoch(samples.with_labels(), {.batch_size = 10, .epoch = epoch});
    };
    const auto moved = [&](const Numbers& before) {
      std::vector<bool> layers(model.num_layers(), false);
      const Numbers now = numbers_of(*session);
      for (const Parameter& parameter : model.graph().parameters) {
        for (std::size_t i = parameter.offset; i < parameter.offset + parameter.size; ++i) {
          if (now.weights[i] != before.weights[i]) layers[parameter.layer] = true;
        }
      }
      return layers;
    };
    train(0);
    model.set_trainable(0, false);
    model.set_trainable(1, false);
    Numbers before = numbers_of(*session);
    train(1);
    CHECK(moved(before) == std::vector<bool>{false, false, false, true, true});
    CHECK(numbers_of(*session).statistics == before.statistics);  // batch normalization is frozen too
    model.set_trainable(0, true);
    model.set_trainable(1, true);
    model.set_trainable(4, false);
    before = numbers_of(*session);
    train(2);
    CHECK(moved(before) == std::vector<bool>{true, true, false, true, false});
    CHECK(numbers_of(*session).statistics != before.statistics);
  }
}

TEST_CASE("the moving average is that of the weights, and swaps with them") {
  const Samples samples(40);
  const auto session = make_session(
      plain_model(), sgd({.learning_rate = 0.1, .use_ema = true, .ema_momentum = 0.7}), mean_squared_error());
  CHECK_THROWS_AS(session->swap_ema(), StateError);
  session->prepare(samples.with_values(), true);
  std::vector<double> average;
  const auto hook = [&](const Progress& progress) {
    if (!progress.batch_ends) return true;
    const auto weights = session->model().flat_parameters();
    if (average.empty())
      average.assign(weights.begin(), weights.end());  // it begins at the first update's weights
    for (std::size_t i = 0; i < average.size(); ++i)
      average[i] = 0.7 * average[i] + 0.3 * static_cast<double>(weights[i]);
    return true;
  };
  session->train_epoch(samples.with_values(), {.batch_size = 8, .batch_hook = hook});
  const Numbers before = numbers_of(*session);
  const double with_average = session->evaluate(samples.with_values(), 40, nullptr, true).loss;
  session->swap_ema();
  for (std::size_t i = 0; i < average.size(); ++i) {
    REQUIRE(static_cast<double>(session->model().flat_parameters()[i]) ==
            doctest::Approx(average[i]).epsilon(1e-5).scale(0.1));
  }
  CHECK(session->evaluate(samples.with_values(), 40, nullptr).loss == with_average);
  session->swap_ema();
  CHECK(numbers_of(*session) == before);
  CHECK_THROWS_AS(make_session(plain_model(), sgd(), mean_squared_error())->swap_ema(), StateError);
}

TEST_CASE("sessions that share an optimizer object don't share its numbers") {
  const Samples samples(40);
  const OptimizerPtr shared = adam({.learning_rate = 0.01});
  const auto alone = make_session(plain_model(), adam({.learning_rate = 0.01}), mean_squared_error());
  const auto one = make_session(plain_model(), shared, mean_squared_error());
  const auto other = make_session(plain_model(9), shared, mean_squared_error());
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    for (TrainingSession* session : {alone.get(), one.get(), other.get()}) {
      session->prepare(samples.with_values(), true);
      session->train_epoch(samples.with_values(), {.batch_size = 8, .epoch = epoch});
    }
  }
  CHECK(numbers_of(*one) == numbers_of(*alone));
  shared->set_learning_rate(0.5);
  CHECK(one->learning_rate() == 0.5);
  CHECK(alone->learning_rate() == 0.01);
}

// Kernels this large move inside their gradient's product; clipping by a norm that is never reached keeps the
// gradient whole.
TEST_CASE("an update inside the gradient has the bits of one apart") {
  std::vector<float> x(48 * 300);
  std::vector<float> y(48 * 3);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i) * 0.7F);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::cos(static_cast<float>(i) * 1.3F);
  Dataset data;
  data.inputs = {ArrayView(x.data(), Shape{48, 300})};
  data.targets = {ArrayView(y.data(), Shape{48, 3})};

  const auto weights_after = [&](Config optimizer, std::size_t batch_size, bool apart) {
    DenseOptions wide;
    wide.units = 213;
    wide.activation = kernels::Activation::relu;
    wide.kernel_regularizer = l1_l2({.l1 = 1e-4, .l2 = 1e-3});
    Model model = sequential({input({300}), dense(wide), dense(200, "tanh"), dense(3)}, 5);
    CHECK(model.flat_parameters().size() > 2 * 32768);
    optimizer.fields.emplace_back("weight_decay", 0.01);
    if (apart) optimizer.fields.emplace_back("global_clipnorm", 1e30);
    optimizer.fields.emplace_back("use_ema", true);
    const auto session = make_session(model, Optimizer::registry().make(optimizer), mean_squared_error());
    session->prepare(data, true);
    EpochOptions epoch;
    epoch.batch_size = batch_size;
    session->train_epoch(data, epoch);
    std::vector<float> all(model.flat_parameters().begin(), model.flat_parameters().end());
    all.insert(all.end(), session->ema().begin(), session->ema().end());
    return all;
  };
  for (const auto& entry : Optimizer::registry().entries()) {
    for (const std::size_t batch_size : {1U, 7U, 48U}) {
      CAPTURE(entry.schema.type);
      CAPTURE(batch_size);
      const Config optimizer{entry.schema.type, {}};
      CHECK(weights_after(optimizer, batch_size, false) == weights_after(optimizer, batch_size, true));
    }
  }
}

TEST_CASE("a kernel of one column that moves inside its gradient has the bits of one apart") {
  constexpr std::size_t kInputs = 33000;
  std::vector<float> x(9 * kInputs);
  std::vector<float> y(9);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i) * 0.7F);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::cos(static_cast<float>(i) * 1.3F);
  Dataset data;
  data.inputs = {ArrayView(x.data(), Shape{9, kInputs})};
  data.targets = {ArrayView(y.data(), Shape{9, 1})};
  const auto weights_after = [&](Config optimizer, std::size_t batch_size, bool apart) {
    Model model = sequential({input({kInputs}), dense(1)}, 5);
    if (apart) optimizer.fields.emplace_back("global_clipnorm", 1e30);
    const auto session = make_session(model, Optimizer::registry().make(optimizer), mean_squared_error());
    session->prepare(data, true);
    EpochOptions epoch;
    epoch.batch_size = batch_size;
    session->train_epoch(data, epoch);
    return std::vector<float>(model.flat_parameters().begin(), model.flat_parameters().end());
  };
  for (const char* type : {"SGD", "Adam"}) {
    for (const std::size_t batch_size : {1U, 4U, 9U}) {
      const Config optimizer{type, {}};
      CHECK(weights_after(optimizer, batch_size, false) == weights_after(optimizer, batch_size, true));
    }
  }
}
