// Lion (Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lamina/optimizers/described_optimizer.h"

namespace lamina {

struct LionOptions {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;   // in [0, 1)
  double beta_2 = 0.99;  // in [0, 1)
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {};  // at most one of the three is set
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<std::int64_t> gradient_accumulation_steps = {};
};

class Lion final : public DescribedOptimizer<Lion, LionOptions> {
 public:
  static constexpr const char* kType = "Lion";
  static constexpr const char* kDoc =
      "Every weight moves by the learning rate, in the direction of a mean gradient: `w -= learning_rate * "
      "sign(beta_1 * m + (1 - beta_1) * g); m = beta_2 * m + (1 - beta_2) * g`. It wants a learning rate 3 "
      "to 10 times smaller than Adam's.";
  static constexpr std::array kAliases{"lion"};
  static void fields(Fields<LionOptions>& field);
  using DescribedOptimizer::DescribedOptimizer;
  OptimizerKind kind() const override { return OptimizerKind::lion; }
  std::vector<std::string> slots() const override;
  void constants(std::int64_t step, double learning_rate, std::span<double> memory,
                 OptimizerPass& pass) const override;
};

OptimizerPtr lion(LionOptions options = {});

}  // namespace lamina
