// Learning rates that fall along half a cosine, once or with restarts (Loshchilov and Hutter, "SGDR:
// Stochastic Gradient Descent with Warm Restarts", ICLR 2017).
#pragma once

#include <optional>

#include "lamina/schedules/schedule.h"

namespace lamina {

struct CosineDecayOptions {
  double initial_learning_rate = 0.0;  // at least 0
  double decay_steps = 0.0;            // above 0; counted after the warm-up
  double alpha = 0.0;                  // at least 0
  std::optional<double> warmup_target = {};
  double warmup_steps = 0.0;
};

class CosineDecay final : public Described<CosineDecay, Schedule, CosineDecayOptions> {
 public:
  static constexpr const char* kType = "CosineDecay";
  static constexpr const char* kDoc =
      "From the initial rate down to `alpha` times it along half a cosine of `decay_steps` steps. With "
      "`warmup_target` the rate first rises in a line to that target over `warmup_steps`, and falls from "
      "there.";
  static void fields(Fields<CosineDecayOptions>& field);
  using Described::Described;
  double rate(std::int64_t step) const override;
};

struct CosineDecayRestartsOptions {
  double initial_learning_rate = 0.0;  // at least 0
  double first_decay_steps = 0.0;      // above 0
  double t_mul = 2.0;                  // at least 1
  double m_mul = 1.0;                  // at least 0
  double alpha = 0.0;                  // at least 0
};

class CosineDecayRestarts final
    : public Described<CosineDecayRestarts, Schedule, CosineDecayRestartsOptions> {
 public:
  static constexpr const char* kType = "CosineDecayRestarts";
  static constexpr const char* kDoc =
      "Half a cosine of `first_decay_steps` steps, again and again: each one `t_mul` times longer than the "
      "one before, and starting `m_mul` times as high.";
  static void fields(Fields<CosineDecayRestartsOptions>& field);
  using Described::Described;
  double rate(std::int64_t step) const override;
};

SchedulePtr cosine_decay(CosineDecayOptions options);
SchedulePtr cosine_decay_restarts(CosineDecayRestartsOptions options);

}  // namespace lamina
