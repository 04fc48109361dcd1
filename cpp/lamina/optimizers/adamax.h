// Adamax (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, section 7.1).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lamina/optimizers/described_optimizer.h"

namespace lamina {

struct AdamaxOptions {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;    // in [0, 1)
  double beta_2 = 0.999;  // in [0, 1)
  double epsilon = 1e-7;  // at least 0
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {};  // at most one of the three is set
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<std::int64_t> gradient_accumulation_steps = {};
};

class Adamax final : public DescribedOptimizer<Adamax, AdamaxOptions> {
 public:
  static constexpr const char* kType = "Adamax";
  static constexpr const char* kDoc =
      "Adam with the largest recent gradient in place of the root mean square: `m += (1 - beta_1) * (g - "
      "m); u = max(beta_2 * u, |g|); w -= learning_rate / (1 - beta_1^t) * m / (u + epsilon)`.";
  static constexpr std::array kAliases{"adamax"};
  static void fields(Fields<AdamaxOptions>& field);
  using DescribedOptimizer::DescribedOptimizer;
  OptimizerKind kind() const override { return OptimizerKind::adamax; }
  std::vector<std::string> slots() const override;
  void constants(std::int64_t step, double learning_rate, std::span<double> memory,
                 OptimizerPass& pass) const override;
};

OptimizerPtr adamax(AdamaxOptions options = {});

}  // namespace lamina
