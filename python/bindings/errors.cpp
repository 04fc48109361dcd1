// Errors: each class of lamina is also the built-in that a Python user would catch.
#include "lamina/core/error.h"

#include <array>

#include "module.h"

namespace lamina::python {
namespace py = pybind11;
namespace {

enum Kind : std::size_t { kError, kShape, kArgument, kDType, kData, kState, kFormat, kFile, kKinds };
std::array<PyObject*, kKinds> classes{};  // live as long as the process, as the module does

void define(py::module_& module, Kind kind, const char* name, PyObject* builtin, const char* doc) {
  const std::string full = std::string("lamina.") + name;
  const py::object bases = builtin == nullptr
                               ? py::reinterpret_borrow<py::object>(PyExc_Exception)
                               : py::object(py::make_tuple(py::handle(classes[kError]), py::handle(builtin)));
  classes[kind] = PyErr_NewExceptionWithDoc(full.c_str(), doc, bases.ptr(), nullptr);
  if (classes[kind] == nullptr) throw py::error_already_set();
  module.attr(name) = py::handle(classes[kind]);
}

void translate(std::exception_ptr pointer) {
  const auto raise = [](Kind kind, const std::exception& error) {
    PyErr_SetString(classes[kind], error.what());
  };
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const ShapeError& error) {
    raise(kShape, error);
  } catch (const ArgumentError& error) {
    raise(kArgument, error);
  } catch (const DTypeError& error) {
    raise(kDType, error);
  } catch (const DataError& error) {
    raise(kData, error);
  } catch (const StateError& error) {
    raise(kState, error);
  } catch (const FormatError& error) {
    raise(kFormat, error);
  } catch (const FileError& error) {
    raise(kFile, error);
  } catch (const Error& error) {
    raise(kError, error);
  }
}

}  // namespace

void bind_errors(py::module_& module) {
  define(module, kError, "LaminaError", nullptr, "The root of every error of lamina.");
  define(module, kShape, "ShapeError", PyExc_ValueError, "An array has another shape than expected.");
  define(module, kArgument, "ArgumentError", PyExc_ValueError,
         "A hyperparameter, name or value that is not allowed.");
  define(module, kDType, "DTypeError", PyExc_TypeError,
         "An array or argument of a type that is not supported.");
  define(module, kData, "DataError", PyExc_ValueError,
         "The data hold NaN, infinity or a label out of range.");
  define(module, kState, "StateError", PyExc_RuntimeError,
         "An object is not in the state for what is asked of it.");
  define(module, kFormat, "FormatError", PyExc_ValueError, "A model file is damaged, or is not one.");
  define(module, kFile, "FileError", PyExc_OSError, "A file can't be read or written.");
  py::register_exception_translator(translate);
}

}  // namespace lamina::python
