#include "lamina/optimizers/lion.h"

namespace lamina {

void Lion::fields(Fields<LionOptions>& field) {
  using O = LionOptions;
  learning_rate_field(field);
  field("beta_1", &O::beta_1, "Share of the mean gradient in the direction of a step.", in_range(0, 1));
  field("beta_2", &O::beta_2, "Decay of the mean gradient.", in_range(0, 1));
  common_fields(field);
}

std::vector<std::string> Lion::slots() const {
  return {"m"};
}

void Lion::constants(std::int64_t, double learning_rate, std::span<double>,
                     kernels::OptimizerPass& pass) const {
  pass.learning_rate = detail::narrow(learning_rate);
  pass.beta1 = detail::narrow(options_.beta_1);
  pass.one_minus_beta1 = detail::narrow(1.0 - options_.beta_1);
  pass.beta2 = detail::narrow(options_.beta_2);
  pass.one_minus_beta2 = detail::narrow(1.0 - options_.beta_2);
}

OptimizerPtr lion(LionOptions options) {
  return std::make_shared<Lion>(std::move(options));
}

}  // namespace lamina
