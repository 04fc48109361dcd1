#include "lamina/optimizers/rmsprop.h"

namespace lamina {

void RMSprop::fields(Fields<RMSpropOptions>& field) {
  using O = RMSpropOptions;
  learning_rate_field(field);
  field("rho", &O::rho, "Decay of the mean of squared gradients.", in_range(0, 1));
  field("momentum", &O::momentum, "Decay of the momentum; 0 is none.", in_closed_range(0, 1));
  field("epsilon", &O::epsilon, "Added to the mean square.", non_negative());
  field("centered", &O::centered, "Normalises by the variance instead of the mean square.");
  common_fields(field);
}

std::vector<std::string> RMSprop::slots() const {
  return {"velocity", options_.momentum > 0.0 ? "momentum" : "", options_.centered ? "average_gradient" : ""};
}

void RMSprop::constants(std::int64_t, double learning_rate, std::span<double>,
                        kernels::OptimizerPass& pass) const {
  pass.learning_rate = detail::narrow(learning_rate);
  pass.beta1 = detail::narrow(options_.momentum);
  pass.beta2 = detail::narrow(options_.rho);
  pass.one_minus_beta2 = detail::narrow(1.0 - options_.rho);
  pass.epsilon = detail::narrow(options_.epsilon);
}

OptimizerPtr rmsprop(RMSpropOptions options) {
  return std::make_shared<RMSprop>(std::move(options));
}

}  // namespace lamina
