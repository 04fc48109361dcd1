// Models: weights as views, prediction, files.
#include "lamina/model/model.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "lamina/core/error.h"
#include "lamina/model/graph.h"
#include "lamina/model/model_file.h"
#include "module.h"

namespace lamina::python {
namespace {

using SharedLayer = std::shared_ptr<Layer>;

// A parameter or a state range of a layer, and where its values are.
struct Weight {
  const NamedRange* range;
  float* values;
  bool trainable;  // a parameter, not state
  std::string short_name() const { return range->name.substr(range->name.rfind('/') + 1); }
};

// The values are there once the weights are drawn.
std::vector<Weight> weights_of(Model& model, std::size_t layer) {
  Graph& graph = model.graph();
  if (layer >= graph.layers.size()) throw py::index_error("layer index out of range");
  std::vector<Weight> weights;
  if (!graph.built) return weights;
  for (const std::size_t index : graph.layers[layer].parameters) {
    const Parameter& parameter = graph.parameters[index];
    weights.push_back({&parameter, graph.parameter_values.data() + parameter.offset, true});
  }
  for (const std::size_t index : graph.layers[layer].state) {
    const StateRange& state = graph.state[index];
    weights.push_back({&state, graph.state_values.data() + state.offset, false});
  }
  return weights;
}

// Name, shape, and whether it is a parameter, of each weight of a layer; draws none.
py::list weight_specs(Model& model, std::size_t layer) {
  py::list specs;
  for (const Weight& weight : weights_of(model, layer)) {
    specs.append(py::make_tuple(weight.short_name(), to_tuple(weight.range->shape), weight.trainable));
  }
  return specs;
}

py::object weight_view(const py::object& self, std::size_t layer, const std::string& name) {
  Model& model = self.cast<Model&>();
  if (model.built()) model.graph().ensure_weights();
  for (const Weight& weight : weights_of(model, layer)) {
    if (weight.short_name() == name) return view_over(weight.values, weight.range->shape, self);
  }
  throw ArgumentError("Layer: expected the name of a weight, got '" + name + "'.");
}

// All or nothing: shapes are checked before the first weight changes.
void set_weights(Model& model, const py::sequence& arrays) {
  std::vector<Weight> weights;
  for (std::size_t layer = 0; layer < model.num_layers(); ++layer) {
    const std::vector<Weight> own = weights_of(model, layer);
    weights.insert(weights.end(), own.begin(), own.end());
  }
  if (model.built()) model.graph().ensure_weights();
  if (!model.built())
    throw StateError("Model: expected a built model to set weights, got one without an input shape.");
  if (arrays.size() != weights.size()) {
    throw ShapeError("Model: expected " + std::to_string(weights.size()) + " weights, got " +
                     std::to_string(arrays.size()) + ".");
  }
  std::vector<FloatArray> values;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    values.push_back(as_float(arrays[i]));
    if (!(values[i].shape == weights[i].range->shape)) {
      throw ShapeError("Model: expected '" + weights[i].range->name + "' of shape " +
                       weights[i].range->shape.str() + ", got " + values[i].shape.str() + ".");
    }
  }
  for (std::size_t i = 0; i < weights.size(); ++i)
    std::copy_n(values[i].data, weights[i].range->size, weights[i].values);
}

py::object predict(const Model& model, const py::object& x, std::optional<std::size_t> batch_size) {
  const ArrayView input = view_of(x);
  if (input.shape.rank() == 0)
    throw ShapeError("Model: expected x with one row for each sample, got a scalar.");
  if (batch_size && *batch_size == 0)
    throw ArgumentError("Model: expected batch_size to be at least 1, got 0.");
  const Shape shape = model.output_shape().with_batch(input.rows());
  const NewArray output = new_aligned_array(shape);
  {
    const py::gil_scoped_release release;
    model.predict(input, {output.data, shape}, batch_size.value_or(256));
  }
  return output.array;
}

py::object layer_output_shape(const Model& model, std::size_t layer) {
  const Graph& graph = model.graph();
  for (const Node& node : graph.nodes) {
    if (graph.built && node.layer == layer) return to_tuple(node.spec.outputs.at(0).shape);
  }
  return py::none();
}

py::tuple count_params(const Model& model) {
  const std::size_t total = model.count_params();
  const std::size_t trainable = model.count_trainable_params();
  return py::make_tuple(total, trainable, total - trainable);
}

Model make_sequential(const std::vector<SharedLayer>& layers, std::optional<std::uint64_t> seed) {
  return sequential({layers.begin(), layers.end()}, seed);
}

py::tuple inspect(const std::string& path) {
  const FileSummary summary = inspect_file(path);
  py::list tensors;
  for (const auto& tensor : summary.tensors) {
    tensors.append(py::make_tuple(tensor.name, tensor.dtype, to_tuple(tensor.shape), tensor.bytes));
  }
  return py::make_tuple(summary.metadata, tensors);
}

void bind_weights(py::class_<Model>& cls) {
  cls.def("weight_specs", &weight_specs, py::arg("index"))
      .def("weight", &weight_view, py::arg("index"), py::arg("name"))
      .def("set_weights", &set_weights, py::arg("weights"))
      .def("flat_parameters",
           [](const py::object& self) {
             const std::span<float> values = self.cast<Model&>().flat_parameters();
             return view_over(values.data(), Shape{values.size()}, self);
           })
      .def("count_params", &count_params)
      .def(
          "save",
          [](const Model& model, const std::string& path,
             const std::map<std::string, std::string>& metadata) { save_file(model, metadata, {}, path); },
          py::arg("path"), py::arg("metadata") = std::map<std::string, std::string>(),
          py::call_guard<py::gil_scoped_release>())
      .def(
          "save_weights", [](const Model& model, const std::string& path) { save_weights(model, path); },
          py::arg("path"), py::call_guard<py::gil_scoped_release>())
      .def(
          "load_weights", [](Model& model, const std::string& path) { load_weights(model, path); },
          py::arg("path"), py::call_guard<py::gil_scoped_release>());
}

}  // namespace

