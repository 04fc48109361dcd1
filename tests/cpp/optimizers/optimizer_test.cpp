// Every rule, on every kernel table, against the formulas of Keras 3 in float64, element by element.
#include "lamina/optimizers/optimizer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "lamina/kernels/dispatch.h"
#include "lamina/optimizers/adagrad.h"
#include "lamina/optimizers/adam.h"
#include "lamina/optimizers/adamax.h"
#include "lamina/optimizers/adamw.h"
#include "lamina/optimizers/lion.h"
#include "lamina/optimizers/nadam.h"
#include "lamina/optimizers/rmsprop.h"
#include "lamina/optimizers/sgd.h"
#include "lamina/schedules/decay.h"

namespace lamina {
namespace {

constexpr std::size_t kCount = 37;  // two widths of the widest vectors, and a tail
constexpr int kSteps = 20;

// One parameter of the reference: its value and what the rule remembers.
struct Weight {
  double w = 0, a = 0, b = 0, c = 0, average = 0;
};
// Moves a weight by gradient g at rate lr; t counts from 1.
using Rule = std::function<void(Weight&, double g, double lr, int t)>;

double gradient_at(int step, std::size_t i) {
  if (i == 5) return 0.0;  // never any gradient: the step must be 0, not NaN
  return std::sin(1.7 * step + 0.9 * static_cast<double>(i)) + 0.3 * std::cos(static_cast<double>(i * i));
}

double sign(double x) {
  return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0;
}

struct Penalty {
  double scale = 1.0, l1 = 0.0, l2 = 0.0;
};

// The values after kSteps, and the moving averages.
struct Result {
  std::vector<double> w, average;
};

Result run_reference(const Rule& rule, const OptimizerCommon& common, double initial_slot, Penalty penalty) {
  std::vector<Weight> weights(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    weights[i].w = static_cast<double>(static_cast<float>(std::cos(3.0 * static_cast<double>(i))));
    weights[i].a = weights[i].b = weights[i].c = initial_slot;
  }
  for (int step = 0; step < kSteps; ++step) {
    const double lr = common.learning_rate.at(step);
    for (std::size_t i = 0; i < kCount; ++i) {
      Weight& x = weights[i];
      double g = static_cast<double>(static_cast<float>(gradient_at(step, i))) * penalty.scale;
      g += penalty.l1 * sign(x.w) + 2.0 * penalty.l2 * x.w;
      if (common.clipvalue) g = std::max(-*common.clipvalue, std::min(*common.clipvalue, g));
      if (common.weight_decay) x.w -= x.w * *common.weight_decay * lr;
      rule(x, g, lr, step + 1);
      const double momentum = step == 0 ? 0.0 : common.ema_momentum;
      x.average = momentum * x.average + (1.0 - momentum) * x.w;
    }
  }
  Result result;
  for (const Weight& x : weights) {
    result.w.push_back(x.w);
    result.average.push_back(x.average);
  }
  return result;
}

Result run_kernel(const kernels::TrainingTable& table, const Optimizer& optimizer, Penalty penalty) {
  const OptimizerCommon common = optimizer.common();
  std::vector<float> w(kCount), gradient(kCount), ema(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    w[i] = static_cast<float>(std::cos(3.0 * static_cast<double>(i)));
  }
  std::vector<std::vector<float>> slots;
  for (const std::string& name : optimizer.slots()) {
    slots.emplace_back(name.empty() ? 0 : kCount, optimizer.initial_slot_value());
  }
  std::vector<double> memory(optimizer.memory_size(), 1.0);
  for (int step = 0; step < kSteps; ++step) {
    for (std::size_t i = 0; i < kCount; ++i) gradient[i] = static_cast<float>(gradient_at(step, i));
    kernels::OptimizerPass pass{};
    pass.w = w.data();
    pass.gradient = gradient.data();
    for (std::size_t s = 0; s < slots.size(); ++s) {
      pass.slots[s] = slots[s].empty() ? nullptr : slots[s].data();
    }
    pass.ema = common.use_ema ? ema.data() : nullptr;
    pass.n = kCount;
    pass.gradient_scale = static_cast<float>(penalty.scale);
    pass.l1 = static_cast<float>(penalty.l1);
    pass.l2 = static_cast<float>(penalty.l2);
    const double lr = common.learning_rate.at(step);
    common_constants(common, step, lr, pass);
    optimizer.constants(step, lr, memory, pass);
    table.optimizer(optimizer.kind(), pass);
  }
  return {{w.begin(), w.end()}, {ema.begin(), ema.end()}};
}

// The tolerance: a step rounds the weight once, by at most 2^-24 of it (weights stay below 4 here, so 2^-22),
// and its length carries the roundings of the slots, which fade with the means, and of a dozen operations:
// below 32 * 2^-24 of a length below 1. Twenty steps of both are 20 * (2^-22 + 2^-19) < 5e-5 in the worst
// case; roundings of either sign leave far less, and 1e-5 still tells any wrong formula.
void check_rule(const std::string& name, const OptimizerPtr& optimizer, const Rule& rule,
                Penalty penalty = {}) {
  const Result expected =
      run_reference(rule, optimizer->common(), static_cast<double>(optimizer->initial_slot_value()), penalty);
  for (const kernels::TrainingTable* table : kernels::available_training_tables()) {
    CAPTURE(name);
    CAPTURE(std::string(table->name));
    const Result got = run_kernel(*table, *optimizer, penalty);
    for (std::size_t i = 0; i < kCount; ++i) {
      CAPTURE(i);
      CHECK(std::abs(expected.w[i]) < 4.0);
      CHECK(std::abs(got.w[i] - expected.w[i]) < 1e-5);
      if (optimizer->common().use_ema) CHECK(std::abs(got.average[i] - expected.average[i]) < 1e-5);
    }
  }
}

// ---- the rules of Keras 3, as its sources state them

Rule plain() {
  return [](Weight& x, double g, double lr, int) { x.w -= lr * g; };
}

// Keras's own form of classical momentum, where the rate enters the velocity.
Rule keras_momentum(double momentum, bool nesterov) {
  return [=](Weight& x, double g, double lr, int) {
    x.a = x.a * momentum - g * lr;
    x.w += nesterov ? x.a * momentum - g * lr : x.a;
  };
}

Rule dampened_momentum(double momentum, double dampening, bool nesterov) {
  return [=](Weight& x, double g, double lr, int) {
    x.a = momentum * x.a + (1 - dampening) * g;
    x.w -= lr * (nesterov ? momentum * x.a + (1 - dampening) * g : x.a);
  };
}

Rule keras_rmsprop(double rho, double momentum, double epsilon, bool centered) {
  return [=](Weight& x, double g, double lr, int) {
    x.a = rho * x.a + (1 - rho) * g * g;
    x.b = rho * x.b + (1 - rho) * g;
    const double increment = lr * g / std::sqrt(x.a - (centered ? x.b * x.b : 0.0) + epsilon);
    x.c = momentum * x.c + increment;
    x.w -= x.c;
  };
}

Rule keras_adam(double beta_1, double beta_2, double epsilon, bool amsgrad) {
  return [=](Weight& x, double g, double lr, int t) {
    const double alpha = lr * std::sqrt(1 - std::pow(beta_2, t)) / (1 - std::pow(beta_1, t));
    x.a += (g - x.a) * (1 - beta_1);
    x.b += (g * g - x.b) * (1 - beta_2);
    x.c = std::max(x.c, x.b);
    x.w -= x.a * alpha / (std::sqrt(amsgrad ? x.c : x.b) + epsilon);
  };
}

Rule keras_adamax(double beta_1, double beta_2, double epsilon) {
  return [=](Weight& x, double g, double lr, int t) {
    x.a += (g - x.a) * (1 - beta_1);
    x.b = std::max(beta_2 * x.b, std::abs(g));
    x.w -= lr * x.a / ((1 - std::pow(beta_1, t)) * (x.b + epsilon));
  };
}

Rule keras_nadam(double beta_1, double beta_2, double epsilon) {
  return [=](Weight& x, double g, double lr, int t) {
    const auto u = [&](int step) { return beta_1 * (1.0 - 0.5 * std::pow(0.96, step)); };
    double product = 1.0;
    for (int step = 1; step <= t; ++step) product *= u(step);
    x.a += (g - x.a) * (1 - beta_1);
    x.b += (g * g - x.b) * (1 - beta_2);
    const double m_hat = u(t + 1) * x.a / (1 - product * u(t + 1)) + (1 - u(t)) * g / (1 - product);
    x.w -= m_hat * lr / (std::sqrt(x.b / (1 - std::pow(beta_2, t))) + epsilon);
  };
}

Rule keras_adagrad(double epsilon) {
  return [=](Weight& x, double g, double lr, int) {
    x.a += g * g;
    x.w -= lr * g / std::sqrt(x.a + epsilon);
  };
}

Rule keras_lion(double beta_1, double beta_2) {
  return [=](Weight& x, double g, double lr, int) {
    x.w -= lr * sign(x.a * beta_1 + g * (1 - beta_1));
    x.a = x.a * beta_2 + g * (1 - beta_2);
  };
}

TEST_CASE("SGD") {
  check_rule("plain", sgd({.learning_rate = 0.1}), plain());
  check_rule("dampening is ignored without momentum", sgd({.learning_rate = 0.1, .dampening = 0.5}), plain());
  for (const bool nesterov : {false, true}) {
    CAPTURE(nesterov);
    check_rule("the mean of gradients, unless told otherwise",
               sgd({.learning_rate = 0.1, .momentum = 0.9, .nesterov = nesterov}),
               dampened_momentum(0.9, 0.9, nesterov));
    check_rule("dampening",
               sgd({.learning_rate = 0.05, .momentum = 0.9, .nesterov = nesterov, .dampening = 0.3}),
               dampened_momentum(0.9, 0.3, nesterov));
    check_rule("dampening 0 is Keras's momentum",
               sgd({.learning_rate = 0.02, .momentum = 0.9, .nesterov = nesterov, .dampening = 0.0}),
               keras_momentum(0.9, nesterov));
  }
}

TEST_CASE("RMSprop") {
  check_rule("defaults", rmsprop({.learning_rate = 0.01}), keras_rmsprop(0.9, 0.0, 1e-7, false));
  check_rule("momentum", rmsprop({.learning_rate = 0.01, .rho = 0.8, .momentum = 0.7, .epsilon = 1e-4}),
             keras_rmsprop(0.8, 0.7, 1e-4, false));
  check_rule("centered", rmsprop({.learning_rate = 0.01, .epsilon = 1e-3, .centered = true}),
             keras_rmsprop(0.9, 0.0, 1e-3, true));
  check_rule("centered, with momentum",
             rmsprop({.learning_rate = 0.01, .momentum = 0.7, .epsilon = 1e-3, .centered = true}),
             keras_rmsprop(0.9, 0.7, 1e-3, true));
}

TEST_CASE("Adam") {
  check_rule("defaults", adam({.learning_rate = 0.01}), keras_adam(0.9, 0.999, 1e-7, false));
  check_rule("betas", adam({.learning_rate = 0.05, .beta_1 = 0.5, .beta_2 = 0.67, .epsilon = 1e-3}),
             keras_adam(0.5, 0.67, 1e-3, false));
  check_rule("no memory", adam({.learning_rate = 0.05, .beta_1 = 0.0, .beta_2 = 0.0}),
             keras_adam(0.0, 0.0, 1e-7, false));
  check_rule("amsgrad", adam({.learning_rate = 0.05, .beta_2 = 0.6, .amsgrad = true}),
             keras_adam(0.9, 0.6, 1e-7, true));
}

TEST_CASE("AdamW is Adam with weight decay, 0.004 unless told otherwise") {
  const auto optimizer = adamw({.learning_rate = 0.05});
  CHECK(optimizer->common().weight_decay == 0.004);
  check_rule("defaults", optimizer, keras_adam(0.9, 0.999, 1e-7, false));
  check_rule("amsgrad", adamw({.learning_rate = 0.05, .weight_decay = 0.3, .amsgrad = true}),
             keras_adam(0.9, 0.999, 1e-7, true));
}

TEST_CASE("Adamax") {
  check_rule("defaults", adamax({.learning_rate = 0.05}), keras_adamax(0.9, 0.999, 1e-7));
  check_rule("betas", adamax({.learning_rate = 0.05, .beta_1 = 0.85, .beta_2 = 0.7, .epsilon = 1e-3}),
             keras_adamax(0.85, 0.7, 1e-3));
}

TEST_CASE("Nadam") {
  check_rule("defaults", nadam({.learning_rate = 0.05}), keras_nadam(0.9, 0.999, 1e-7));
  check_rule("betas", nadam({.learning_rate = 0.05, .beta_1 = 0.5, .beta_2 = 0.67, .epsilon = 1e-3}),
             keras_nadam(0.5, 0.67, 1e-3));
}

TEST_CASE("Adagrad") {
  check_rule("defaults", adagrad({.learning_rate = 0.1}), keras_adagrad(1e-7));
  check_rule("accumulator",
             adagrad({.learning_rate = 0.1, .initial_accumulator_value = 0.5, .epsilon = 0.01}),
             keras_adagrad(0.01));
}

TEST_CASE("Lion") {
  check_rule("defaults", lion({.learning_rate = 0.01}), keras_lion(0.9, 0.99));
  check_rule("betas", lion({.learning_rate = 0.01, .beta_1 = 0.4, .beta_2 = 0.7}), keras_lion(0.4, 0.7));
}

TEST_CASE("weight decay, clipping, penalties, averages and schedules go with every rule") {
  const LearningRate rate =
      exponential_decay({.initial_learning_rate = 0.05, .decay_steps = 10, .decay_rate = 0.5});
  const Penalty penalty{.scale = 0.5, .l1 = 0.05, .l2 = 0.1};
  const auto check = [&](auto make, auto options, const Rule& rule) {
    options.learning_rate = rate;
    options.weight_decay = 0.2;
    options.clipvalue = 0.4;
    options.use_ema = true;
    options.ema_momentum = 0.8;
    const OptimizerPtr optimizer = make(options);
    check_rule(optimizer->type(), optimizer, rule, penalty);
  };
  check(sgd, SGDOptions{.momentum = 0.9}, dampened_momentum(0.9, 0.9, false));
  check(rmsprop, RMSpropOptions{}, keras_rmsprop(0.9, 0.0, 1e-7, false));
  check(adam, AdamOptions{}, keras_adam(0.9, 0.999, 1e-7, false));
  check(adamw, AdamWOptions{}, keras_adam(0.9, 0.999, 1e-7, false));
  check(adamax, AdamaxOptions{}, keras_adamax(0.9, 0.999, 1e-7));
  check(nadam, NadamOptions{}, keras_nadam(0.9, 0.999, 1e-7));
  check(adagrad, AdagradOptions{}, keras_adagrad(1e-7));
  check(lion, LionOptions{}, keras_lion(0.9, 0.99));
}

// ---- declarations

template <class Make, class Options, class Change>
std::string refusal(Make make, Options options, Change change) {
  change(options);
  try {
    make(options);
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "accepted";
}

template <class Make, class Options>
void check_common_errors(Make make, Options options) {
  const auto refused = [&](auto change) { return refusal(make, options, change) != "accepted"; };
  const double nan = std::nan("");
  CHECK(refused([&](Options& o) { o.learning_rate = -0.1; }));
  CHECK(refused([&](Options& o) { o.learning_rate = nan; }));
  CHECK(refused([&](Options& o) { o.learning_rate = HUGE_VAL; }));
  CHECK_FALSE(refused([&](Options& o) { o.learning_rate = 0.0; }));
  CHECK(refused([&](Options& o) { o.weight_decay = -1.0; }));
  CHECK(refused([&](Options& o) { o.clipnorm = 0.0; }));
  CHECK(refused([&](Options& o) { o.clipvalue = -1.0; }));
  CHECK(refused([&](Options& o) { o.global_clipnorm = nan; }));
  CHECK(refused([&](Options& o) { o.clipnorm = o.clipvalue = 1.0; }));
  CHECK(refused([&](Options& o) { o.clipnorm = o.global_clipnorm = 1.0; }));
  CHECK(refused([&](Options& o) { o.clipvalue = o.global_clipnorm = 1.0; }));
  CHECK(refused([&](Options& o) { o.ema_momentum = 1.1; }));
  CHECK(refused([&](Options& o) { o.gradient_accumulation_steps = 0; }));
  CHECK_FALSE(refused([&](Options& o) { o.gradient_accumulation_steps = 1; }));
}

TEST_CASE("hyperparameters are checked at construction") {
  check_common_errors(sgd, SGDOptions{});
  check_common_errors(rmsprop, RMSpropOptions{});
  check_common_errors(adam, AdamOptions{});
  check_common_errors(adamw, AdamWOptions{});
  check_common_errors(adamax, AdamaxOptions{});
  check_common_errors(nadam, NadamOptions{});
  check_common_errors(adagrad, AdagradOptions{});
  check_common_errors(lion, LionOptions{});
  CHECK_THROWS_AS(sgd({.momentum = 1.1}), ArgumentError);
  CHECK_THROWS_AS(sgd({.dampening = -0.1}), ArgumentError);
  CHECK_THROWS_AS(rmsprop({.rho = 1.0}), ArgumentError);
  CHECK_THROWS_AS(adam({.beta_1 = 1.0}), ArgumentError);
  CHECK_THROWS_AS(adamw({.beta_2 = -0.1}), ArgumentError);
  CHECK_THROWS_AS(adamax({.epsilon = -1.0}), ArgumentError);
  CHECK_THROWS_AS(nadam({.beta_2 = 1.0}), ArgumentError);
  CHECK_THROWS_AS(adagrad({.initial_accumulator_value = -0.1}), ArgumentError);
  CHECK_THROWS_AS(lion({.beta_1 = 1.0}), ArgumentError);
}

TEST_CASE("messages name the optimizer, what was expected and what came") {
  CHECK_THROWS_WITH_AS(adam({.beta_1 = 1.5}), "Adam: expected beta_1 to be a number in [0, 1), got 1.5.",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(
      sgd({.clipnorm = 1.0, .clipvalue = 0.5}),
      "SGD: expected at most one of clipnorm, clipvalue and global_clipnorm, got clipnorm=1.0, "
      "clipvalue=0.5, global_clipnorm=None.",
      ArgumentError);
  CHECK_THROWS_WITH_AS(lion({.learning_rate = -1.0}),
                       "Lion: expected learning_rate to be a non-negative number or a schedule, got -1.0.",
                       ArgumentError);
}

TEST_CASE("the learning rate can be set, and is checked") {
  const auto optimizer = adam({.learning_rate = 1e-3F});
  CHECK(optimizer->common().learning_rate.value == 1e-3);  // what was meant by the float
  optimizer->set_learning_rate(0.5);
  CHECK(optimizer->common().learning_rate.at(3) == 0.5);
  CHECK_THROWS_AS(optimizer->set_learning_rate(-0.5), ArgumentError);
  CHECK(optimizer->common().learning_rate.at(3) == 0.5);
  optimizer->set_learning_rate(
      exponential_decay({.initial_learning_rate = 1.0, .decay_steps = 1, .decay_rate = 0.5}));
  CHECK(optimizer->common().learning_rate.at(3) == 0.125);
}

TEST_CASE("fields stand in Keras's order with Keras's defaults") {
  const auto fields = [](const char* name) {
    std::string text;
    for (const auto& [field, value] : Optimizer::registry().make(name)->config().fields) {
      text += field + "=" + value.str() + " ";
    }
    return text;
  };
  const std::string common =
      "clipnorm=None clipvalue=None global_clipnorm=None use_ema=False ema_momentum=0.99 "
      "gradient_accumulation_steps=None ";
  const std::string decay_and_common = "weight_decay=None " + common;
  CHECK(fields("sgd") ==
        "learning_rate=0.01 momentum=0.0 nesterov=False " + decay_and_common + "dampening=None ");
  CHECK(fields("rmsprop") ==
        "learning_rate=0.001 rho=0.9 momentum=0.0 epsilon=1e-07 centered=False " + decay_and_common);
  CHECK(fields("adam") ==
        "learning_rate=0.001 beta_1=0.9 beta_2=0.999 epsilon=1e-07 amsgrad=False " + decay_and_common);
  CHECK(fields("adamw") ==
        "learning_rate=0.001 weight_decay=0.004 beta_1=0.9 beta_2=0.999 epsilon=1e-07 amsgrad=False " +
            common);
  CHECK(fields("adamax") == "learning_rate=0.001 beta_1=0.9 beta_2=0.999 epsilon=1e-07 " + decay_and_common);
  CHECK(fields("nadam") == "learning_rate=0.001 beta_1=0.9 beta_2=0.999 epsilon=1e-07 " + decay_and_common);
  CHECK(fields("adagrad") ==
        "learning_rate=0.001 initial_accumulator_value=0.1 epsilon=1e-07 " + decay_and_common);
  CHECK(fields("lion") == "learning_rate=0.001 beta_1=0.9 beta_2=0.99 " + decay_and_common);
}

TEST_CASE("optimizers come back from their descriptions, schedules included") {
  const auto optimizer = nadam(
      {.learning_rate = exponential_decay({.initial_learning_rate = 1, .decay_steps = 2, .decay_rate = 0.5}),
       .clipnorm = 2.0,
       .gradient_accumulation_steps = 4});
  const auto again = Optimizer::registry().make(optimizer->config());
  CHECK(again->config() == optimizer->config());
  CHECK(again->common().accumulation_steps == 4);
  CHECK(again->common().learning_rate.at(2) == 0.5);
}

}  // namespace
}  // namespace lamina
