// RMSprop (Hinton, "Neural Networks for Machine Learning", lecture 6, 2012).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lamina/optimizers/described_optimizer.h"

namespace lamina {

struct RMSpropOptions {
  LearningRate learning_rate = 0.001;
  double rho = 0.9;       // in [0, 1)
  double momentum = 0.0;  // in [0, 1]
  double epsilon = 1e-7;  // at least 0
  bool centered = false;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {};  // at most one of the three is set
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<std::int64_t> gradient_accumulation_steps = {};
};

class RMSprop final : public DescribedOptimizer<RMSprop, RMSpropOptions> {
 public:
  static constexpr const char* kType = "RMSprop";
  static constexpr const char* kDoc =
      "Divides the gradient by a running root mean square of it: `v = rho * v + (1 - rho) * g^2; w -= "
      "learning_rate * g / sqrt(v + epsilon)`. `centered` subtracts the square of the mean gradient from "
      "v; with `momentum` the steps gather in `m = momentum * m + step`.";
  static constexpr std::array kAliases{"rmsprop"};
  static void fields(Fields<RMSpropOptions>& field);
  using DescribedOptimizer::DescribedOptimizer;
  OptimizerKind kind() const override { return OptimizerKind::rmsprop; }
  std::vector<std::string> slots() const override;
  void constants(std::int64_t step, double learning_rate, std::span<double> memory,
                 OptimizerPass& pass) const override;
};

OptimizerPtr rmsprop(RMSpropOptions options = {});

}  // namespace lamina
