// What losses share: the `reduction` hyperparameter and the base that reads it.
#pragma once

#include <optional>
#include <string>

#include "lamina/losses/loss.h"

namespace lamina {

inline constexpr const char* kSumOverBatchSize = "sum_over_batch_size";

// The options of a loss without hyperparameters of its own.
struct LossOptions {
  // "sum_over_batch_size" or "mean" (the same), "sum", "mean_with_sample_weight"; "none" or empty for no
  // reduction, which training treats as sum_over_batch_size.
  std::optional<std::string> reduction = kSumOverBatchSize;
};

// One of the names above, or None.
Check reduction_check();

template <class Options>
void reduction_field(Fields<Options>& field) {
  field(
      "reduction", &Options::reduction,
      "How the losses of the rows become one number: 'sum_over_batch_size' or 'mean' (over the rows), 'sum', "
      "'mean_with_sample_weight' (over the sum of the weights), or None.",
      reduction_check());
}

// A loss of type `Self` on `Base` (Loss, or a base of a family) whose options have a member `reduction`.
template <class Self, class Base = Loss, class Options = LossOptions>
class DescribedLoss : public Described<Self, Base, Options> {
 public:
  using Described<Self, Base, Options>::Described;
  std::string_view reduction() const override {
    return this->options_.reduction ? std::string_view(*this->options_.reduction) : "none";
  }
};

}  // namespace lamina
