// Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lamina/optimizers/described_optimizer.h"

namespace lamina {

namespace detail {
// The constants of Adam's rule at update number `step`, 0 first.
void adam_constants(std::int64_t step, double learning_rate, double beta_1, double beta_2, double epsilon,
                    OptimizerPass& pass);
}  // namespace detail

struct AdamOptions {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;    // in [0, 1)
  double beta_2 = 0.999;  // in [0, 1)
  double epsilon = 1e-7;  // at least 0
  bool amsgrad = false;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {};  // at most one of the three is set
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<std::int64_t> gradient_accumulation_steps = {};
};

class Adam final : public DescribedOptimizer<Adam, AdamOptions> {
 public:
  static constexpr const char* kType = "Adam";
  static constexpr const char* kDoc =
      "Running means of the gradient and of its square give each weight its own step: `m += (1 - beta_1) * "
      "(g - m); v += (1 - beta_2) * (g^2 - v); w -= learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * "
      "m / (sqrt(v) + epsilon)`. `epsilon` is the paper's epsilon hat.";
  static constexpr std::array kAliases{"adam"};
  static void fields(Fields<AdamOptions>& field);
  using DescribedOptimizer::DescribedOptimizer;
  OptimizerKind kind() const override { return OptimizerKind::adam; }
  std::vector<std::string> slots() const override;
  void constants(std::int64_t step, double learning_rate, std::span<double> memory,
                 OptimizerPass& pass) const override;
};

OptimizerPtr adam(AdamOptions options = {});

}  // namespace lamina
