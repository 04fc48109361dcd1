#include "lamina/optimizers/adagrad.h"

namespace lamina {

void Adagrad::fields(Fields<AdagradOptions>& field) {
  using O = AdagradOptions;
  learning_rate_field(field);
  field("initial_accumulator_value", &O::initial_accumulator_value, "What the sum of squares starts from.",
        non_negative());
  field("epsilon", &O::epsilon, "Added to the sum of squares.", non_negative());
  common_fields(field);
}

std::vector<std::string> Adagrad::slots() const {
  return {"accumulator"};
}

void Adagrad::constants(std::int64_t, double learning_rate, std::span<double>,
                        kernels::OptimizerPass& pass) const {
  pass.learning_rate = detail::narrow(learning_rate);
  pass.epsilon = detail::narrow(options_.epsilon);
}

OptimizerPtr adagrad(AdagradOptions options) {
  return std::make_shared<Adagrad>(std::move(options));
}

}  // namespace lamina
