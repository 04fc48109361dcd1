#include "lamina/optimizers/optimizer.h"

#include <limits>

#include "lamina/optimizers/adagrad.h"
#include "lamina/optimizers/adam.h"
#include "lamina/optimizers/adamax.h"
#include "lamina/optimizers/adamw.h"
#include "lamina/optimizers/lion.h"
#include "lamina/optimizers/nadam.h"
#include "lamina/optimizers/rmsprop.h"
#include "lamina/optimizers/sgd.h"

namespace lamina {

const Registry<Optimizer>& Optimizer::registry() {
  using Types = TypeList<  //
      SGD,                 //
      RMSprop,             //
      Adam,                //
      AdamW,               //
      Adamax,              //
      Nadam,               //
      Adagrad,             //
      Lion>;
  static const auto* const kRegistry = new Registry<Optimizer>("optimizer", Types());
  return *kRegistry;
}

void common_constants(const OptimizerCommon& common, std::int64_t step, double learning_rate,
                      kernels::OptimizerPass& pass) {
  pass.weight_decay = static_cast<float>(learning_rate * common.weight_decay.value_or(0.0));
  pass.clip_value = static_cast<float>(common.clipvalue.value_or(std::numeric_limits<double>::infinity()));
  pass.ema_momentum = step == 0 ? 0.0F : static_cast<float>(common.ema_momentum);
}

void detail::check_clipping(const std::string& type, const std::optional<double>& clipnorm,
                            const std::optional<double>& clipvalue,
                            const std::optional<double>& global_clipnorm) {
  if (clipnorm.has_value() + clipvalue.has_value() + global_clipnorm.has_value() <= 1) return;
  const auto text = [](const std::optional<double>& value) {
    return FieldType<std::optional<double>>::to(value).str();
  };
  throw ArgumentError(
      type + ": expected at most one of clipnorm, clipvalue and global_clipnorm, got clipnorm=" +
      text(clipnorm) + ", clipvalue=" + text(clipvalue) + ", global_clipnorm=" + text(global_clipnorm) + ".");
}

LearningRate detail::checked_learning_rate(const std::string& type, LearningRate rate) {
  const Value value = FieldType<LearningRate>::to(rate);
  const std::string expected = learning_rate_check()(value);
  if (!expected.empty()) throw_bad_field(type, "learning_rate", expected, value);
  if (!rate.schedule) rate.value = decimal(rate.value);
  return rate;
}

}  // namespace lamina
