#include "module.h"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ core of lamina. Private: the package around it is the API.";
  module.attr("__version__") = LAMINA_VERSION;
  lamina::python::bind_errors(module);
  lamina::python::bind_objects(module);
  lamina::python::bind_model(module);
  lamina::python::bind_session(module);
  lamina::python::bind_rows(module);
  lamina::python::bind_runtime(module);
}
