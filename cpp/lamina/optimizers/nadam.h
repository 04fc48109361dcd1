// Nadam (Dozat, "Incorporating Nesterov Momentum into Adam", 2016).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "lamina/optimizers/described_optimizer.h"

namespace lamina {

struct NadamOptions {
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

class Nadam final : public DescribedOptimizer<Nadam, NadamOptions> {
 public:
  static constexpr const char* kType = "Nadam";
  static constexpr const char* kDoc =
      "Adam with Nesterov momentum: with `u_t = beta_1 * (1 - 0.96^t / 2)` and `p_t = u_1 * ... * u_t`, it "
      "steps by `learning_rate * (u_(t+1) * m / (1 - p_(t+1)) + (1 - u_t) * g / (1 - p_t)) / (sqrt(v / (1 "
      "- beta_2^t)) + epsilon)`, where m and v are Adam's means.";
  static constexpr std::array kAliases{"nadam"};
  static void fields(Fields<NadamOptions>& field);
  using DescribedOptimizer::DescribedOptimizer;
  OptimizerKind kind() const override { return OptimizerKind::nadam; }
  std::vector<std::string> slots() const override;
  std::size_t memory_size() const override { return 1; }  // p_t
  void constants(std::int64_t step, double learning_rate, std::span<double> memory,
                 OptimizerPass& pass) const override;
};

OptimizerPtr nadam(NadamOptions options = {});

}  // namespace lamina
