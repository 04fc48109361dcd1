// Writing model files. Apart from reading, which alone programs need that predict.
#include "lamina/core/error.h"
#include "lamina/model/graph.h"
#include "lamina/model/model_file.h"
#include "lamina/model/model_file_layout.h"
#include "lamina/model/safetensors.h"

namespace lamina {
namespace {

Value edges_value(const std::vector<Edge>& edges) {
  Value::List list;
  for (const Edge& edge : edges) {
    list.push_back(Value::List{static_cast<std::int64_t>(edge.node), static_cast<std::int64_t>(edge.output)});
  }
  return list;
}

std::string architecture_of(const Graph& graph) {
  Value::List layers;
  for (const LayerEntry& entry : graph.layers) {
    layers.push_back(
        Config{"", {{"name", entry.name}, {"trainable", entry.trainable}, {"layer", entry.layer->config()}}});
  }
  Value::List nodes;
  for (const Node& node : graph.nodes) {
    if (node.is_input()) {
      nodes.push_back(Config{"", {{"shape", FieldType<Shape>::to(node.spec.outputs[0].shape)}}});
    } else {
      nodes.push_back(Config{
          "", {{"layer", static_cast<std::int64_t>(node.layer)}, {"inputs", edges_value(node.inputs)}}});
    }
  }
  Config root{
      "",
      {{"version", kVersion}, {"layers", layers}, {"nodes", nodes}, {"outputs", edges_value(graph.outputs)}}};
  root.fields.emplace_back("seed", graph.seed ? Value(std::to_string(*graph.seed)) : Value());
  return to_json(Value(std::move(root)));
}

std::vector<safetensors::Tensor> tensors_of(const Graph& graph) {
  std::vector<safetensors::Tensor> tensors;
  for_each_range(graph, [&](const NamedRange& range, const float* values) {
    tensors.push_back({range.name, range.shape, {values + range.offset, range.size}});
  });
  return tensors;
}

const Graph& saveable(const Model& model) {
  if (!model.built())
    throw StateError("Model: expected a built model to save, got one without an input shape.");
  model.flat_parameters();  // draws the weights
  return model.graph();
}

}  // namespace

void save_file(const Model& model, const std::map<std::string, std::string>& metadata,
               const std::vector<ExtraTensor>& tensors, const std::string& path) {
  const Graph& graph = saveable(model);
  std::map<std::string, std::string> all = metadata;
  all[kArchitecture] = architecture_of(graph);
  std::vector<safetensors::Tensor> list = tensors_of(graph);
  for (const ExtraTensor& tensor : tensors) list.push_back({tensor.name, tensor.shape, tensor.values});
  safetensors::write(path, std::move(all), list, kChecksum);
}

void save_model(const Model& model, const std::string& path) {
  save_file(model, {}, {}, path);
}

void save_weights(const Model& model, const std::string& path) {
  safetensors::write(path, {{"format", "lamina"}}, tensors_of(saveable(model)), "");
}

}  // namespace lamina
