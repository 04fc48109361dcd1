#include "lamina/optimizers/adam.h"

#include <cmath>

namespace lamina {

void Adam::fields(Fields<AdamOptions>& field) {
  using O = AdamOptions;
  learning_rate_field(field);
  field("beta_1", &O::beta_1, "Decay of the mean of gradients.", in_range(0, 1));
  field("beta_2", &O::beta_2, "Decay of the mean of squared gradients.", in_range(0, 1));
  field("epsilon", &O::epsilon, "Added to the divisor.", non_negative());
  field("amsgrad", &O::amsgrad, "Divides by the largest mean of squares so far (Reddi et al., 2018).");
  common_fields(field);
}

// Both means start at 0, so after t updates they are too small by 1 - beta^t. That correction is the same for
// all weights and goes into one factor.
void detail::adam_constants(std::int64_t step, double learning_rate, double beta_1, double beta_2,
                            double epsilon, kernels::OptimizerPass& pass) {
  const double t = static_cast<double>(step) + 1.0;
  pass.beta1 = narrow(beta_1);
  pass.one_minus_beta1 = narrow(1.0 - beta_1);
  pass.beta2 = narrow(beta_2);
  pass.one_minus_beta2 = narrow(1.0 - beta_2);
  pass.epsilon = narrow(epsilon);
  pass.learning_rate = narrow(learning_rate);
  pass.c0 = narrow(learning_rate * std::sqrt(1.0 - std::pow(beta_2, t)) / (1.0 - std::pow(beta_1, t)));
}

std::vector<std::string> Adam::slots() const {
  return {"m", "v", options_.amsgrad ? "v_hat" : ""};
}

void Adam::constants(std::int64_t step, double learning_rate, std::span<double>,
                     kernels::OptimizerPass& pass) const {
  detail::adam_constants(step, learning_rate, options_.beta_1, options_.beta_2, options_.epsilon, pass);
}

OptimizerPtr adam(AdamOptions options) {
  return std::make_shared<Adam>(std::move(options));
}

}  // namespace lamina
