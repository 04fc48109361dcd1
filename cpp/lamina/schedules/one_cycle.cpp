#include "lamina/schedules/one_cycle.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lamina {

void OneCycle::fields(Fields<OneCycleOptions>& field) {
  using O = OneCycleOptions;
  field("maximal_learning_rate", &O::maximal_learning_rate, "The rate at the peak.", non_negative())
      .required();
  field("total_steps", &O::total_steps, "Updates of the whole cycle.", at_least(1)).required();
  field("pct_start", &O::pct_start, "Fraction of the steps that the rate rises.", in_closed_range(0, 1));
  field("anneal", &O::anneal, "'cos' rises and falls along half a cosine, 'linear' in a line.",
        one_of({"cos", "linear"}));
  field("div_factor", &O::div_factor, "The peak divided by the first rate.", positive());
  field("final_div_factor", &O::final_div_factor, "The first rate divided by the last.", positive());
}

double OneCycle::rate(std::int64_t step) const {
  const double peak = options_.maximal_learning_rate;
  const double first = peak / options_.div_factor;
  const double last = first / options_.final_div_factor;
  const double end = static_cast<double>(options_.total_steps) - 1.0;
  const double summit = options_.pct_start * static_cast<double>(options_.total_steps) - 1.0;
  const double at = std::min(static_cast<double>(step), end);

  const auto anneal = [&](double from, double to, double begin, double finish) {
    const double fraction = finish > begin ? (at - begin) / (finish - begin) : 1.0;
    if (options_.anneal == "linear") return from + (to - from) * fraction;
    return to + (from - to) / 2.0 * (1.0 + std::cos(std::numbers::pi * fraction));
  };
  return at <= summit ? anneal(first, peak, 0.0, summit) : anneal(peak, last, summit, end);
}

SchedulePtr one_cycle(OneCycleOptions options) {
  return std::make_shared<OneCycle>(std::move(options));
}

}  // namespace lamina
