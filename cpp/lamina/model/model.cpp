#include "lamina/model/model.h"

#include <algorithm>
#include <array>
#include <set>

#include "lamina/core/error.h"
#include "lamina/data/dataset.h"
#include "lamina/layers/input.h"
#include "lamina/model/graph.h"
#include "lamina/model/inference_plan.h"

namespace lamina {
namespace {

// Plans are laid out for few sizes, so that idle ones fit again: one row, a few, a full chunk.
constexpr std::size_t kSmallRows = 16;
constexpr std::size_t kChunkRows = 256;

void require_built(const Graph& graph, const char* what) {
  if (!graph.built) {
    throw StateError(std::string("Model: expected a built model to ") + what +
                     ", got one without an input shape; call build(input_shape), or begin with Input.");
  }
}

void add_chain(Graph& graph, const Shape& input_shape) {
  Edge edge{graph.add_input({input_shape}), 0};
  for (std::size_t layer = 0; layer < graph.layers.size(); ++layer) edge = {graph.add_call(layer, {edge}), 0};
  graph.outputs = {edge};
}

std::unique_ptr<InferencePlan> take_plan(const Graph& graph, std::size_t max_rows) {
  {
    const std::lock_guard lock(graph.plans_mutex);
    for (auto& idle : graph.idle_plans) {
      if (idle->plan.options().max_rows != max_rows) continue;
      std::swap(idle, graph.idle_plans.back());
      auto plan = std::move(graph.idle_plans.back());
      graph.idle_plans.pop_back();
      return plan;
    }
  }
  return std::make_unique<InferencePlan>(graph, max_rows);
}

void give_back(const Graph& graph, std::unique_ptr<InferencePlan> plan) {
  constexpr std::size_t kMaxIdle = 16;
  const std::lock_guard lock(graph.plans_mutex);
  if (graph.idle_plans.size() < kMaxIdle) graph.idle_plans.push_back(std::move(plan));
}

}  // namespace

void InferencePlan::run(const Graph& graph, const ArrayView& input, std::size_t first, std::size_t count,
                        float* output) {
  const std::size_t row_floats = input.row_elements();
  const bool in_place =
      input.dtype == DType::f32 &&
      (count == 1 || input.row_stride == static_cast<std::ptrdiff_t>(row_floats * sizeof(float)));
  std::array<const float*, 1> inputs{};
  if (in_place) {
    inputs[0] = static_cast<const float*>(input.row(first));
  } else {
    if (gathered.size() == 0) gathered = Buffer(row_floats * plan.options().max_rows);
    gather(input, {nullptr, first, count}, gathered.data(), false, "x", thread_pool());
    inputs[0] = gathered.data();
  }
  const std::array<float*, 1> outputs{output};
  PlanRun pass;
  pass.rows = count;
  pass.inputs = inputs;
  pass.outputs = outputs;
  pass.parameters = graph.parameter_values.data();
  pass.state = const_cast<float*>(graph.state_values.data());  // update_state is off: only read
  pass.executor = &thread_pool();
  plan.forward(pass);
}

bool Model::built() const {
  return graph_->built;
}

void Model::build(const Shape& input_shape) {
  Graph& graph = *graph_;
  if (graph.built) {
    const Shape& known = graph.nodes[graph.inputs[0]].spec.outputs[0].shape;
    if (known == input_shape) return;
    throw StateError("Model: expected the input shape " + known.str_with_batch() +
                     " that it is built with, got " + input_shape.str_with_batch() + ".");
  }
  const auto nodes = graph.nodes;
  try {
    add_chain(graph, input_shape);
    graph.build();
  } catch (...) {
    graph.nodes = nodes;
    graph.inputs.clear();
    graph.outputs.clear();
    throw;
  }
}

std::size_t Model::num_layers() const {
  return graph_->layers.size();
}

std::size_t Model::count_params() const {
  require_built(*graph_, "count parameters");
  return graph_->parameter_count + graph_->state_count;
}

std::size_t Model::count_trainable_params() const {
  require_built(*graph_, "count parameters");
  std::size_t count = 0;
  for (const Parameter& parameter : graph_->parameters) {
    if (graph_->layers[parameter.layer].trainable) count += parameter.size;
  }
  return count;
}

Shape Model::input_shape(std::size_t index) const {
  require_built(*graph_, "tell its input shape");
  return graph_->nodes[graph_->inputs.at(index)].spec.outputs[0].shape;
}

Shape Model::output_shape(std::size_t index) const {
  require_built(*graph_, "tell its output shape");
  return graph_->spec_of(graph_->outputs.at(index)).shape;
}

std::span<float> Model::flat_parameters() {
  require_built(*graph_, "have parameters");
  graph_->ensure_weights();
  return graph_->parameter_values.span();
}

std::span<const float> Model::flat_parameters() const {
  require_built(*graph_, "have parameters");
  graph_->ensure_weights();
  return std::as_const(*graph_).parameter_values.span();
}

void Model::predict(const ArrayView& input, View output, std::size_t batch_size) const {
  const Graph& graph = *graph_;
  require_built(graph, "predict");
  if (!graph.weights_ready) graph_->ensure_weights();
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1) {
    throw ArgumentError("Model: predict(input, output) expected one input and one output, got a model with " +
                        std::to_string(graph.inputs.size()) + " and " + std::to_string(graph.outputs.size()) +
                        ".");
  }
  const Shape& expected = graph.nodes[graph.inputs[0]].spec.outputs[0].shape;
  check_input(input, expected, "x");
  const std::size_t rows = input.rows();
  const Shape& row_shape = graph.spec_of(graph.outputs[0]).shape;
  if (output.elements() != rows * row_shape.elements()) {
    throw ShapeError("Model: expected room for predictions of shape " + row_shape.with_batch(rows).str() +
                     ", got " + output.shape.str() + ".");
  }
  if (rows == 0) return;
  // Never laid out for many more rows than there are, however large the batch size.
  const std::size_t most = std::min(std::max<std::size_t>(1, batch_size), std::max(rows, kChunkRows));
  const std::size_t chunk = rows == 1 ? 1 : rows <= kSmallRows ? kSmallRows : most;
  auto plan = take_plan(graph, chunk);
  const std::size_t row_floats = row_shape.elements();
  for (std::size_t first = 0; first < rows; first += chunk) {
    plan->run(graph, input, first, std::min(chunk, rows - first), output.data + first * row_floats);
  }
  give_back(graph, std::move(plan));
}

