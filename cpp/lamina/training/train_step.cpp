#include "lamina/training/train_step.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "lamina/kernels/dispatch.h"

namespace lamina {
namespace {

// Whether the batch can be read where it lies.
bool readable_in_place(const ArrayView& array, const RowSelection& rows) {
  return array.dtype == DType::f32 && rows.indices == nullptr &&
         array.row_stride == static_cast<std::ptrdiff_t>(array.row_elements() * sizeof(float));
}

void gather_inputs(StepMemory& memory, const BatchRows& batch, Executor& executor) {
  const Dataset& data = *batch.data;
  for (std::size_t i = 0; i < data.inputs.size(); ++i) {
    const ArrayView& array = data.inputs[i];
    if (readable_in_place(array, batch.rows) && !data.check_as_gathered) {
      memory.input_rows[i] = static_cast<const float*>(array.row(batch.rows.first));
      continue;
    }
    Buffer& buffer = memory.inputs[i];
    if (buffer.size() == 0) buffer = Buffer(array.row_elements() * memory.plan.options().max_rows);
    gather(array, batch.rows, buffer.data(), data.check_as_gathered, "x", executor);
    memory.input_rows[i] = buffer.data();
  }
}

void gather_targets(std::vector<Head>& heads, const BatchRows& batch, Executor& executor) {
  const Dataset& data = *batch.data;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    Head& head = heads[i];
    if (head.metric_targets == TargetKind::labels) {
      gather_labels(data.targets[i], batch.rows, head.target, head.labels.data());
    }
    if (head.target.kind != TargetKind::labels) {
      gather(data.targets[i], batch.rows, head.values.data(), data.check_as_gathered, "y", executor);
    }
    if (data.weights.empty()) continue;
    float* weights = head.weights.data();
    gather(data.weights[i], batch.rows, weights, data.check_as_gathered, "sample_weight", executor);
    // One weight a sample becomes one a loss row, last sample first so that nothing is overwritten before it
    // is read.
    if (head.rows_per_sample == 1) continue;
    for (std::size_t sample = batch.rows.count; sample-- > 0;) {
      const float weight = weights[sample];
      std::fill_n(weights + sample * head.rows_per_sample, head.rows_per_sample, weight);
    }
  }
}

LossBatch loss_batch(const StepContext& context, const BatchRows& batch, std::size_t index) {
  const Head& head = context.heads[index];
  LossBatch result;
  result.rows = batch.rows.count * head.rows_per_sample;
  result.columns = head.columns;
  result.prediction = context.memory.plan.output(index);
  result.target = head.values.data();
  result.labels = head.target.kind == TargetKind::labels ? head.labels.data() : nullptr;
  result.weights = batch.data->weights.empty() ? nullptr : head.weights.data();
  if (head.target.kind == TargetKind::any) {
    result.prediction_shape = &head.target.prediction;
    result.target_shape = &head.target_shape;
  }
  result.fused_logits = context.memory.plan.emits_logits(index);
  return result;
}

void update_metrics(Head& head, const LossBatch& batch) {
  MetricBatch seen;
  seen.rows = batch.rows;
  seen.columns = batch.columns;
  seen.prediction = batch.fused_logits ? head.activated.data() : batch.prediction;
  if (head.metric_targets == TargetKind::labels) {
    seen.labels = head.labels.data();
  } else {
    seen.target = head.values.data();
  }
  seen.target_shape = batch.target_shape;
  for (const MetricPtr& metric : head.metrics) metric->update(seen);
}

// Evaluates the loss of one head; its gradient is scale * d(sum of losses), where wanted.
LossValue evaluate_loss(StepContext& context, const BatchRows& batch, std::size_t index, double scale,
                        bool gradient, bool metrics) {
  Head& head = context.heads[index];
  const LossBatch input = loss_batch(context, batch, index);
  LossOutputs outputs;
  if (gradient) outputs.d_prediction = context.memory.plan.d_output(index);
  if (metrics && input.fused_logits && !head.metrics.empty()) outputs.activated = head.activated.data();
  const LossValue value =
      head.loss->evaluate(input, static_cast<float>(scale), outputs, head.scratch.data(), context.executor);
  if (metrics) update_metrics(head, input);
  return value;
}

// The weight of a head's losses in this batch, known before they are.
double weight_of(const Head& head, const BatchRows& batch) {
  return head.loss->weight_of(batch.rows.count * head.rows_per_sample,
                              batch.data->weights.empty() ? nullptr : head.weights.data(),
                              head.labels.empty() ? nullptr : head.labels.data());
}

double over(double numerator, double weight) {
  return weight > 0 ? numerator / weight : 0.0;
}

// Activity penalties are sums over a batch; the loss has their mean over its rows.
double rows_of(const BatchRows& batch) {
  return static_cast<double>(batch.rows.count);
}

// What penalties are multiplied by.
double penalty_scale(const StepContext& context, const BatchRows& batch) {
  return context.scale.penalty_over_weight ? over(1.0, weight_of(context.heads[0], batch)) : 1.0;
}

PlanRun make_run(StepContext& context, const BatchRows& batch) {
  PlanRun run;
  run.rows = batch.rows.count;
  run.inputs = context.memory.input_rows;
  run.parameters = context.parameters;
  run.state = context.graph.state_values.data();
  run.seed = context.seed;
  run.step = static_cast<std::uint64_t>(context.step);
  run.penalties = true;
  run.executor = &context.executor;
  run.training_kernels = &kernels::training_table();
  run.skips_zeros = context.skips_zeros;
  return run;
}

}  // namespace

