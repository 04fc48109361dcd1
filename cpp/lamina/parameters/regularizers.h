// Penalties on parameters and activities: l1 * sum|w| + l2 * sum w^2.
#pragma once

#include <cstddef>
#include <memory>

#include "lamina/core/config.h"

namespace lamina {

// A penalty l1 * sum|w| + l2 * sum w^2; its gradient is l1 * sign(w) + 2 * l2 * w, with sign(0) = 0.
class Regularizer : public Describable {
 public:
  static const Registry<Regularizer>& registry();

  virtual double l1() const = 0;
  virtual double l2() const = 0;

  double penalty(const float* values, std::size_t count) const;
};

using RegularizerPtr = std::shared_ptr<const Regularizer>;

}  // namespace lamina
