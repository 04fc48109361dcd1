// AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lamina/optimizers/described_optimizer.h"

namespace lamina {

struct AdamWOptions {
  LearningRate learning_rate = 0.001;
  double weight_decay = 0.004;  // at least 0
  double beta_1 = 0.9;          // in [0, 1)
  double beta_2 = 0.999;        // in [0, 1)
  double epsilon = 1e-7;        // at least 0
  bool amsgrad = false;
  std::optional<double> clipnorm = {};  // at most one of the three is set
  std::optional<double> clipvalue = {};
  std::optional<double> global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<std::int64_t> gradient_accumulation_steps = {};
};

class AdamW final : public DescribedOptimizer<AdamW, AdamWOptions> {
 public:
  static constexpr const char* kType = "AdamW";
  static constexpr const char* kDoc =
      "Adam with decoupled weight decay: before each of Adam's steps, `w -= learning_rate * weight_decay * "
      "w`.";
  static constexpr std::array kAliases{"adamw"};
  static void fields(Fields<AdamWOptions>& field);
  using DescribedOptimizer::DescribedOptimizer;
  OptimizerKind kind() const override { return OptimizerKind::adam; }
  std::vector<std::string> slots() const override;
  void constants(std::int64_t step, double learning_rate, std::span<double> memory,
                 OptimizerPass& pass) const override;
};

OptimizerPtr adamw(AdamWOptions options = {});

}  // namespace lamina
