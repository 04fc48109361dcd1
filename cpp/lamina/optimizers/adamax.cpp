#include "lamina/optimizers/adamax.h"

#include <cmath>

namespace lamina {

void Adamax::fields(Fields<AdamaxOptions>& field) {
  using O = AdamaxOptions;
  learning_rate_field(field);
  field("beta_1", &O::beta_1, "Decay of the mean of gradients.", in_range(0, 1));
  field("beta_2", &O::beta_2, "Decay of the largest gradient.", in_range(0, 1));
  field("epsilon", &O::epsilon, "Added to the divisor.", non_negative());
  common_fields(field);
}

std::vector<std::string> Adamax::slots() const {
  return {"m", "u"};
}

void Adamax::constants(std::int64_t step, double learning_rate, std::span<double>,
                       kernels::OptimizerPass& pass) const {
  const double t = static_cast<double>(step) + 1.0;
  pass.learning_rate = detail::narrow(learning_rate);
  pass.beta1 = detail::narrow(options_.beta_1);
  pass.one_minus_beta1 = detail::narrow(1.0 - options_.beta_1);
  pass.beta2 = detail::narrow(options_.beta_2);
  pass.epsilon = detail::narrow(options_.epsilon);
  pass.c0 = detail::narrow(learning_rate / (1.0 - std::pow(options_.beta_1, t)));
}

OptimizerPtr adamax(AdamaxOptions options) {
  return std::make_shared<Adamax>(std::move(options));
}

}  // namespace lamina
