#include "lamina/model/model_file.h"

#include <algorithm>
#include <charconv>
#include <new>
#include <set>

#include "lamina/core/error.h"
#include "lamina/model/graph.h"
#include "lamina/model/model_file_layout.h"
#include "lamina/model/safetensors.h"

namespace lamina {
namespace {

// ---- architecture

const Value& field(const Value& object, const char* name) {
  const Value* found = object.object() != nullptr ? object.object()->find(name) : nullptr;
  if (found == nullptr)
    throw FormatError(std::string("Architecture: expected the field '") + name + "', got none.");
  return *found;
}

const Value::List& list_of(const Value& object, const char* name) {
  const Value::List* list = field(object, name).list();
  if (list == nullptr) throw FormatError(std::string("Architecture: expected a list as '") + name + "'.");
  return *list;
}

std::size_t index_of(const Value& value, std::size_t count) {
  const auto* number = std::get_if<std::int64_t>(&value.storage());
  if (number == nullptr || *number < 0 || static_cast<std::size_t>(*number) >= count) {
    throw FormatError("Architecture: expected an index below " + std::to_string(count) + ", got " +
                      value.str() + ".");
  }
  return static_cast<std::size_t>(*number);
}

std::vector<Edge> edges_of(const Value::List& list, std::size_t nodes) {
  std::vector<Edge> edges;
  for (const Value& item : list) {
    if (item.list() == nullptr || item.list()->size() != 2)
      throw FormatError("Architecture: expected edges as [node, output].");
    edges.push_back({index_of((*item.list())[0], nodes), index_of((*item.list())[1], 1U << 16U)});
  }
  return edges;
}

void read_layer(Graph& graph, std::set<std::string>& names, const Value& value) {
  const Config* config = field(value, "layer").object();
  const std::string* name = field(value, "name").text();
  if (config == nullptr || name == nullptr)
    throw FormatError("Architecture: expected a name and a description for each layer.");
  if (name->empty() || !names.insert(*name).second) {
    throw FormatError("Architecture: expected layer names that differ, got '" + *name + "' again.");
  }
  graph.add_layer(Layer::registry().make(*config), *name, FieldType<bool>::from(field(value, "trainable")));
}

void read_node(Graph& graph, const Value& value) {
  if (value.object() != nullptr && value.object()->find("shape") != nullptr) {
    graph.add_input({FieldType<Shape>::from(field(value, "shape"))});
    return;
  }
  const std::size_t layer = index_of(field(value, "layer"), graph.layers.size());
  std::vector<Edge> inputs = edges_of(list_of(value, "inputs"), graph.nodes.size());
  if (inputs.empty()) throw FormatError("Architecture: expected inputs for each call.");
  graph.add_call(layer, std::move(inputs));
}

std::optional<std::uint64_t> read_seed(const Value& value) {
  if (value.is_none()) return std::nullopt;
  std::uint64_t seed = 0;
  const std::string* text = value.text();
  if (text == nullptr) throw FormatError("Architecture: expected the seed as a text.");
  const auto result = std::from_chars(text->data(), text->data() + text->size(), seed);
  if (result.ec != std::errc{} || result.ptr != text->data() + text->size()) {
    throw FormatError("Architecture: expected the seed as a number, got '" + *text + "'.");
  }
  return seed;
}

// A graph whose layers have declared themselves; no weights are allocated yet.
std::shared_ptr<Graph> read_architecture(const std::string& text) {
  const Value root = from_json(text);
  if (!(field(root, "version") == Value(kVersion))) {
    throw FormatError("Architecture: expected version 1, got " + field(root, "version").str() +
                      "; a newer lamina reads it.");
  }
  auto graph = std::make_shared<Graph>();
  std::set<std::string> names;
  for (const Value& layer : list_of(root, "layers")) read_layer(*graph, names, layer);
  for (const Value& node : list_of(root, "nodes")) read_node(*graph, node);
  graph->outputs = edges_of(list_of(root, "outputs"), graph->nodes.size());
  if (graph->outputs.empty() || graph->inputs.empty())
    throw FormatError("Architecture: expected inputs and outputs, got none.");
  graph->seed = read_seed(field(root, "seed"));
  graph->declare();
  for (const Edge& edge : graph->outputs) {
    index_of(Value(static_cast<std::int64_t>(edge.output)), graph->nodes[edge.node].spec.outputs.size());
  }
  return graph;
}

// ---- tensors
bool same_shape(const safetensors::Entry& entry, const Shape& shape) {
  return std::equal(entry.shape.begin(), entry.shape.end(), shape.begin(), shape.end());
}

const safetensors::Entry& find_tensor(const safetensors::Reader& file, const NamedRange& range) {
  const safetensors::Entry* entry = file.find(range.name);
  if (entry == nullptr)
    throw FormatError("File " + file.describe() + ": expected the tensor '" + range.name + "', got none.");
  if (!same_shape(*entry, range.shape)) {
    throw ShapeError("File " + file.describe() + ": expected '" + range.name + "' of shape " +
                     range.shape.str() + ", got " +
                     Shape(entry->shape.size() > Shape::kMaxRank ? std::span<const std::size_t>()
                                                                 : std::span(entry->shape))
                         .str() +
                     ".");
  }
  return *entry;
}

// Reads the tensors of a graph that is declared, into new buffers, and puts them in place when all are there.
void read_tensors(Graph& graph, const safetensors::Reader& file) {
  for_each_range(graph, [&](const NamedRange& range, const float*) { find_tensor(file, range); });
  Buffer parameters(graph.parameter_count);
  Buffer state(graph.state_count);
  for (const Parameter& range : graph.parameters) {
    file.read(find_tensor(file, range), parameters.span().subspan(range.offset, range.size));
  }
  for (const StateRange& range : graph.state) {
    file.read(find_tensor(file, range), state.span().subspan(range.offset, range.size));
  }
  if (!graph.built) {
    graph.parameter_values = std::move(parameters);
    graph.state_values = std::move(state);
    graph.built = true;
  } else {
    // In place: views of the weights stay valid.
    std::copy_n(parameters.data(), parameters.size(), graph.parameter_values.data());
    std::copy_n(state.data(), state.size(), graph.state_values.data());
  }
  graph.weights_ready = true;
}

}  // namespace

FileContents load_file(const std::string& path) {
  const safetensors::Reader file(path);
  const auto architecture = file.metadata().find(kArchitecture);
  const auto checksum = file.metadata().find(kChecksum);
  if (architecture == file.metadata().end() || checksum == file.metadata().end()) {
    throw FormatError(
        "File '" + path +
        "': expected a model that lamina saved, got a file without architecture and checksum; " +
        "load_weights takes plain safetensors files.");
  }
  if (safetensors::hexadecimal(file.checksum(kChecksum)) != checksum->second) {
    throw FormatError("File '" + path + "': expected the checksum " + checksum->second +
                      ", got another: the file is damaged.");
  }
  // What a model file holds; anything narrower would need more memory than the file has bytes.
  for (const safetensors::Entry& entry : file.entries()) {
    if (entry.dtype != "F32") {
      throw FormatError("File '" + path + "': expected the tensor '" + entry.name + "' to be F32, got " +
                        entry.dtype + ".");
    }
  }
  try {
    std::shared_ptr<Graph> graph = read_architecture(architecture->second);
    read_tensors(*graph, file);
    FileContents contents{Model(graph), file.metadata(), {}};
    contents.metadata.erase(kArchitecture);
    contents.metadata.erase(kChecksum);
    for (const safetensors::Entry& entry : file.entries()) {
      bool own = false;
      for_each_range(*graph,
                     [&](const NamedRange& range, const float*) { own = own || range.name == entry.name; });
      if (own) continue;
      ExtraTensor extra{entry.name, Shape(entry.shape), std::vector<float>(Shape(entry.shape).elements())};
      file.read(entry, extra.values);
      contents.tensors.push_back(std::move(extra));
    }
    return contents;
  } catch (const FormatError&) {
    throw;
  } catch (const FileError&) {
    throw;
  } catch (const Error& error) {
    throw FormatError("File '" + path + "': " + error.what());
  } catch (const std::length_error&) {
    throw FormatError("File '" + path + "': expected sizes that fit in memory.");
  }
}

Model load_model(const std::string& path) {
  return load_file(path).model;
}

void load_weights(Model& model, const std::string& path) {
  if (!model.built())
    throw StateError("Model: expected a built model to load weights into, got one without an input shape.");
  const safetensors::Reader file(path);
  read_tensors(model.graph(), file);
}

FileSummary inspect_file(const std::string& path) {
  const safetensors::Reader file(path);
  FileSummary summary;
  summary.metadata = file.metadata();
  for (const safetensors::Entry& entry : file.entries()) {
    const std::size_t rank = std::min(entry.shape.size(), Shape::kMaxRank);
    summary.tensors.push_back({entry.name, entry.dtype, Shape(std::span(entry.shape.data(), rank)),
                               static_cast<std::size_t>(entry.end - entry.begin)});
  }
  return summary;
}

}  // namespace lamina
