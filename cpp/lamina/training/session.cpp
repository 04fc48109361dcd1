#include "lamina/training/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "lamina/kernels/dispatch.h"
#include "lamina/training/session_impl.h"

namespace lamina {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds(50);

// Rows that value_and_gradient() takes at a time where rows don't depend on each other.
constexpr std::size_t kGradientRows = 1024;

// The rows of an epoch in the order in which they are visited: Fisher-Yates, keyed by seed and epoch.
void shuffle(std::vector<std::size_t>& order, std::size_t rows, std::uint64_t seed, std::int64_t epoch) {
  order.resize(rows);
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(seed, RandomUse::shuffle, static_cast<std::uint64_t>(epoch));
  for (std::size_t i = rows; i > 1; --i) std::swap(order[i - 1], order[random.next_below(i)]);
}

// What the losses of all rows weigh together.
double total_weight(const Head& head, const Dataset& data, std::size_t index) {
  const std::size_t rows = data.rows();
  const RowSelection all{nullptr, 0, rows};
  std::vector<float> weights;
  if (!data.weights.empty()) {
    std::vector<float> samples(rows);
    gather(data.weights[index], all, samples.data(), false, "sample_weight", serial_executor());
    for (const float weight : samples) weights.insert(weights.end(), head.rows_per_sample, weight);
  }
  std::vector<std::int32_t> labels;
  if (head.target.ignored_label) {
    labels.resize(rows * head.rows_per_sample);
    gather_labels(data.targets[index], all, head.target, labels.data());
  }
  return head.loss->weight_of(rows * head.rows_per_sample, weights.empty() ? nullptr : weights.data(),
                              labels.empty() ? nullptr : labels.data());
}

// Whether products may leave out zeros of their inputs: where parameters are finite, for else a NaN might not
// come out; and many, for it takes a look at them.
bool may_skip_zeros(const float* parameters, std::size_t count) {
  constexpr std::size_t kMany = 1 << 12;
  return count >= kMany && kernels::training_table().all_finite(parameters, count);
}

}  // namespace

StepContext TrainingSession::Impl::context(StepMemory& memory, const float* parameters, Executor& runs_on,
                                           std::uint64_t seed, const LossScale& scale) {
  return {graph,      heads, memory,
          parameters, seed,  step,
          runs_on,    scale, may_skip_zeros(parameters, graph.parameter_count)};
}

StepMemory& TrainingSession::Impl::memory_for(std::unique_ptr<StepMemory>& memory, std::size_t rows,
                                              Mode mode, bool backward) {
  const bool fits = memory && memory->plan.options().max_rows >= rows &&
                    memory->plan.options().mode == mode &&
                    memory->plan.layout_version() == graph.layout_version;
  if (!fits) {
    PlanOptions plan;
    plan.max_rows = rows;
    plan.mode = mode;
    plan.backward = backward;
    for (std::size_t i = 0; i < heads.size(); ++i) {
      const auto& node = graph.nodes[graph.outputs[i].node];
      const auto fused = heads[i].loss->fused_activation();
      plan.emit_logits.push_back(fused && !node.is_input() &&
                                 graph.layers[node.layer].layer->final_activation() == fused);
    }
    memory.reset();  // free the old arena before the new one is made
    memory = std::make_unique<StepMemory>(graph, std::move(plan));
  }
  reserve_heads(heads, rows);
  return *memory;
}

void TrainingSession::Impl::reset_running() {
  running = {};
  for (Head& head : heads) {
    for (const MetricPtr& metric : head.metrics) metric->reset(head.columns, head.metric_targets);
  }
}

Logs TrainingSession::Impl::logs() const {
  Logs logs;
  logs.loss = running.mean();
  logs.rows = running.rows;
  for (const Head& head : heads) {
    for (const MetricPtr& metric : head.metrics) logs.metrics.push_back(metric->result());
  }
  return logs;
}

TrainingSession::TrainingSession(Model model, SessionOptions options)
    : model_(std::move(model)),
      options_(std::move(options)),
      seed_(options_.seed ? *options_.seed : entropy_seed()) {
  if (options_.optimizer == nullptr) throw ArgumentError("TrainingSession: expected an optimizer, got none.");
  if (options_.heads.empty())
    throw ArgumentError("TrainingSession: expected a loss for each output, got none.");
  for (const HeadOptions& head : options_.heads) {
    if (head.loss == nullptr) throw ArgumentError("TrainingSession: expected a loss, got none.");
  }
  impl_ = std::make_unique<Impl>(model_.graph(), options_);
  if (model_.built()) impl_->exchange_heads(impl_->make_heads(nullptr));
}

TrainingSession::~TrainingSession() = default;

void TrainingSession::set_scale(const LossScale& scale) {
  if (!std::isfinite(scale.loss_weight) || scale.loss_weight <= 0) {
    throw ArgumentError("TrainingSession: expected a positive loss_weight, got " +
                        std::to_string(scale.loss_weight) + ".");
  }
  options_.scale = scale;
}

