#include "lamina/optimizers/nadam.h"

#include <cmath>

namespace lamina {

namespace {

// u_t: the momentum grows towards beta_1.
double momentum_at(double beta_1, double t) {
  return beta_1 * (1.0 - 0.5 * std::pow(0.96, t));
}

}  // namespace

void Nadam::fields(Fields<NadamOptions>& field) {
  using O = NadamOptions;
  learning_rate_field(field);
  field("beta_1", &O::beta_1, "Decay of the mean of gradients.", in_range(0, 1));
  field("beta_2", &O::beta_2, "Decay of the mean of squared gradients.", in_range(0, 1));
  field("epsilon", &O::epsilon, "Added to the divisor.", non_negative());
  common_fields(field);
}

std::vector<std::string> Nadam::slots() const {
  return {"m", "v"};
}

void Nadam::constants(std::int64_t step, double learning_rate, std::span<double> memory,
                      kernels::OptimizerPass& pass) const {
  const double t = static_cast<double>(step) + 1.0;
  const double momentum = momentum_at(options_.beta_1, t);
  const double next_momentum = momentum_at(options_.beta_1, t + 1.0);
  double& product = memory[0];
  product *= momentum;
  pass.learning_rate = detail::narrow(learning_rate);
  pass.beta1 = detail::narrow(options_.beta_1);
  pass.one_minus_beta1 = detail::narrow(1.0 - options_.beta_1);
  pass.beta2 = detail::narrow(options_.beta_2);
  pass.one_minus_beta2 = detail::narrow(1.0 - options_.beta_2);
  pass.epsilon = detail::narrow(options_.epsilon);
  pass.c0 = detail::narrow(learning_rate * next_momentum / (1.0 - product * next_momentum));
  pass.c1 = detail::narrow(learning_rate * (1.0 - momentum) / (1.0 - product));
  pass.c2 = detail::narrow(1.0 / (1.0 - std::pow(options_.beta_2, t)));
}

OptimizerPtr nadam(NadamOptions options) {
  return std::make_shared<Nadam>(std::move(options));
}

}  // namespace lamina
