// The 1cycle policy (Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
// Learning Rates", 2018), in the two phases of PyTorch's OneCycleLR.
#pragma once

#include <string>

#include "lamina/schedules/schedule.h"

namespace lamina {

struct OneCycleOptions {
  double maximal_learning_rate = 0.0;  // at least 0
  std::int64_t total_steps = 0;        // at least 1
  double pct_start = 0.3;              // in [0, 1]
  std::string anneal = "cos";          // or "linear"
  double div_factor = 25.0;            // above 0
  double final_div_factor = 1e4;       // above 0
};

class OneCycle final : public Described<OneCycle, Schedule, OneCycleOptions> {
 public:
  static constexpr const char* kType = "OneCycle";
  static constexpr const char* kDoc =
      "Rises from `maximal_learning_rate / div_factor` to `maximal_learning_rate` over the first fraction "
      "`pct_start` of the steps, then falls to the first rate divided by `final_div_factor`, where it "
      "stays after `total_steps`. One step is one update.";
  static void fields(Fields<OneCycleOptions>& field);
  using Described::Described;
  double rate(std::int64_t step) const override;
};

SchedulePtr one_cycle(OneCycleOptions options);

}  // namespace lamina
