// Training sessions: whole epochs in one call, with the GIL released.
#include "lamina/training/session.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <variant>
#include <vector>

#include "arrays.h"
#include "lamina/core/error.h"
#include "lamina/model/graph.h"
#include "lamina/training/checkpoint.h"
#include "lamina/training/lbfgs.h"
#include "lamina/training/step_executor.h"
#include "module.h"

namespace lamina::python {
namespace {

using SharedLoss = std::shared_ptr<Loss>;
using MetricOrName = std::variant<std::shared_ptr<Metric>, std::string>;

// Views, and the arrays that they look into.
struct PyDataset {
  Dataset data;
  py::list arrays;
};

std::unique_ptr<PyDataset> make_dataset(const py::sequence& inputs, const py::sequence& targets,
                                        const py::sequence& weights, bool check_as_gathered) {
  auto dataset = std::make_unique<PyDataset>();
  const auto add = [&](const py::sequence& arrays, std::vector<ArrayView>& views) {
    for (const py::handle array : arrays) {
      views.push_back(view_of(array));
      dataset->arrays.append(array);
    }
  };
  add(inputs, dataset->data.inputs);
  add(targets, dataset->data.targets);
  add(weights, dataset->data.weights);
  dataset->data.check_as_gathered = check_as_gathered;
  return dataset;
}

std::unique_ptr<TrainingSession> make_session(const Model& model, const std::shared_ptr<Optimizer>& optimizer,
                                              const std::vector<SharedLoss>& losses,
                                              const std::vector<std::vector<MetricOrName>>& metrics,
                                              std::optional<std::uint64_t> seed) {
  SessionOptions options;
  options.optimizer = optimizer;
  options.seed = seed;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    HeadOptions head;
    head.loss = losses[i];
    for (const MetricOrName& metric : i < metrics.size() ? metrics[i] : std::vector<MetricOrName>{}) {
      if (const auto* object = std::get_if<std::shared_ptr<Metric>>(&metric)) {
        head.metrics.push_back(*object);
      } else {
        head.metric_names.push_back(std::get<std::string>(metric));
      }
    }
    options.heads.push_back(std::move(head));
  }
  return std::make_unique<TrainingSession>(model, std::move(options));
}

py::dict to_dict(const Logs& logs, const std::vector<std::string>& names) {
  py::dict dict;
  dict["loss"] = logs.loss;
  for (std::size_t i = 0; i < std::min(names.size(), logs.metrics.size()); ++i)
    dict[py::str(names[i])] = logs.metrics[i];
  return dict;
}

py::dict to_dict(TrainingSession& session, const Logs& logs) {
  return to_dict(logs, session.metric_names());
}

// A poll that lets Python handle signals (Ctrl-C raises here, between two batches) and then asks `listener`.
std::function<bool(const Progress&)> poll_for(const py::object& listener,
                                              const std::vector<std::string>& names) {
  return [&listener, &names](const Progress& progress) {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (listener.is_none()) return true;
    return listener(progress.batch, progress.batches, progress.rows, progress.learning_rate,
                    to_dict(*progress.logs, names))
        .cast<bool>();
  };
}

std::function<bool(const Progress&)> batch_hook_for(const py::object& on_begin, const py::object& on_end,
                                                    const std::vector<std::string>& names) {
  if (on_begin.is_none() && on_end.is_none()) return nullptr;
  return [&on_begin, &on_end, &names](const Progress& progress) {
    const py::gil_scoped_acquire gil;
    if (!progress.batch_ends) return on_begin.is_none() || on_begin(progress.batch).cast<bool>();
    return on_end.is_none() || on_end(progress.batch - 1, to_dict(*progress.logs, names)).cast<bool>();
  };
}

py::dict train_epoch(TrainingSession& session, const PyDataset& data, std::size_t batch_size,
                     std::int64_t epoch, bool shuffle, bool stop_on_nan, const py::object& poll,
                     const py::object& on_begin, const py::object& on_end) {
  const std::vector<std::string> names = session.metric_names();
  EpochOptions options;
  options.batch_size = batch_size;
  options.epoch = epoch;
  options.shuffle = shuffle;
  options.stop_on_nan = stop_on_nan;
  options.poll = poll_for(poll, names);
  options.batch_hook = batch_hook_for(on_begin, on_end, names);
  EpochResult result;
  {
    const py::gil_scoped_release release;
    result = session.train_epoch(data.data, options);
  }
  py::dict dict;
  dict["logs"] = to_dict(result.logs, names);
  dict["learning_rate"] = result.learning_rate;
  dict["rows"] = result.logs.rows;
  dict["stopped"] = result.stopped;
  dict["first_nan_batch"] = result.first_nan_batch;
  return dict;
}

py::dict evaluate(TrainingSession& session, const PyDataset& data, std::size_t batch_size, bool use_ema,
                  const py::object& poll) {
  const std::vector<std::string> names = session.metric_names();
  const auto listener = poll_for(poll, names);
  Logs logs;
  {
    const py::gil_scoped_release release;
    logs = session.evaluate(data.data, batch_size, listener, use_ema);
  }
  return to_dict(logs, names);
}

py::tuple value_and_gradient(TrainingSession& session, const PyDataset& data, bool training) {
  const NewArray gradient = new_array(Shape{session.model().graph().parameter_count});
  double value = 0;
  {
    const py::gil_scoped_release release;
    value = session.value_and_gradient(data.data, training,
                                       {gradient.data, session.model().graph().parameter_count});
  }
  return py::make_tuple(value, gradient.array);
}

// `on_iteration(iterations, evaluations, value)` may be None; signals are looked at twenty times a second.
py::dict fit_with_lbfgs(TrainingSession& session, const PyDataset& data, std::size_t max_iterations,
                        std::size_t max_evaluations, double gradient_tolerance, double value_tolerance,
                        std::size_t history, const py::object& on_iteration) {
  double looked = steady_seconds();
  LbfgsOptions options;
  options.max_iterations = max_iterations;
  options.max_evaluations = max_evaluations;
  options.gradient_tolerance = gradient_tolerance;
  options.value_tolerance = value_tolerance;
  options.history = history;
  options.on_iteration = [&](const LbfgsProgress& progress) {
    const double now = steady_seconds();
    if (on_iteration.is_none() && now - looked < 0.05) return true;
    looked = now;
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    return on_iteration.is_none() ||
           on_iteration(progress.iterations, progress.evaluations, progress.value).cast<bool>();
  };
  LbfgsResult result;
  {
    const py::gil_scoped_release release;
    result = fit_lbfgs(session, data.data, options);
  }
  py::dict dict;
  dict["loss"] = result.value;
  dict["iterations"] = result.iterations;
  dict["evaluations"] = result.evaluations;
  dict["last_decrease"] = result.last_decrease;
  dict["converged"] = result.converged();
  dict["message"] = describe(result.end);
  return dict;
}

template <class Function>
py::dict run_batch(const Function& function) {
  Logs logs;
  {
    const py::gil_scoped_release release;
    logs = function();
  }
  py::dict dict;
  dict["loss"] = logs.loss;
  return dict;
}

// ---- checkpoints
void save(const TrainingSession& session, const std::string& path,
          const std::map<std::string, std::string>& metadata, const py::dict& tensors) {
  std::vector<ExtraTensor> list;
  for (const auto& [name, value] : tensors) {
    const FloatArray array = as_float(value);
    list.push_back(
        {name.cast<std::string>(), array.shape, {array.data, array.data + array.shape.elements()}});
  }
  const py::gil_scoped_release release;
  save_checkpoint(session, metadata, list, path);
}

template <class T>
std::shared_ptr<T> find_callable(const py::dict& callables, const std::string& type) {
  const py::gil_scoped_acquire gil;
  return callables.contains(type) ? callables[py::str(type)].cast<std::shared_ptr<T>>() : nullptr;
}

py::tuple load(const std::string& path, const py::dict& callables) {
  CustomObjects custom;
  custom.loss = [&](const std::string& type) -> LossPtr { return find_callable<Loss>(callables, type); };
  custom.metric = [&](const std::string& type) -> MetricPtr {
    return find_callable<Metric>(callables, type);
  };
  custom.schedule = [&](const std::string& type) -> SchedulePtr {
    return find_callable<Schedule>(callables, type);
  };
  Checkpoint checkpoint = load_checkpoint(path, custom);
  py::dict tensors;
  for (const ExtraTensor& tensor : checkpoint.tensors)
    tensors[py::str(tensor.name)] = copy_of(std::span(tensor.values), tensor.shape);
  return py::make_tuple(std::move(checkpoint.session), checkpoint.metadata, tensors);
}

py::list losses(const TrainingSession& session) {
  py::list result;
  for (const HeadOptions& head : session.options().heads)
    result.append(std::const_pointer_cast<Loss>(head.loss));
  return result;
}

py::list metrics(const TrainingSession& session) {
  py::list result;
  for (const HeadOptions& head : session.options().heads) {
    py::list own;
    for (const MetricPtr& metric : head.metrics) own.append(metric);
    for (const std::string& name : head.metric_names) own.append(name);
    result.append(own);
  }
  return result;
}

void bind_training(py::class_<TrainingSession>& cls) {
  cls.def("train_epoch", &train_epoch, py::arg("data"), py::arg("batch_size"), py::arg("epoch"),
          py::arg("shuffle"), py::arg("stop_on_nan"), py::arg("poll"), py::arg("on_batch_begin"),
          py::arg("on_batch_end"))
      .def("evaluate", &evaluate, py::arg("data"), py::arg("batch_size"), py::arg("use_ema"), py::arg("poll"))
      .def("begin_epoch", &TrainingSession::begin_epoch)
      .def(
          "train_batch",
          [](TrainingSession& session, const PyDataset& batch, bool stop_on_nan) {
            return run_batch([&] { return session.train_batch(batch.data, stop_on_nan); });
          },
          py::arg("batch"), py::arg("stop_on_nan"))
      .def(
          "evaluate_batch",
          [](TrainingSession& session, const PyDataset& batch, bool use_ema) {
            return run_batch([&] { return session.evaluate_batch(batch.data, use_ema); });
          },
          py::arg("batch"), py::arg("use_ema"))
      .def("epoch_logs", [](TrainingSession& session) { return to_dict(session, session.epoch_logs()); })
      .def("value_and_gradient", &value_and_gradient, py::arg("data"), py::arg("training"))
      .def("fit_lbfgs", &fit_with_lbfgs, py::arg("data"), py::arg("max_iterations"),
           py::arg("max_evaluations"), py::arg("gradient_tolerance"), py::arg("value_tolerance"),
           py::arg("history"), py::arg("on_iteration"));
}

}  // namespace

