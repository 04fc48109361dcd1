// What the functions of a model check first.
#pragma once

#include <string>

#include "lamina/core/error.h"
#include "lamina/model/graph.h"

namespace lamina {

inline void require_built(const Graph& graph, const char* what) {
  if (!graph.built) {
    throw StateError(std::string("Model: expected a built model to ") + what +
                     ", got one without an input shape; call build(input_shape), or begin with Input.");
  }
}

}  // namespace lamina