void bind_model(py::module_& module) {
  py::class_<Model> cls(module, "Model");
  cls.def_static("sequential", &make_sequential, py::arg("layers"), py::arg("seed"))
      .def("built", &Model::built)
      .def(
          "build", [](Model& model, const py::object& shape) { model.build(to_shape(shape)); },
          py::arg("input_shape"))
      .def("num_layers", &Model::num_layers)
      .def(
          "layer",
          [](const Model& model, std::size_t index) {
            return std::const_pointer_cast<Layer>(model.graph().layers.at(index).layer);
          },
          py::arg("index"))
      .def("layer_name", &Model::layer_name, py::arg("index"))
      .def("layer_output_shape", &layer_output_shape, py::arg("index"))
      .def("trainable", &Model::trainable, py::arg("index"))
      .def("set_trainable", &Model::set_trainable, py::arg("index"), py::arg("trainable"))
      .def("input_shape", [](const Model& model) { return to_tuple(model.input_shape()); })
      .def("output_shape", [](const Model& model) { return to_tuple(model.output_shape()); })
      .def("seed", [](const Model& model) { return model.graph().seed; })
      .def("predict", &predict, py::arg("x"), py::arg("batch_size") = py::none())
      .def("clone", &Model::clone);
  bind_weights(cls);
  module.def("load_model", &load_model, py::arg("path"), py::call_guard<py::gil_scoped_release>());
  module.def(
      "load_model_and_metadata",
      [](const std::string& path) {
        FileContents contents = load_file(path);
        return std::pair(std::move(contents.model), std::move(contents.metadata));
      },
      py::arg("path"), py::call_guard<py::gil_scoped_release>());
  module.def("inspect_file", &inspect, py::arg("path"));
}

}  // namespace lamina::python
