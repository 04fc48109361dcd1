// Adagrad (Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning", 2011).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lamina/optimizers/described_optimizer.h"

namespace lamina {

struct AdagradOptions {
  LearningRate learning_rate = 0.001;
  double initial_accumulator_value = 0.1;  // at least 0
  double epsilon = 1e-7;                   // at least 0
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {};  // at most one of the three is set
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<std::int64_t> gradient_accumulation_steps = {};
};

class Adagrad final : public DescribedOptimizer<Adagrad, AdagradOptions> {
 public:
  static constexpr const char* kType = "Adagrad";
  static constexpr const char* kDoc =
      "Divides the gradient by the root of all its squares so far: `a += g^2; w -= learning_rate * g / "
      "sqrt(a + epsilon)`.";
  static constexpr std::array kAliases{"adagrad"};
  static void fields(Fields<AdagradOptions>& field);
  using DescribedOptimizer::DescribedOptimizer;
  OptimizerKind kind() const override { return OptimizerKind::adagrad; }
  std::vector<std::string> slots() const override;
  float initial_slot_value() const override { return detail::narrow(options_.initial_accumulator_value); }
  void constants(std::int64_t step, double learning_rate, std::span<double> memory,
                 OptimizerPass& pass) const override;
};

OptimizerPtr adagrad(AdagradOptions options = {});

}  // namespace lamina
