// One function a topic; module.cpp calls them in order.
#pragma once

#include <pybind11/pybind11.h>

namespace lamina::python {

void bind_errors(pybind11::module_& module);
void bind_objects(
    pybind11::module_& module);  // layers, losses, optimizers, ...: everything with hyperparameters
void bind_model(pybind11::module_& module);
void bind_session(pybind11::module_& module);
void bind_rows(pybind11::module_& module);     // rows of estimators, before they fit
void bind_runtime(pybind11::module_& module);  // threads, ISA, activations, random numbers

}  // namespace lamina::python
