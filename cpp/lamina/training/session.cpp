#include "lamina/training/session.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <numeric>

#include "lamina/core/error.h"
#include "lamina/model/graph.h"
#include "lamina/training/train_step.h"
#include "lamina/training/update.h"

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

// The mean over rows of what batches gave.
struct RunningLoss {
  double sum = 0;
  std::size_t rows = 0;
  void add(double loss, std::size_t count) {
    sum += loss * static_cast<double>(count);
    rows += count;
  }
  double mean() const { return rows == 0 ? 0.0 : sum / static_cast<double>(rows); }
};

// What a training loss asks of the output it is for.
TargetSpec target_spec(const Loss& loss, const Shape& prediction) {
  TargetSpec spec;
  spec.prediction = prediction;
  spec.kind = loss.target_kind();
  spec.loss = loss.type();
  spec.sibling = loss.sibling();
  if (const auto ignored = loss.ignored_label()) spec.ignored_label = *ignored;
  return spec;
}

// How a user's loss sees targets: shaped like the predictions where they have as many numbers, else as they
// are.
Shape any_target_shape(const ArrayView& target, const Shape& prediction) {
  return target.row_elements() == prediction.elements() ? prediction : target.shape.without_batch();
}

TargetKind metric_targets(const Head& head) {
  if (head.target.kind != TargetKind::any) return head.target.kind;
  if (head.target_shape == head.target.prediction) return TargetKind::values;
  return head.target_shape.elements() == head.rows_per_sample ? TargetKind::labels : TargetKind::any;
}

Head make_head(const HeadOptions& options, const Shape& shape, const ArrayView* target) {
  Head head;
  head.loss = options.loss;
  head.target = target_spec(*head.loss, shape);
  head.columns = shape.rank() == 0 ? 1 : shape.back();
  head.rows_per_sample = head.columns == 0 ? 0 : shape.elements() / head.columns;
  if (head.columns < head.loss->min_columns()) {
    throw ShapeError(head.loss->type() + ": expected predictions of at least " +
                     std::to_string(head.loss->min_columns()) + " classes, got the output shape " +
                     shape.str_with_batch() + ".");
  }
  const bool any = head.target.kind == TargetKind::any && target != nullptr;
  head.target_shape = any ? any_target_shape(*target, shape) : shape;
  head.metrics = options.metrics;
  const bool built_in = !options.metric_names.empty() ||
                        std::any_of(head.metrics.begin(), head.metrics.end(), [](const MetricPtr& metric) {
                          return metric->type().rfind(kCustomPrefix, 0) != 0;
                        });
  head.metric_targets = metric_targets(head);
  if (head.metric_targets == TargetKind::any && built_in) {
    throw ShapeError("Metrics: expected y of the shape of the predictions " + shape.str_with_batch() +
                     ", or integer labels, got " + head.target_shape.str_with_batch() + ".");
  }
  if (!built_in && head.target.kind == TargetKind::any) head.metric_targets = TargetKind::any;
  for (const std::string& name : options.metric_names) {
    head.metrics.push_back(make_metric(name, *head.loss, head.columns, head.metric_targets));
  }
  for (const MetricPtr& metric : head.metrics) metric->reset(head.columns, head.metric_targets);
  return head;
}

