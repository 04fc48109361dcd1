#include "lamina/optimizers/sgd.h"

namespace lamina {

void SGD::fields(Fields<SGDOptions>& field) {
  using O = SGDOptions;
  learning_rate_field(field);
  field("momentum", &O::momentum, "Decay of the mean of gradients; 0 is plain gradient descent.",
        in_closed_range(0, 1));
  field("nesterov", &O::nesterov, "Looks ahead along the velocity (Nesterov).");
  common_fields(field);
  field("dampening", &O::dampening,
        "The new gradient enters the velocity with 1 - dampening; None means dampening = momentum.",
        in_closed_range(0, 1));
}

std::vector<std::string> SGD::slots() const {
  return {options_.momentum > 0.0 ? "velocity" : ""};
}

void SGD::constants(std::int64_t, double learning_rate, std::span<double>,
                    kernels::OptimizerPass& pass) const {
  const double dampening = options_.dampening.value_or(options_.momentum);
  pass.learning_rate = detail::narrow(learning_rate);
  pass.beta1 = detail::narrow(options_.momentum);
  pass.c0 = detail::narrow(1.0 - dampening);
  pass.nesterov = options_.nesterov;
}

OptimizerPtr sgd(SGDOptions options) {
  return std::make_shared<SGD>(std::move(options));
}

}  // namespace lamina
