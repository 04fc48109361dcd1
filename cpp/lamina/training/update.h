// The update: from the flat gradient to new weights, in one fused pass where nothing needs the whole
// gradient.
//
// Order, as in Keras: penalties are part of the gradient; clipping; decoupled weight decay; the rule; the
// moving average; constraints.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lamina/core/tensor.h"
#include "lamina/core/thread_pool.h"
#include "lamina/model/graph.h"
#include "lamina/optimizers/optimizer.h"

namespace lamina {

// Adds the gradients of the regularizers of layers that are not frozen, times `scale`, to a flat gradient.
void add_penalties(const Graph& graph, float* gradient, double scale = 1.0);

// The optimizer's numbers for one model: gradient, slots, moving average.
//
// A step is: begin(), backward into gradient() (which may already move parameters, see parameter_updates()),
// apply().
class Update {
 public:
  // All that lies as the parameters do: the gradient, a buffer for each slot, the moving average.
  struct Numbers {
    Buffer gradient;
    std::vector<Buffer> slots;
    Buffer ema;
  };

  // As training begins.
  Update(const Graph& graph, Optimizer& optimizer);
  // With numbers from a checkpoint.
  Update(const Graph& graph, Optimizer& optimizer, Numbers numbers);

  // Where backward puts the gradient, and whether it adds to it.
  float* gradient() { return gradient_.data(); }
  bool accumulates() const { return accumulated_batches_ > 0; }
  // Whether gradients are summed over several batches (then losses are scaled by 1, else by 1 / weight).
  std::int64_t batches() const { return optimizer_->common().accumulation_steps; }  // to an update
  bool sums_batches() const { return optimizer_->common().accumulation_steps > 1; }

  // Computes the rate and the constants of the update to come; may throw what a user's schedule throws, and
  // moves nothing. Penalties of a batch are multiplied by penalty_scale.
  void begin(const Graph& graph, double penalty_scale = 1.0);
  // For backward: one for each parameter; empty where clipping or accumulation needs the whole gradient.
  std::span<ParameterUpdate> parameter_updates() {
    return fuses_ ? std::span(updates_) : std::span<ParameterUpdate>();
  }
  // Takes the gradient of a batch whose losses weigh `weight`. True when this was the batch that completes an
  // update, which is then made: weights of `graph` move. The gradient is divided by the weights of all its
  // batches where sums_batches().
  bool apply(Graph& graph, double weight, Executor& executor);

  double learning_rate() const { return optimizer_->common().learning_rate.at(updates); }
  double last_learning_rate = 0;
  std::int64_t updates = 0;

  // For checkpoints.
  std::vector<std::string> slot_names() const { return optimizer_->slots(); }
  Buffer& slot(std::size_t index) { return slots_[index]; }
  Buffer& ema() { return ema_; }
  Buffer& accumulated_gradient() { return gradient_; }
  std::int64_t& accumulated_batches() { return accumulated_batches_; }
  double& accumulated_weight() { return accumulated_weight_; }
  std::vector<double>& optimizer_memory() { return memory_; }

 private:
  // Consecutive parameters that are treated alike.
  struct Range {
    std::size_t offset = 0, size = 0;
    float l1 = 0, l2 = 0;
  };

  template <class F>
  void for_each_range(const Graph& graph, const F& function) const;
  OptimizerPass pass_at(const Graph& graph, std::size_t offset) const;
  void clip_by_norm(const Graph& graph, double scale);
  void run_range(const Graph& graph, const Range& range, Executor& executor) const;

  Optimizer* optimizer_;
  Buffer gradient_;
  std::vector<Buffer> slots_;
  Buffer ema_;
  std::vector<double> memory_;
  std::int64_t accumulated_batches_ = 0;
  double accumulated_weight_ = 0;

  // Of the update under way.
  OptimizerCommon common_;
  OptimizerPass pass_ = {};               // its constants
  std::vector<ParameterUpdate> updates_;  // one for each parameter
  float penalty_scale_ = 1.0F;
  bool by_norm_ = false;
  bool fuses_ = false;
};

}  // namespace lamina
