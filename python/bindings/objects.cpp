// Everything with hyperparameters: made from a type and a dict of fields, which the Python package builds its
// classes on.
#include <pybind11/stl.h>

#include <algorithm>
#include <vector>

#include "arrays.h"
#include "custom.h"
#include "lamina/data/dataset.h"
#include "lamina/layers/layer.h"
#include "lamina/losses/loss.h"
#include "lamina/metrics/metric.h"
#include "lamina/optimizers/optimizer.h"
#include "module.h"
#include "values.h"

namespace lamina::python {
namespace {

py::dict schema_dict(const Schema& schema) {
  py::list fields;
  for (const FieldInfo& field : schema.fields) {
    py::dict entry;
    entry["name"] = field.name;
    entry["kind"] = field.kind;
    entry["required"] = field.required;
    entry["default"] = from_value(field.default_value);
    entry["doc"] = field.doc;
    fields.append(entry);
  }
  py::dict result;
  result["type"] = schema.type;
  result["doc"] = schema.doc;
  result["fields"] = fields;
  result["aliases"] = schema.aliases;
  return result;
}

template <class Base>
bool add_schemas(const std::string& kind, py::list& result) {
  if (Base::registry().kind() != kind) return false;
  for (const auto& entry : Base::registry().entries()) result.append(schema_dict(entry.schema));
  return true;
}

py::list schemas(const std::string& kind) {
  py::list result;
  const bool known = add_schemas<Layer>(kind, result) || add_schemas<Initializer>(kind, result) ||
                     add_schemas<Regularizer>(kind, result) || add_schemas<Constraint>(kind, result) ||
                     add_schemas<Schedule>(kind, result) || add_schemas<Optimizer>(kind, result) ||
                     add_schemas<Loss>(kind, result) || add_schemas<Metric>(kind, result);
  if (!known) throw ArgumentError("schemas: expected a kind of object such as 'layer', got '" + kind + "'.");
  return result;
}

// A class of one kind, made by type and fields.
template <class Base>
py::class_<Base, std::shared_ptr<Base>, Describable> bind_kind(py::module_& module, const char* name) {
  py::class_<Base, std::shared_ptr<Base>, Describable> cls(module, name);
  cls.def(py::init([](const std::string& type, const py::dict& fields) {
            return Base::registry().make(to_config(type, fields));
          }),
          py::arg("type"), py::arg("fields"));
  return cls;
}

LearningRate to_learning_rate(const py::handle& value) {
  if (py::isinstance<Schedule>(value)) return SchedulePtr(value.cast<std::shared_ptr<Schedule>>());
  return FieldType<LearningRate>::from(to_value(value));
}

// ---- a loss or a metric on arrays of the caller
struct Gathered {
  FloatArray prediction;
  Shape shape;  // of one sample
  Shape target_shape;
  std::size_t rows = 0, columns = 0, samples = 0;
  std::vector<float> target, weights;
  std::vector<std::int32_t> labels;
};

Gathered gather_arrays(const py::handle& y_true, const py::handle& y_pred, const py::handle& weights,
                       TargetSpec spec) {
  Gathered result{as_float(y_pred), {}, {}, 0, 0, 0, {}, {}, {}};
  if (result.prediction.shape.rank() == 0)
    throw ShapeError(spec.loss + ": expected y_pred with one row for each sample, got a scalar.");
  result.samples = result.prediction.shape[0];
  result.shape = result.prediction.shape.without_batch();
  if (result.shape.rank() == 0) result.shape = Shape{1};
  result.columns = result.shape.back();
  result.rows = result.columns == 0 ? 0 : result.samples * result.shape.elements() / result.columns;
  spec.prediction = result.shape;

  Dataset data;
  data.inputs.push_back(ArrayView(result.prediction.data, result.prediction.shape));
  data.targets.push_back(view_of(y_true));
  if (!weights.is_none()) data.weights.push_back(view_of(weights));
  check_targets(data, std::span(&spec, 1), true);
  const RowSelection all{nullptr, 0, result.samples};
  const ArrayView& target = data.targets[0];
  result.target_shape =
      target.row_elements() == result.shape.elements() ? result.shape : target.shape.without_batch();
  if (spec.kind == TargetKind::labels) {
    result.labels.resize(result.rows);
    gather_labels(target, all, spec, result.labels.data());
  } else {
    result.target.resize(result.samples * target.row_elements());
    gather(target, all, result.target.data(), false, "y_true", serial_executor());
  }
  if (!weights.is_none()) {
    std::vector<float> samples(result.samples);
    gather(data.weights[0], all, samples.data(), false, "sample_weight", serial_executor());
    for (const float weight : samples)
      result.weights.insert(result.weights.end(), result.rows / std::max<std::size_t>(1, result.samples),
                            weight);
  }
  return result;
}

py::tuple evaluate_loss(const Loss& loss, const py::object& y_true, const py::object& y_pred,
                        const py::object& weights) {
  TargetSpec spec;
  spec.kind = loss.target_kind();
  spec.loss = loss.type();
  spec.sibling = loss.sibling();
  if (const auto ignored = loss.ignored_label()) spec.ignored_label = *ignored;
  const Gathered data = gather_arrays(y_true, y_pred, weights, spec);
  LossBatch batch;
  batch.rows = data.rows;
  batch.columns = data.columns;
  batch.prediction = data.prediction.data;
  batch.target = data.target.data();
  batch.labels = data.labels.empty() ? nullptr : data.labels.data();
  batch.weights = data.weights.empty() ? nullptr : data.weights.data();
  batch.prediction_shape = &data.shape;
  batch.target_shape = &data.target_shape;
  const NewArray gradient = new_array(data.prediction.shape);
  const NewArray rows = new_array(Shape{data.rows});
  Buffer scratch(loss.scratch(data.rows, data.columns));
  LossOutputs outputs;
  outputs.d_prediction = gradient.data;
  outputs.row_losses = rows.data;
  const double weight = loss.weight_of(data.rows, batch.weights, batch.labels);
  const LossValue value = loss.evaluate(batch, weight > 0 ? static_cast<float>(1.0 / weight) : 0.0F, outputs,
                                        scratch.data(), serial_executor());
  return py::make_tuple(value.mean(), gradient.array, rows.array);
}

double evaluate_metric(Metric& metric, const py::object& y_true, const py::object& y_pred) {
  const FloatArray prediction = as_float(y_pred);
  const ArrayView target = view_of(y_true);
  TargetSpec spec;
  spec.loss = metric.name();
  spec.kind = target.row_elements() ==
                      (prediction.shape.rank() == 0 ? 0 : prediction.shape.without_batch().elements())
                  ? TargetKind::values
                  : TargetKind::labels;
  const Gathered data = gather_arrays(y_true, y_pred, py::none(), spec);
  metric.reset(data.columns, spec.kind);
  MetricBatch batch;
  batch.rows = data.rows;
  batch.columns = data.columns;
  batch.prediction = data.prediction.data;
  batch.target = data.labels.empty() ? data.target.data() : nullptr;
  batch.labels = data.labels.empty() ? nullptr : data.labels.data();
  metric.update(batch);
  return metric.result();
}

const char* target_kind_name(const Loss& loss) {
  switch (loss.target_kind()) {
    case TargetKind::values:
      return "values";
    case TargetKind::labels:
      return "labels";
    case TargetKind::any:
      break;
  }
  return "any";
}

void bind_parameter_objects(py::module_& module) {
  bind_kind<Initializer>(module, "Initializer")
      .def(
          "draw",
          [](const Initializer& initializer, const py::object& extents, std::uint64_t seed) {
            const Shape shape = to_shape(extents);
            const NewArray result = new_array(shape);
            RandomStream random(seed, RandomUse::weights, 0);
            initializer.fill(shape, random, {result.data, shape.elements()});
            return result.array;
          },
          py::arg("shape"), py::arg("seed"));
  bind_kind<Regularizer>(module, "Regularizer")
      .def(
          "penalty",
          [](const Regularizer& regularizer, const py::object& values) {
            const FloatArray array = as_float(values);
            return regularizer.penalty(array.data, array.shape.elements());
          },
          py::arg("values"));
  bind_kind<Constraint>(module, "Constraint")
      .def(
          "apply",
          [](const Constraint& constraint, const py::object& values) {
            const FloatArray array = as_float(values);
            const NewArray result = new_array(array.shape);
            std::copy_n(array.data, array.shape.elements(), result.data);
            constraint.apply(array.shape, result.data);
            return result.array;
          },
          py::arg("values"));
}

}  // namespace

void bind_objects(py::module_& module) {
  module.def("schemas", &schemas, py::arg("kind"));
  module.def("nearest_name", &nearest_name, py::arg("name"), py::arg("candidates"));
  py::class_<Describable, std::shared_ptr<Describable>>(module, "Object")
      .def("config", [](const Describable& object) { return from_config(object.config()); })
      .def("repr", &Describable::repr);
  bind_kind<Layer>(module, "Layer");
  bind_parameter_objects(module);
  bind_kind<Schedule>(module, "Schedule")
      .def_static("from_callable", &custom_schedule, py::arg("function"), py::arg("name"))
      .def("rate", &Schedule::rate, py::arg("step"));
  bind_kind<Optimizer>(module, "Optimizer")
      .def(
          "set_learning_rate",
          [](Optimizer& optimizer, const py::object& rate) {
            optimizer.set_learning_rate(to_learning_rate(rate));
          },
          py::arg("rate"));
  bind_kind<Loss>(module, "Loss")
      .def_static("from_callable", &custom_loss, py::arg("function"), py::arg("name"), py::arg("reduction"))
      .def("target_kind", &target_kind_name)
      .def("evaluate", &evaluate_loss, py::arg("y_true"), py::arg("y_pred"), py::arg("sample_weight"));
  bind_kind<Metric>(module, "Metric")
      .def_static("from_callable", &custom_metric, py::arg("function"), py::arg("name"))
      .def("name", &Metric::name)
      .def("evaluate", &evaluate_metric, py::arg("y_true"), py::arg("y_pred"));
}

}  // namespace lamina::python
