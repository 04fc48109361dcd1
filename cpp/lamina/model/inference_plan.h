// A plan for prediction with the memory to gather its input. Models keep idle ones, so that a prediction
// allocates only the first time and any number of threads predict at once.
#pragma once

#include <cstddef>

#include "lamina/core/tensor.h"
#include "lamina/model/graph.h"
#include "lamina/model/plan.h"

namespace lamina {

struct InferencePlan {
  Plan plan;
  Buffer gathered;  // (max_rows, ...) of input 0; empty until an array can't be read in place

  InferencePlan(const Graph& graph, std::size_t max_rows)
      : plan(graph, {.max_rows = max_rows, .mode = Mode::inference, .backward = false, .emit_logits = {}}) {}

  // Runs rows [first, first + count) of `input` into `output`, (count, ...).
  void run(const Graph& graph, const ArrayView& input, std::size_t first, std::size_t count, float* output);
};

}  // namespace lamina
