// A plan: the memory of one batch, and how the batch runs through the graph.
//
// Everything that a batch needs lies in one arena, laid out once: each tensor has a lifetime in steps of the
// pass (forward of node i at i, the losses after all nodes, backward of node i mirrored), and tensors whose
// lifetimes don't meet share memory. Running allocates nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "lamina/core/tensor.h"
#include "lamina/core/thread_pool.h"
#include "lamina/model/graph.h"

namespace lamina {

struct PlanOptions {
  std::size_t max_rows = 1;
  Mode mode = Mode::inference;
  bool backward = false;          // lay out memory for gradients and saved values
  std::vector<bool> emit_logits;  // by output of the graph: its last activation is left to the loss
};

// What changes from run to run.
struct PlanRun {
  std::size_t rows = 0;                  // at most max_rows
  std::span<const float* const> inputs;  // one for each input of the graph: (rows, ...)
  const float* parameters = nullptr;     // the flat buffers
  float* state = nullptr;
  bool update_state = false;  // a training step writes persistent state
  std::uint64_t seed = 0;     // random numbers are keyed by (seed, node, step)
  std::uint64_t step = 0;
  std::span<float* const> outputs;  // where outputs go; empty: into the arena. See output()
  bool penalties = false;           // compute the activity penalties
  Executor* executor = nullptr;
  const kernels::TrainingTable* training_kernels = nullptr;  // in training, and for backward
  bool skips_zeros = false;                                  // products may leave out zeros: see Matmul
  // Backward:
  float* gradient = nullptr;         // flat, as parameters
  bool accumulate_gradient = false;  // add to it
  float activity_scale = 1.0F;
  std::span<ParameterUpdate> updates;  // one for each parameter of the graph, or none: see BackwardContext
};

class Plan {
 public:
  Plan(const Graph& graph, PlanOptions options);
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  const PlanOptions& options() const;
  std::uint64_t layout_version() const;  // of the graph when this was laid out
  std::size_t arena_bytes() const;
  // Whether the activation of output `index` is left out of it.
  bool emits_logits(std::size_t index) const;

  // Runs the graph and returns the sum of the activity penalties (0 unless run.penalties).
  double forward(const PlanRun& run);
  const float* output(std::size_t index) const;  // of the last forward, (rows, ...)
  // Memory for the gradient of output `index`: written by the loss between forward and backward.
  float* d_output(std::size_t index);
  // Fills run.gradient for all parameters of layers that are not frozen; the ranges of others are not
  // touched.
  void backward(const PlanRun& run);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lamina
