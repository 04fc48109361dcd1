#include "lamina/model/model.h"

#include <algorithm>
#include <set>

#include "lamina/core/error.h"
#include "lamina/layers/input.h"
#include "lamina/model/graph.h"
#include "lamina/model/model_checks.h"

namespace lamina {
namespace {

void add_chain(Graph& graph, const Shape& input_shape) {
  Edge edge{graph.add_input({input_shape}), 0};
  for (std::size_t layer = 0; layer < graph.layers.size(); ++layer) edge = {graph.add_call(layer, {edge}), 0};
  graph.outputs = {edge};
}

}  // namespace

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
