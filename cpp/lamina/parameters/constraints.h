// Constraints that hold after every step, with Keras 3's names, defaults and formulas.
#pragma once

#include <memory>

#include "lamina/core/config.h"
#include "lamina/core/tensor.h"

namespace lamina {

class Constraint : public Describable {
 public:
  static const Registry<Constraint>& registry();

  // Moves the values to the nearest that are allowed, in place. Norms run along `axis` (0 unless set: one
  // norm for each output unit of a dense kernel). ShapeError where the shape lacks the axis.
  virtual void apply(const Shape& shape, float* values) const = 0;
};

using ConstraintPtr = std::shared_ptr<const Constraint>;

}  // namespace lamina
