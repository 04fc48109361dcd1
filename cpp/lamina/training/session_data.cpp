// What a session checks before it trains: that data, model, losses and metrics go together.
#include <algorithm>

#include "lamina/training/session_impl.h"

namespace lamina {
namespace {

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

std::vector<Head> TrainingSession::Impl::exchange_heads(std::vector<Head> fresh) {
  heads.swap(fresh);
  input_shapes.clear();
  targets.clear();
  for (const std::size_t input : graph.inputs)
    input_shapes.push_back(graph.nodes[input].spec.outputs[0].shape);
  for (const Head& head : heads) targets.push_back(head.target);
  return fresh;
}

void TrainingSession::Impl::require_fit(const Dataset& data) const {
  if (heads_fit(data)) return;
  throw ShapeError("TrainingSession: expected y of one shape in training and validation, got several.");
}

void TrainingSession::prepare(const Dataset& data, bool scan, bool targets_needed, const Dataset* validation,
                              const std::function<void()>& also) {
  Impl& impl = *impl_;
  const Busy guard(impl.busy);
  Graph& graph = impl.graph;
  const bool was_built = graph.built;
  bool exchanged = false;
  std::vector<Head> before;
  try {
    if (!was_built) {
      if (data.inputs.size() != 1 || data.inputs[0].shape.rank() == 0) {
        throw ShapeError("Model: expected x with one row for each sample, got a scalar.");
      }
      const Shape row = data.inputs[0].shape.without_batch();
      model_.build(row.rank() == 0 ? Shape{1} : row);
    }
    if (!was_built || !impl.heads_fit(data)) {
      before = impl.exchange_heads(impl.make_heads(&data));
      exchanged = true;
    }
    check_inputs(data, impl.input_shapes, scan);
    if (targets_needed) check_targets(data, impl.targets, scan);
    if (validation != nullptr) {
      check_inputs(*validation, impl.input_shapes, scan);
      check_targets(*validation, impl.targets, scan);
      impl.require_fit(*validation);
    }
    if (also) also();
    graph.ensure_weights(options_.seed);
    impl.ensure_update();
  } catch (...) {
    if (exchanged) {
      impl.exchange_heads(std::move(before));
      impl.reset_running();
    }
    if (!was_built) graph.unbuild();
    throw;
  }
}

}  // namespace lamina
