#include "lamina/optimizers/adamw.h"

#include "lamina/optimizers/adam.h"

namespace lamina {

void AdamW::fields(Fields<AdamWOptions>& field) {
  using O = AdamWOptions;
  learning_rate_field(field);
  weight_decay_field(field);
  field("beta_1", &O::beta_1, "Decay of the mean of gradients.", in_range(0, 1));
  field("beta_2", &O::beta_2, "Decay of the mean of squared gradients.", in_range(0, 1));
  field("epsilon", &O::epsilon, "Added to the divisor.", non_negative());
  field("amsgrad", &O::amsgrad, "Divides by the largest mean of squares so far (Reddi et al., 2018).");
  clipping_and_average_fields(field);
}

std::vector<std::string> AdamW::slots() const {
  return {"m", "v", options_.amsgrad ? "v_hat" : ""};
}

void AdamW::constants(std::int64_t step, double learning_rate, std::span<double>,
                      kernels::OptimizerPass& pass) const {
  detail::adam_constants(step, learning_rate, options_.beta_1, options_.beta_2, options_.epsilon, pass);
}

OptimizerPtr adamw(AdamWOptions options) {
  return std::make_shared<AdamW>(std::move(options));
}

}  // namespace lamina