EpochResult TrainingSession::train_epoch(const Dataset& data, const EpochOptions& options) {
  Impl& impl = *impl_;
  const Busy guard(impl.busy);
  impl.ensure_update();
  impl.require_fit(data);
  const std::size_t rows = data.rows();
  const std::size_t batch_size =
      std::clamp<std::size_t>(options.batch_size, 1, std::max<std::size_t>(1, rows));
  StepMemory& memory = impl.memory_for(impl.training, batch_size, Mode::training, true);
  StepContext context =
      impl.context(memory, impl.graph.parameter_values.data(), impl.executor, seed_, options_.scale);
  if (options.shuffle) shuffle(impl.order, rows, seed_, options.epoch);
  impl.reset_running();

  EpochResult result;
  Progress progress;
  progress.batches = (rows + batch_size - 1) / batch_size;
  Logs seen;
  progress.logs = &seen;
  const auto tell = [&](const std::function<bool(const Progress&)>& listener) {
    seen = impl.logs();
    progress.rows = seen.rows;
    progress.learning_rate =
        impl.update->updates > 0 ? impl.update->last_learning_rate : impl.update->learning_rate();
    return listener(progress);
  };
  auto last_poll = Clock::now();
  for (std::size_t batch = 0; batch < progress.batches && !result.stopped; ++batch) {
    const std::size_t first = batch * batch_size;
    const RowSelection selection{options.shuffle ? impl.order.data() + first : nullptr, first,
                                 std::min(batch_size, rows - first)};
    progress.batch_ends = false;
    if (options.batch_hook && !tell(options.batch_hook)) result.stopped = true;
    if (result.stopped) break;
    if (options.batch_hook) {  // which may have set weights
      context.skips_zeros = may_skip_zeros(context.parameters, impl.graph.parameter_count);
    }
    context.step = impl.step;
    impl.executor.begin_step();
    const StepResult step =
        train_step(context, {&data, selection}, *impl.update, impl.staged_state, options.stop_on_nan);
    impl.executor.end_step();
    impl.running.add(step.loss, selection.count);
    if (!std::isfinite(step.loss)) {
      if (!result.first_nan_batch) result.first_nan_batch = batch;
      if (options.stop_on_nan) {
        result.stopped = true;
        break;
      }
    }
    ++impl.step;
    progress.batch = batch + 1;
    progress.batch_ends = true;
    if (options.batch_hook && !tell(options.batch_hook)) result.stopped = true;
    if (options.poll && Clock::now() - last_poll >= kPollInterval) {
      if (!tell(options.poll)) result.stopped = true;
      last_poll = Clock::now();
    }
  }
  result.logs = impl.logs();
  result.learning_rate =
      impl.update->updates > 0 ? impl.update->last_learning_rate : impl.update->learning_rate();
  return result;
}

Logs TrainingSession::evaluate(const Dataset& data, std::size_t batch_size,
                               const std::function<bool(const Progress&)>& poll, bool use_ema) {
  Impl& impl = *impl_;
  const Busy guard(impl.busy);
  impl.ensure_update();
  impl.require_fit(data);
  impl.reset_running();
  const std::size_t rows = data.rows();
  const std::size_t step_rows = std::clamp<std::size_t>(batch_size, 1, std::max<std::size_t>(1, rows));
  StepMemory& memory = impl.memory_for(impl.evaluation, step_rows, Mode::inference, false);
  const float* parameters = use_ema ? ema().data() : impl.graph.parameter_values.data();
  StepContext context = impl.context(memory, parameters, thread_pool(), seed_, options_.scale);
  Progress progress;
  progress.batches = (rows + step_rows - 1) / step_rows;
  auto last_poll = Clock::now();
  for (std::size_t first = 0; first < rows; first += step_rows) {
    const RowSelection selection{nullptr, first, std::min(step_rows, rows - first)};
    impl.running.add(evaluate_step(context, {&data, selection}).loss, selection.count);
    ++progress.batch;
    if (poll && Clock::now() - last_poll >= kPollInterval) {
      const Logs seen = impl.logs();
      progress.logs = &seen;
      progress.rows = seen.rows;
      if (!poll(progress)) break;
      last_poll = Clock::now();
    }
  }
  return impl.logs();
}

void TrainingSession::begin_epoch() {
  const Busy guard(impl_->busy);
  impl_->reset_running();
}

