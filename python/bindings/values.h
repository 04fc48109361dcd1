// Hyperparameters between Python and C++: numbers, texts, lists, and (type, {field: value}) for objects.
#pragma once

#include <pybind11/pybind11.h>

#include "lamina/core/config.h"

namespace lamina::python {

namespace py = pybind11;

Value to_value(const py::handle& object);  // ArgumentError for what no field can hold
py::object from_value(const Value& value);
py::tuple from_config(const Config& config);  // (type, {field: value})
Config to_config(const std::string& type, const py::dict& fields);

}  // namespace lamina::python
