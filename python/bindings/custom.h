// Losses, metrics and schedules that users write in Python, behind the C++ interfaces.
//
// Each takes the GIL when it is called and may throw what Python raised; a step that is under way then never
// happened.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string>

#include "lamina/losses/loss.h"
#include "lamina/metrics/metric.h"
#include "lamina/schedules/schedule.h"

namespace lamina::python {

namespace py = pybind11;

// function(y_true, y_pred) -> (value, gradient): a number and its gradient, or one loss for each sample,
// (n,), and the gradient of their sum.
std::shared_ptr<Loss> custom_loss(py::object function, std::string name, std::string reduction);
// function(y_true, y_pred) -> a number, or one for each sample; averaged over the samples of all batches.
std::shared_ptr<Metric> custom_metric(py::object function, std::string name);
// function(step) -> rate.
std::shared_ptr<Schedule> custom_schedule(py::object function, std::string name);

}  // namespace lamina::python
