#include "lamina/model/graph.h"

#include <algorithm>
#include <map>

#include "lamina/core/error.h"
#include "lamina/core/random.h"
#include "lamina/model/inference_plan.h"

namespace lamina {
namespace {

// "BatchNormalization" -> "batch_normalization", "LeakyReLU" -> "leaky_re_lu", "ELU" -> "elu", as Keras names
// layers.
std::string snake_case(const std::string& type) {
  const auto upper = [&](std::size_t i) { return i < type.size() && type[i] >= 'A' && type[i] <= 'Z'; };
  std::string name;
  for (std::size_t i = 0; i < type.size(); ++i) {
    const bool word_starts = upper(i) && i > 0 && (!upper(i - 1) || (i + 1 < type.size() && !upper(i + 1)));
    if (word_starts) name += '_';
    name += upper(i) ? static_cast<char>(type[i] - 'A' + 'a') : type[i];
  }
  return name;
}

bool has_name(const std::vector<LayerEntry>& layers, const std::string& name) {
  return std::any_of(layers.begin(), layers.end(),
                     [&](const LayerEntry& entry) { return entry.name == name; });
}

}  // namespace

Graph::Graph() = default;
Graph::~Graph() = default;

std::shared_ptr<Graph> Graph::clone() const {
  auto copy = std::make_shared<Graph>();
  copy->layers = layers;
  copy->nodes = nodes;
  copy->inputs = inputs;
  copy->outputs = outputs;
  copy->built = built;
  copy->weights_ready = weights_ready.load();
  copy->seed = seed;
  copy->parameters = parameters;
  copy->state = state;
  copy->parameter_count = parameter_count;
  copy->state_count = state_count;
  copy->parameter_values = parameter_values.clone();
  copy->state_values = state_values.clone();
  return copy;
}

std::size_t Graph::add_layer(LayerPtr layer) {
  std::string name = layer->given_name();
  if (name.empty()) {
    const std::string base = snake_case(layer->type());
    name = base;
    for (std::size_t number = 1; has_name(layers, name); ++number) name = base + "_" + std::to_string(number);
  } else if (has_name(layers, name)) {
    throw ArgumentError(layer->type() + " '" + name +
                        "': expected a name that no other layer of the model has.");
  } else if (name.find('/') != std::string::npos || name == "__metadata__") {
    throw ArgumentError(layer->type() + ": expected a name without '/', got '" + name + "'.");
  }
  const bool trainable = layer->initially_trainable();
  return add_layer(std::move(layer), std::move(name), trainable);
}

std::size_t Graph::add_layer(LayerPtr layer, std::string name, bool trainable) {
  layers.push_back({std::move(layer), std::move(name), trainable, {}, {}});
  return layers.size() - 1;
}

std::size_t Graph::add_input(const TensorSpec& spec) {
  Node node;
  node.spec.outputs = {spec};
  nodes.push_back(std::move(node));
  inputs.push_back(nodes.size() - 1);
  return nodes.size() - 1;
}

std::size_t Graph::add_call(std::size_t layer, std::vector<Edge> call_inputs) {
  Node node;
  node.layer = layer;
  node.inputs = std::move(call_inputs);
  nodes.push_back(std::move(node));
  return nodes.size() - 1;
}

void Graph::declare() {
  std::vector<Node> built_nodes = nodes;
  std::vector<LayerEntry> built_layers = layers;
  std::vector<std::vector<const Node*>> calls(layers.size());
  for (Node& node : built_nodes) {
    if (node.is_input()) continue;
    const LayerEntry& entry = layers[node.layer];
    node.input_specs.clear();
    for (const Edge& edge : node.inputs) {
      const std::vector<TensorSpec>& specs = built_nodes[edge.node].spec.outputs;
      if (edge.output >= specs.size()) {
        throw ShapeError(entry.layer->type() + " '" + entry.name + "': expected an output below " +
                         std::to_string(specs.size()) + " of the layer before it, got " +
                         std::to_string(edge.output) + ".");
      }
      node.input_specs.push_back(specs[edge.output]);
    }
    node.spec = entry.layer->build(node.input_specs, entry.name);
    calls[node.layer].push_back(&node);
  }
  std::vector<Parameter> built_parameters;
  std::vector<StateRange> built_state;
  std::size_t offset = 0;
  std::size_t state_offset = 0;
  for (std::size_t index = 0; index < layers.size(); ++index) {
    LayerEntry& entry = built_layers[index];
    entry.parameters.clear();
    entry.state.clear();
    if (calls[index].empty()) continue;
    const LayerSpec& spec = calls[index].front()->spec;
    for (const Node* call : calls[index]) {
      const bool same =
          std::equal(call->spec.parameters.begin(), call->spec.parameters.end(), spec.parameters.begin(),
                     spec.parameters.end(), [](const ParameterSpec& a, const ParameterSpec& b) {
                       return a.name == b.name && a.shape == b.shape;
                     });
      if (!same)
        throw ShapeError(entry.layer->type() + " '" + entry.name +
                         "': expected calls that share its weights' shapes.");
    }
    for (const ParameterSpec& declared : spec.parameters) {
      if (declared.constraint) declared.constraint->check(declared.shape);
      Parameter parameter;
      static_cast<NamedRange&>(parameter) = {entry.name + "/" + declared.name, declared.shape, offset,
                                             declared.shape.elements(), index};
      parameter.initializer = declared.initializer;
      parameter.regularizer = declared.regularizer;
      parameter.constraint = declared.constraint;
      offset += parameter.size;
      entry.parameters.push_back(built_parameters.size());
      built_parameters.push_back(std::move(parameter));
    }
    for (const StateSpec& declared : spec.state) {
      StateRange range;
      static_cast<NamedRange&>(range) = {entry.name + "/" + declared.name, declared.shape, state_offset,
                                         declared.shape.elements(), index};
      range.initializer = declared.initializer;
      state_offset += range.size;
      entry.state.push_back(built_state.size());
      built_state.push_back(std::move(range));
    }
  }
  nodes = std::move(built_nodes);
  layers = std::move(built_layers);
  parameters = std::move(built_parameters);
  state = std::move(built_state);
  parameter_count = offset;
  state_count = state_offset;
}

void Graph::build() {
  declare();
  Buffer values(parameter_count);
  Buffer persistent(state_count);
  parameter_values = std::move(values);
  state_values = std::move(persistent);
  built = true;
}

void Graph::unbuild() {
  nodes.clear();
  inputs.clear();
  outputs.clear();
  parameters.clear();
  state.clear();
  for (LayerEntry& entry : layers) {
    entry.parameters.clear();
    entry.state.clear();
  }
  parameter_count = state_count = 0;
  parameter_values = Buffer();
  state_values = Buffer();
  idle_plans.clear();
  built = weights_ready = false;
}

void Graph::ensure_weights(std::optional<std::uint64_t> fallback_seed) {
  if (weights_ready) return;
  const std::lock_guard lock(weights_mutex);  // two predictions may be the first at once
  if (weights_ready) return;
  const std::uint64_t chosen = seed ? *seed : fallback_seed ? *fallback_seed : entropy_seed();
  for (std::size_t index = 0; index < parameters.size(); ++index) {
    const Parameter& parameter = parameters[index];
    RandomStream random(chosen, RandomUse::weights, index);
    parameter.initializer->fill(parameter.shape, random,
                                parameter_values.span().subspan(parameter.offset, parameter.size));
  }
  for (std::size_t index = 0; index < state.size(); ++index) {
    const StateRange& range = state[index];
    RandomStream random(chosen, RandomUse::weights, parameters.size() + index);
    range.initializer->fill(range.shape, random, state_values.span().subspan(range.offset, range.size));
  }
  seed = chosen;
  weights_ready = true;
}

bool Graph::has_regularizers() const {
  return std::any_of(parameters.begin(), parameters.end(),
                     [](const Parameter& parameter) { return parameter.regularizer != nullptr; });
}

double Graph::penalty(const float* values) const {
  double sum = 0;
  for (const Parameter& parameter : parameters) {
    if (parameter.regularizer)
      sum += parameter.regularizer->penalty(values + parameter.offset, parameter.size);
  }
  return sum;
}

}  // namespace lamina