Logs TrainingSession::train_batch(const Dataset& batch, bool stop_on_nan) {
  Impl& impl = *impl_;
  const Busy guard(impl.busy);
  impl.ensure_update();
  impl.require_fit(batch);
  StepMemory& memory = impl.memory_for(impl.training, batch.rows(), Mode::training, true);
  StepContext context =
      impl.context(memory, impl.graph.parameter_values.data(), impl.executor, seed_, options_.scale);
  const RowSelection all{nullptr, 0, batch.rows()};
  impl.executor.begin_step();
  const StepResult step = train_step(context, {&batch, all}, *impl.update, impl.staged_state, stop_on_nan);
  impl.executor.end_step();
  impl.running.add(step.loss, batch.rows());
  if (std::isfinite(step.loss) || !stop_on_nan) ++impl.step;
  Logs logs;
  logs.loss = step.loss;
  logs.rows = batch.rows();
  return logs;
}

Logs TrainingSession::evaluate_batch(const Dataset& batch, bool use_ema) {
  Impl& impl = *impl_;
  const Busy guard(impl.busy);
  impl.ensure_update();
  impl.require_fit(batch);
  StepMemory& memory = impl.memory_for(impl.evaluation, batch.rows(), Mode::inference, false);
  const float* parameters = use_ema ? ema().data() : impl.graph.parameter_values.data();
  StepContext context = impl.context(memory, parameters, thread_pool(), seed_, options_.scale);
  const RowSelection all{nullptr, 0, batch.rows()};
  Logs logs;
  logs.loss = evaluate_step(context, {&batch, all}).loss;
  logs.rows = batch.rows();
  impl.running.add(logs.loss, batch.rows());
  return logs;
}

Logs TrainingSession::epoch_logs() const {
  return impl_->logs();
}

double TrainingSession::value_and_gradient(const Dataset& data, bool training, std::span<float> gradient) {
  Impl& impl = *impl_;
  const Busy guard(impl.busy);
  impl.ensure_update();
  impl.require_fit(data);
  Graph& graph = impl.graph;
  if (gradient.size() != graph.parameter_count) {
    throw ShapeError("TrainingSession: expected room for " + std::to_string(graph.parameter_count) +
                     " gradients, got " + std::to_string(gradient.size()) + ".");
  }
  std::fill(gradient.begin(), gradient.end(), 0.0F);
  const std::size_t rows = data.rows();
  // With batch statistics or noise in play the batch is one; else rows stand for themselves.
  const std::size_t step_rows = training ? rows : std::min(rows, kGradientRows);
  std::unique_ptr<StepMemory> own;
  StepMemory& memory = impl.memory_for(training ? own : impl.gradient, step_rows,
                                       training ? Mode::training : Mode::inference, true);
  StepContext context =
      impl.context(memory, graph.parameter_values.data(), thread_pool(), seed_, options_.scale);

  std::vector<double> weights;
  for (std::size_t i = 0; i < impl.heads.size(); ++i) weights.push_back(total_weight(impl.heads[i], data, i));
  const LossScale& scale = options_.scale;
  const double penalty_scale = !scale.penalty_over_weight ? 1.0 : (weights[0] > 0 ? 1.0 / weights[0] : 0.0);
  double loss = penalty_scale * graph.penalty(graph.parameter_values.data());
  for (std::size_t first = 0; first < rows; first += step_rows) {
    const RowSelection selection{nullptr, first, std::min(step_rows, rows - first)};
    loss += gradient_step(context, {&data, selection}, weights, gradient.data(), first > 0);
  }
  add_penalties(graph, gradient.data(), penalty_scale);
  return loss;
}

std::vector<MetricPtr> TrainingSession::metrics() const {
  std::vector<MetricPtr> metrics;
  for (const Head& head : impl_->heads)
    metrics.insert(metrics.end(), head.metrics.begin(), head.metrics.end());
  return metrics;
}

std::vector<std::string> TrainingSession::metric_names() {
  if (impl_->heads.empty())
    throw StateError("TrainingSession: expected a built model to name its metrics, got none.");
  std::vector<std::string> names;
  for (const MetricPtr& metric : metrics()) names.push_back(metric->name());
  return names;
}

std::int64_t TrainingSession::step() const {
  return impl_->step;
}
std::int64_t TrainingSession::updates() const {
  return impl_->update ? impl_->update->updates : 0;
}
double TrainingSession::learning_rate() const {
  return options_.optimizer->common().learning_rate.at(updates());
}

std::span<const float> TrainingSession::ema() const {
  if (!impl_->update || impl_->update->ema().size() == 0) {
    throw StateError(
        "TrainingSession: expected an optimizer with use_ema=True that has weights to average, got none.");
  }
  return std::as_const(impl_->update->ema()).span();
}

void TrainingSession::swap_ema() {
  ema();
  const auto average = impl_->update->ema().span();
  std::swap_ranges(average.begin(), average.end(), impl_->graph.parameter_values.data());
}

void TrainingSession::scale_slot(const std::string& name, double factor) {
  const Busy guard(impl_->busy);
  if (!impl_->update) return;
  const std::vector<std::string> names = impl_->update->slot_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != name) continue;
    for (float& value : impl_->update->slot(i).span()) {
      value = static_cast<float>(static_cast<double>(value) * factor);
    }
  }
}

}  // namespace lamina