// What the losses of all rows weigh together.
double total_weight(const Head& head, const Dataset& data, std::size_t index) {
  const std::size_t rows = data.rows();
  const RowSelection all{nullptr, 0, rows};
  std::vector<float> weights;
  if (!data.weights.empty()) {
    std::vector<float> samples(rows);
    gather(data.weights[index], all, samples.data(), false, "sample_weight");
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

}  // namespace

struct TrainingSession::Impl {
  Graph& graph;
  SessionOptions& options;
  std::int64_t step = 0;
  std::vector<Head> heads;                                     // empty until the model is built
  std::unique_ptr<Update> update;                              // null until there are weights
  std::unique_ptr<StepMemory> training, evaluation, gradient;  // the last without noise, a chunk of rows
  Buffer staged_state;
  std::vector<std::size_t> order;
  RunningLoss running;
  std::atomic<bool> busy{false};

  Impl(Graph& model_graph, SessionOptions& session_options) : graph(model_graph), options(session_options) {}

  std::vector<Head> make_heads(const Dataset* data) const;
  bool heads_fit(const Dataset& data) const;
  void ensure_update();
  StepMemory& memory_for(std::unique_ptr<StepMemory>& memory, std::size_t rows, Mode mode, bool backward);
  void reset_running();
  Logs logs() const;
};

namespace {

// One caller at a time: a session is not for two threads, nor for a callback in the middle of its own epoch.
class Busy {
 public:
  explicit Busy(std::atomic<bool>& flag) : flag_(flag) {
    if (flag_.exchange(true)) {
      throw StateError(
          "TrainingSession: expected to be at rest, got a call while another one trains or evaluates.");
    }
  }
  ~Busy() { flag_ = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  std::atomic<bool>& flag_;
};

}  // namespace

// `data`, when there are, say what targets a user's loss gets.
std::vector<Head> TrainingSession::Impl::make_heads(const Dataset* data) const {
  if (options.heads.size() != graph.outputs.size()) {
    throw ArgumentError("TrainingSession: expected a loss for each of the model's " +
                        std::to_string(graph.outputs.size()) + " outputs, got " +
                        std::to_string(options.heads.size()) + ".");
  }
  std::vector<Head> result;
  for (std::size_t i = 0; i < options.heads.size(); ++i) {
    const ArrayView* target = data != nullptr && i < data->targets.size() ? &data->targets[i] : nullptr;
    result.push_back(make_head(options.heads[i], graph.spec_of(graph.outputs[i]).shape, target));
  }
  return result;
}

bool TrainingSession::Impl::heads_fit(const Dataset& data) const {
  if (heads.empty()) return false;
  for (std::size_t i = 0; i < std::min(heads.size(), data.targets.size()); ++i) {
    if (heads[i].target.kind != TargetKind::any) continue;
    if (!(heads[i].target_shape == any_target_shape(data.targets[i], heads[i].target.prediction)))
      return false;
  }
  return true;
}

void TrainingSession::Impl::ensure_update() {
  if (heads.empty() || !graph.weights_ready) {
    throw StateError("TrainingSession: expected prepare() to have seen data, got a model without weights.");
  }
  if (!update) {
    update = std::make_unique<Update>(graph, *options.optimizer);
    staged_state = Buffer(graph.state_count);
  }
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
  if (model_.built()) impl_->heads = impl_->make_heads(nullptr);
}

TrainingSession::~TrainingSession() = default;

void TrainingSession::set_scale(const LossScale& scale) {
  if (!std::isfinite(scale.loss_weight) || scale.loss_weight <= 0) {
    throw ArgumentError("TrainingSession: expected a positive loss_weight, got " +
                        std::to_string(scale.loss_weight) + ".");
  }
  options_.scale = scale;
}

void TrainingSession::prepare(const Dataset& data, bool scan, bool targets_needed) {
  const Busy guard(impl_->busy);
  Graph& graph = impl_->graph;
  const bool was_built = graph.built;
  try {
    if (!was_built) {
      if (data.inputs.size() != 1 || data.inputs[0].shape.rank() == 0) {
        throw ShapeError("Model: expected x with one row for each sample, got a scalar.");
      }
      const Shape row = data.inputs[0].shape.without_batch();
      model_.build(row.rank() == 0 ? Shape{1} : row);
    }
    const bool keep_heads = impl_->heads_fit(data);
    std::vector<Head> heads;
    if (!keep_heads) heads = impl_->make_heads(&data);
    const std::vector<Head>& known = keep_heads ? impl_->heads : heads;
    std::vector<Shape> inputs;
    for (const std::size_t input : graph.inputs) inputs.push_back(graph.nodes[input].spec.outputs[0].shape);
    check_inputs(data, inputs, scan);
    if (targets_needed) {
      std::vector<TargetSpec> targets;
      for (const Head& head : known) targets.push_back(head.target);
      check_targets(data, targets, scan);
    }
    graph.ensure_weights(options_.seed);
    if (!keep_heads) impl_->heads = std::move(heads);
    impl_->ensure_update();
  } catch (...) {
    if (!was_built) graph.unbuild();
    throw;
  }
}

EpochResult TrainingSession::train_epoch(const Dataset& data, const EpochOptions& options) {
  Impl& impl = *impl_;
  const Busy guard(impl.busy);
  impl.ensure_update();
  const std::size_t rows = data.rows();
  const std::size_t batch_size =
      std::clamp<std::size_t>(options.batch_size, 1, std::max<std::size_t>(1, rows));
  StepMemory& memory = impl.memory_for(impl.training, batch_size, Mode::training, true);
  StepContext context{impl.graph, impl.heads, memory,        impl.graph.parameter_values.data(),
                      seed_,      impl.step,  thread_pool(), options_.scale};
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
    context.step = impl.step;
    const StepResult step =
        train_step(context, {&data, selection}, *impl.update, impl.staged_state, options.stop_on_nan);
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
  impl.reset_running();
  const std::size_t rows = data.rows();
  const std::size_t step_rows = std::clamp<std::size_t>(batch_size, 1, std::max<std::size_t>(1, rows));
  StepMemory& memory = impl.memory_for(impl.evaluation, step_rows, Mode::inference, false);
  const float* parameters = use_ema ? ema().data() : impl.graph.parameter_values.data();
  StepContext context{impl.graph, impl.heads, memory,        parameters,
                      seed_,      impl.step,  thread_pool(), options_.scale};
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
  StepMemory& memory = impl.memory_for(impl.training, batch.rows(), Mode::training, true);
  StepContext context{impl.graph, impl.heads, memory,        impl.graph.parameter_values.data(),
                      seed_,      impl.step,  thread_pool(), options_.scale};
  const RowSelection all{nullptr, 0, batch.rows()};
  const StepResult step = train_step(context, {&batch, all}, *impl.update, impl.staged_state, stop_on_nan);
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
  StepMemory& memory = impl.memory_for(impl.evaluation, batch.rows(), Mode::inference, false);
  const float* parameters = use_ema ? ema().data() : impl.graph.parameter_values.data();
  StepContext context{impl.graph, impl.heads, memory,        parameters,
                      seed_,      impl.step,  thread_pool(), options_.scale};
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
  StepContext context{graph, impl.heads, memory,        graph.parameter_values.data(),
                      seed_, impl.step,  thread_pool(), options_.scale};

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

std::vector<std::string> TrainingSession::metric_names() {
  if (impl_->heads.empty())
    throw StateError("TrainingSession: expected a built model to name its metrics, got none.");
  std::vector<std::string> names;
  for (const Head& head : impl_->heads) {
    for (const MetricPtr& metric : head.metrics) names.push_back(metric->name());
  }
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

TrainingSession::State TrainingSession::state() const {
  State state;
  state.seed = seed_;
  state.step = impl_->step;
  state.optimizer_memory.assign(options_.optimizer->memory_size(), 1.0);
  if (!impl_->update) return state;
  Update& update = *impl_->update;
  state.updates = update.updates;
  state.accumulated_batches = update.accumulated_batches();
  state.accumulated_weight = update.accumulated_weight();
  state.optimizer_memory = update.optimizer_memory();
  const auto keep = [&](const std::string& name, const Buffer& buffer) {
    if (buffer.size() != 0)
      state.tensors["optimizer/" + name].assign(buffer.span().begin(), buffer.span().end());
  };
  const std::vector<std::string> names = update.slot_names();
  for (std::size_t i = 0; i < names.size(); ++i) keep(names[i], update.slot(i));
  keep("ema", update.ema());
  if (update.accumulated_batches() > 0) keep("accumulated_gradient", update.accumulated_gradient());
  return state;
}

void TrainingSession::restore(const State& state) {
  Impl& impl = *impl_;
  const Busy guard(impl.busy);
  auto fresh = std::make_unique<Update>(impl.graph, *options_.optimizer);
  const auto take = [&](const std::string& name, Buffer& buffer) {
    if (buffer.size() == 0) return;
    const auto found = state.tensors.find("optimizer/" + name);
    if (found == state.tensors.end() || found->second.size() != buffer.size()) {
      throw FormatError("Checkpoint: expected " + std::to_string(buffer.size()) + " values of optimizer/" +
                        name + ", got " +
                        (found == state.tensors.end() ? "none" : std::to_string(found->second.size())) + ".");
    }
    std::copy(found->second.begin(), found->second.end(), buffer.data());
  };
  if (!state.tensors.empty() || state.updates > 0 || state.accumulated_batches > 0) {
    const std::vector<std::string> names = fresh->slot_names();
    for (std::size_t i = 0; i < names.size(); ++i) take(names[i], fresh->slot(i));
    take("ema", fresh->ema());
    if (state.accumulated_batches > 0) take("accumulated_gradient", fresh->accumulated_gradient());
  }
  if (state.step < 0 || state.updates < 0 || state.accumulated_batches < 0 ||
      state.optimizer_memory.size() != fresh->optimizer_memory().size()) {
    throw FormatError("Checkpoint: expected the counters and numbers of " + options_.optimizer->type() +
                      ", got others.");
  }
  fresh->updates = state.updates;
  fresh->accumulated_batches() = state.accumulated_batches;
  fresh->accumulated_weight() = state.accumulated_weight;
  fresh->optimizer_memory() = state.optimizer_memory;
  fresh->last_learning_rate =
      options_.optimizer->common().learning_rate.at(std::max<std::int64_t>(0, state.updates - 1));
  impl.update = std::move(fresh);
  impl.staged_state = Buffer(impl.graph.state_count);
  impl.step = state.step;
  seed_ = state.seed;
}

}  // namespace lamina
