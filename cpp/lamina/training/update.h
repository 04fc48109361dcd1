// The update: from the flat gradient to new weights, in one fused pass where nothing needs the whole gradient.
//
// Order, as in Keras: penalties are part of the gradient; clipping; decoupled weight decay; the rule; the moving average;
// constraints.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/core/tensor.h"
#include "lamina/core/thread_pool.h"
#include "lamina/model/graph.h"
#include "lamina/optimizers/optimizer.h"

namespace lamina {

// Consecutive parameters that are treated alike.
struct UpdateRange {
  std::size_t offset = 0;
  std::size_t size = 0;
  float l1 = 0;
  float l2 = 0;
};

// The ranges of layers that are not frozen, in order; neighbours that are treated alike are one.
std::vector<UpdateRange> update_ranges(const Graph& graph);

// Adds the gradients of the regularizers to a flat gradient.
void add_penalties(const Graph& graph, const std::vector<UpdateRange>& ranges, float* gradient);

// The optimizer's numbers for one model: gradient, slots, moving average.
class Update {
 public:
  Update(const Graph& graph, Optimizer& optimizer);

  // After layers were frozen or thawed.
  void set_ranges(std::vector<UpdateRange> ranges) { ranges_ = std::move(ranges); }

  // Where backward puts the gradient of the sum of losses, and whether it adds.
  float* gradient() { return gradient_.data(); }
  bool accumulates() const { return accumulated_batches_ > 0; }
  // Whether gradients are summed over several batches (then losses are scaled by 1, else by 1 / weight).
  bool sums_batches() const { return optimizer_->common().accumulation_steps > 1; }

  // Takes the gradient of a batch whose losses weigh `weight`. True when this was the batch that completes an update, which is then made:
  // weights of `graph` move. The gradient is divided by the weights of all its batches where sums_batches().
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
  void update_weights(Graph& graph, double scale, Executor& executor);
  void clip_by_norm(Graph& graph, double scale, const OptimizerCommon& common);

  Optimizer* optimizer_;
  Buffer gradient_;
  std::vector<Buffer> slots_;
  Buffer ema_;
  std::vector<double> memory_;
  std::vector<UpdateRange> ranges_;       // of parameters that move
  std::int64_t accumulated_batches_ = 0;
  double accumulated_weight_ = 0;
};

}  // namespace lamina