std::vector<float> Model::predict(const ArrayView& input) const {
  require_built(*graph_, "predict");
  const Shape shape = output_shape().with_batch(input.rows());
  std::vector<float> output(shape.elements());
  predict(input, {output.data(), shape});
  return output;
}

void Model::set_trainable(std::size_t layer, bool trainable) {
  LayerEntry& entry = graph_->layers.at(layer);
  if (entry.trainable == trainable) return;
  entry.trainable = trainable;
  ++graph_->layout_version;
}

bool Model::trainable(std::size_t layer) const {
  return graph_->layers.at(layer).trainable;
}
const std::string& Model::layer_name(std::size_t layer) const {
  return graph_->layers.at(layer).name;
}
Model Model::clone() const {
  return Model(graph_->clone());
}

Model sequential(std::vector<LayerPtr> layers, std::optional<std::uint64_t> seed) {
  auto graph = std::make_shared<Graph>();
  graph->seed = seed;
  std::optional<Shape> input_shape;
  std::set<const Layer*> seen;
  for (std::size_t index = 0; index < layers.size(); ++index) {
    const LayerPtr& layer = layers[index];
    if (layer == nullptr)
      throw ArgumentError("Sequential: expected layers, got null at index " + std::to_string(index) + ".");
    if (const auto* input = dynamic_cast<const Input*>(layer.get())) {
      if (index != 0)
        throw ArgumentError("Sequential: expected Input as the first layer only, got one at index " +
                            std::to_string(index) + ".");
      input_shape = input->options().shape;
      continue;
    }
    if (!seen.insert(layer.get()).second) {
      throw ArgumentError("Sequential: expected each layer once, got the same " + layer->type() +
                          " object again at index " + std::to_string(index) + "; make a new one.");
    }
    graph->add_layer(layer);
  }
  if (graph->layers.empty()) throw ArgumentError("Sequential: expected at least one layer, got none.");
  Model model(graph);
  if (input_shape) model.build(*input_shape);
  return model;
}

}  // namespace lamina
