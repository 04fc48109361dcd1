// One training step, start to end.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lamina/core/thread_pool.h"
#include "lamina/data/dataset.h"
#include "lamina/losses/loss.h"
#include "lamina/metrics/metric.h"
#include "lamina/model/graph.h"
#include "lamina/model/plan.h"
#include "lamina/training/update.h"

namespace lamina {

// One output of the model, its loss and metrics, and the memory for a batch of its targets.
struct Head {
  LossPtr loss;
  std::vector<MetricPtr> metrics;
  TargetSpec target;
  std::size_t rows_per_sample = 1;  // loss rows: 1 for (batch, n), t for (batch, t, n)
  std::size_t columns = 1;
  // Where a user's loss takes targets of any shape: one sample of them, and how metrics read them.
  Shape target_shape;
  TargetKind metric_targets = TargetKind::values;

  Buffer values;                     // (rows, columns) gathered targets, or
  std::vector<std::int32_t> labels;  // (rows)
  Buffer weights;                    // (rows)
  Buffer activated;                  // (rows, columns)
  Buffer scratch;                    // of the loss
};

// The memory to read batches into, and the plan to run them with, for at most plan.options().max_rows rows.
struct StepMemory {
  Plan plan;
  std::vector<Buffer> inputs;            // gathered
  std::vector<const float*> input_rows;  // of the batch in hand: gathered, or the caller's own

  StepMemory(const Graph& graph, PlanOptions options);
};

// What a pass over a batch gives.
struct StepResult {
  double loss = 0;       // mean over the batch, penalties included
  bool updated = false;  // the optimizer moved the weights
};

// A batch: these rows of these arrays.
struct BatchRows {
  const Dataset* data = nullptr;
  RowSelection rows;
};

// Everything a step works on.
struct StepContext {
  Graph& graph;
  std::vector<Head>& heads;
  StepMemory& memory;
  const float* parameters = nullptr;  // the model's, or their moving average
  std::uint64_t seed = 0;
  std::int64_t step = 0;
  Executor& executor;
  LossScale scale = {};
  bool skips_zeros = false;  // see Matmul
};

// Sizes the memory of the heads for batches of `rows`.
void reserve_heads(std::vector<Head>& heads, std::size_t rows);

// gather -> forward -> loss; metrics see the predictions.
StepResult evaluate_step(StepContext& context, const BatchRows& batch);

// gather -> forward -> loss -> backward -> update. Persistent state is staged in `staged_state` and kept only
// when the step completes. With stop_on_nan nothing moves when the loss is not finite.
StepResult train_step(StepContext& context, const BatchRows& batch, Update& update, Buffer& staged_state,
                      bool stop_on_nan);

// gather -> forward -> loss -> backward. Writes, or adds, this batch's part of the gradient of the mean over
// all rows of the data, whose losses weigh total_weights (one for each head); returns its part of the loss,
// activity penalties included. Nothing of the model moves.
double gradient_step(StepContext& context, const BatchRows& batch, std::span<const double> total_weights,
                     float* gradient, bool accumulate);

}  // namespace lamina