StepMemory::StepMemory(const Graph& graph, PlanOptions options)
    : plan(graph, std::move(options)), inputs(graph.inputs.size()), input_rows(graph.inputs.size()) {}

void reserve_heads(std::vector<Head>& heads, std::size_t rows) {
  for (Head& head : heads) {
    const std::size_t loss_rows = rows * head.rows_per_sample;
    if (head.weights.size() >= loss_rows) continue;
    if (head.metric_targets == TargetKind::labels) head.labels.resize(loss_rows);
    if (head.target.kind != TargetKind::labels) head.values = Buffer(rows * head.target_shape.elements());
    head.weights = Buffer(loss_rows);
    if (!head.metrics.empty()) head.activated = Buffer(loss_rows * head.columns);
    head.scratch = Buffer(head.loss->scratch(loss_rows, head.columns));
  }
}

StepResult evaluate_step(StepContext& context, const BatchRows& batch) {
  gather_inputs(context.memory, batch, context.executor);
  gather_targets(context.heads, batch, context.executor);
  const double activity = over(context.memory.plan.forward(make_run(context, batch)), rows_of(batch));
  double loss = activity + penalty_scale(context, batch) * context.graph.penalty(context.parameters);
  for (std::size_t i = 0; i < context.heads.size(); ++i) {
    loss += context.scale.loss_weight * evaluate_loss(context, batch, i, 1.0, false, true).mean();
  }
  return {loss, false};
}

StepResult train_step(StepContext& context, const BatchRows& batch, Update& update, Buffer& staged_state,
                      bool stop_on_nan) {
  Graph& graph = context.graph;
  gather_inputs(context.memory, batch, context.executor);
  gather_targets(context.heads, batch, context.executor);

  PlanRun run = make_run(context, batch);
  if (staged_state.size() != 0)
    std::memcpy(staged_state.data(), graph.state_values.data(), staged_state.size() * sizeof(float));
  run.state = staged_state.data();
  run.update_state = true;
  const double activity = over(context.memory.plan.forward(run), rows_of(batch));
  const double penalties = penalty_scale(context, batch);
  double loss = activity + penalties * graph.penalty(context.parameters);

  // The gradient is that of the mean; or, where several batches make one update, of the sum, divided at the
  // update.
  const double weight = update.sums_batches() ? weight_of(context.heads[0], batch) : 1.0;
  for (std::size_t i = 0; i < context.heads.size(); ++i) {
    const double scale = context.scale.loss_weight * over(weight, weight_of(context.heads[i], batch));
    loss += context.scale.loss_weight * evaluate_loss(context, batch, i, scale, true, true).mean();
  }
  if (stop_on_nan && !std::isfinite(loss)) return {loss, false};
  update.begin(graph, context.scale.penalty_over_weight
                          ? over(penalties, static_cast<double>(update.batches()))
                          : 1.0);
  run.updates = update.parameter_updates();
  run.gradient = update.gradient();
  run.accumulate_gradient = update.accumulates();
  run.activity_scale = static_cast<float>(over(weight, rows_of(batch)));
  context.memory.plan.backward(run);
  const bool updated = update.apply(graph, weight, context.executor);
  if (staged_state.size() != 0)
    std::memcpy(graph.state_values.data(), staged_state.data(), staged_state.size() * sizeof(float));
  return {loss, updated};
}

double gradient_step(StepContext& context, const BatchRows& batch, std::span<const double> total_weights,
                     float* gradient, bool accumulate) {
  gather_inputs(context.memory, batch, context.executor);
  gather_targets(context.heads, batch, context.executor);
  PlanRun run = make_run(context, batch);
  double loss = over(context.memory.plan.forward(run), static_cast<double>(batch.data->rows()));
  for (std::size_t i = 0; i < context.heads.size(); ++i) {
    const double factor = context.scale.loss_weight;
    const LossValue value = evaluate_loss(context, batch, i, over(factor, total_weights[i]), true, false);
    loss += factor * over(value.sum, total_weights[i]);
  }
  run.gradient = gradient;
  run.activity_scale = static_cast<float>(over(1.0, static_cast<double>(batch.data->rows())));
  run.accumulate_gradient = accumulate;
  context.memory.plan.backward(run);
  return loss;
}

}  // namespace lamina
