// Initial weights, with Keras 3's names, defaults and formulas.
#pragma once

#include <memory>
#include <span>

#include "lamina/core/config.h"
#include "lamina/core/random.h"
#include "lamina/core/tensor.h"

namespace lamina {

// Draws the initial values of a parameter. The kinds of it are in initializer_types.h.
class Initializer : public Describable {
 public:
  static const Registry<Initializer>& registry();

  // Fills `values` (shape.elements() of them). The numbers depend on the stream and the shape alone.
  // ShapeError for a shape the initializer can't fill (Identity wants two dimensions, Orthogonal at least
  // two).
  virtual void fill(const Shape& shape, RandomStream& random, std::span<float> values) const = 0;
};

using InitializerPtr = std::shared_ptr<const Initializer>;

}  // namespace lamina
