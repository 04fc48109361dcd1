// Stochastic gradient descent, with momentum (Polyak, 1964; Nesterov, 1983).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lamina/optimizers/described_optimizer.h"

namespace lamina {

struct SGDOptions {
  LearningRate learning_rate = 0.01;
  double momentum = 0.0;  // in [0, 1]
  bool nesterov = false;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {};  // at most one of the three is set
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<std::int64_t> gradient_accumulation_steps = {};
  std::optional<double> dampening = {};  // in [0, 1]; none means the momentum
};

class SGD final : public DescribedOptimizer<SGD, SGDOptions> {
 public:
  static constexpr const char* kType = "SGD";
  static constexpr const char* kDoc =
      "Gradient descent. With `momentum` it steps by a running mean of the gradients: `v = momentum * v + "
      "(1 - momentum) * g; w -= learning_rate * v`. That is `dampening=None`, which means `dampening = "
      "momentum`; `dampening=0.0` gives the classical form of Keras and PyTorch, `v = momentum * v + g`, "
      "whose steps are `1 / (1 - momentum)` times as long. In general `v = momentum * v + (1 - dampening) "
      "* g`, and `nesterov` steps by `momentum * v + (1 - dampening) * g` after that. Without momentum, `w "
      "-= learning_rate * g`.";
  static constexpr std::array kAliases{"sgd"};
  static void fields(Fields<SGDOptions>& field);
  using DescribedOptimizer::DescribedOptimizer;
  OptimizerKind kind() const override { return OptimizerKind::sgd; }
  std::vector<std::string> slots() const override;
  void constants(std::int64_t step, double learning_rate, std::span<double> memory,
                 OptimizerPass& pass) const override;
};

OptimizerPtr sgd(SGDOptions options = {});

}  // namespace lamina
