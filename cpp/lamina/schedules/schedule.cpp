#include "lamina/schedules/schedule.h"

#include "lamina/schedules/cosine.h"
#include "lamina/schedules/decay.h"
#include "lamina/schedules/one_cycle.h"

namespace lamina {

const Registry<Schedule>& Schedule::registry() {
  using Types = TypeList<      //
      ExponentialDecay,        //
      PiecewiseConstantDecay,  //
      PolynomialDecay,         //
      CosineDecay,             //
      CosineDecayRestarts,     //
      InverseTimeDecay,        //
      OneCycle>;
  static const auto* const kRegistry = new Registry<Schedule>("schedule", Types());
  return *kRegistry;
}

Check learning_rate_check() {
  return [number = non_negative()](const Value& value) -> std::string {
    if (value.object() != nullptr || number(value).empty()) return "";
    return "a non-negative number or a schedule";
  };
}

}  // namespace lamina
