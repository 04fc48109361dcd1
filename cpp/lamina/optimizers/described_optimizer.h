// What all optimizers declare alike: the common fields, and their checks.
#pragma once

#include <string>
#include <utility>

#include "lamina/optimizers/optimizer.h"

namespace lamina {

namespace detail {
// ArgumentError when more than one kind of clipping is set.
void check_clipping(const std::string& type, const std::optional<double>& clipnorm,
                    const std::optional<double>& clipvalue, const std::optional<double>& global_clipnorm);
// The rate in canonical form. ArgumentError unless it is a non-negative number or a schedule.
LearningRate checked_learning_rate(const std::string& type, LearningRate rate);
inline float narrow(double value) {
  return static_cast<float>(value);
}
}  // namespace detail

// Options structs of optimizers derive nothing, since designated initialisers don't reach into a base. They
// begin with
//   LearningRate learning_rate = ...;
// and after the rule's own fields they hold, in this order,
//   std::optional<double> weight_decay = {}, clipnorm = {}, clipvalue = {}, global_clipnorm = {};
//   bool use_ema = false;
//   double ema_momentum = 0.99;
//   std::optional<std::int64_t> gradient_accumulation_steps = {};
template <class Options>
void learning_rate_field(Fields<Options>& field) {
  field("learning_rate", &Options::learning_rate, "The learning rate: a number, or a schedule of the step.",
        learning_rate_check());
}

template <class Options>
void weight_decay_field(Fields<Options>& field) {
  field("weight_decay", &Options::weight_decay,
        "Decoupled weight decay: before each step, `w -= learning_rate * weight_decay * w`.", non_negative());
}

template <class Options>
void clipping_and_average_fields(Fields<Options>& field) {
  field("clipnorm", &Options::clipnorm, "Scales each parameter's gradient down to at most this norm.",
        positive());
  field("clipvalue", &Options::clipvalue, "Clips each element of a gradient to at most this size.",
        positive());
  field("global_clipnorm", &Options::global_clipnorm,
        "Scales all gradients down together, to at most this norm.", positive());
  field("use_ema", &Options::use_ema, "Keeps an exponential moving average of the weights.");
  field("ema_momentum", &Options::ema_momentum, "Decay of that average.", in_closed_range(0, 1));
  field("gradient_accumulation_steps", &Options::gradient_accumulation_steps,
        "Batches whose mean gradient makes one update; None is 1.", at_least(1));
}

// All of them but the learning rate, in Keras's order.
template <class Options>
void common_fields(Fields<Options>& field) {
  weight_decay_field(field);
  clipping_and_average_fields(field);
}

// Described, and what follows from the common fields.
template <class Self, class Options>
class DescribedOptimizer : public Described<Self, Optimizer, Options> {
 public:
  explicit DescribedOptimizer(Options options = {})
      : Described<Self, Optimizer, Options>(std::move(options)) {
    const Options& o = this->options_;
    detail::check_clipping(Self::kType, o.clipnorm, o.clipvalue, o.global_clipnorm);
  }
  OptimizerCommon common() const override {
    const Options& o = this->options_;
    OptimizerCommon common;
    common.learning_rate = o.learning_rate;
    common.weight_decay = o.weight_decay;
    common.clipnorm = o.clipnorm;
    common.clipvalue = o.clipvalue;
    common.global_clipnorm = o.global_clipnorm;
    common.use_ema = o.use_ema;
    common.ema_momentum = o.ema_momentum;
    common.accumulation_steps = o.gradient_accumulation_steps.value_or(1);
    return common;
  }
  void set_learning_rate(LearningRate rate) override {
    this->options_.learning_rate = detail::checked_learning_rate(Self::kType, std::move(rate));
  }
};

}  // namespace lamina