void bind_session(py::module_& module) {
  py::class_<PyDataset>(module, "Dataset", "Views over arrays; keeps them alive.")
      .def(py::init(&make_dataset), py::arg("inputs"), py::arg("targets"), py::arg("weights"),
           py::arg("check_as_gathered"))
      .def("rows", [](const PyDataset& dataset) { return dataset.data.rows(); });
  py::class_<TrainingSession> cls(module, "Session");
  cls.def(py::init(&make_session), py::arg("model"), py::arg("optimizer"), py::arg("losses"),
          py::arg("metrics"), py::arg("seed"))
      .def(
          "prepare",
          [](TrainingSession& session, const PyDataset& data, bool scan, bool targets) {
            const py::gil_scoped_release release;
            session.prepare(data.data, scan, targets);
          },
          py::arg("data"), py::arg("scan"), py::arg("targets") = true)
      .def(
          "set_scale",
          [](TrainingSession& session, double loss_weight, bool penalty_over_weight) {
            session.set_scale({loss_weight, penalty_over_weight});
          },
          py::arg("loss_weight"), py::arg("penalty_over_weight"))
      .def("metric_names", &TrainingSession::metric_names)
      .def("seed", &TrainingSession::seed)
      .def("step", &TrainingSession::step)
      .def("updates", &TrainingSession::updates)
      .def("learning_rate", &TrainingSession::learning_rate)
      .def("swap_ema", &TrainingSession::swap_ema)
      .def("scale_slot", &TrainingSession::scale_slot, py::arg("name"), py::arg("factor"))
      .def("save", &save, py::arg("path"), py::arg("metadata"), py::arg("tensors"))
      .def_static("load", &load, py::arg("path"), py::arg("callables"))
      .def("model", [](TrainingSession& session) { return session.model(); })
      .def("optimizer", [](const TrainingSession& session) { return session.options().optimizer; })
      .def("losses", &losses)
      .def("metrics", &metrics);
  bind_training(cls);
}

}  // namespace lamina::python
