// What runs underneath: threads, the ISA in use, activations on arrays, random numbers.
#include <pybind11/stl.h>

#include <algorithm>

#include "arrays.h"
#include "lamina/core/error.h"
#include "lamina/core/random.h"
#include "lamina/core/thread_pool.h"
#include "lamina/kernels/activation.h"
#include "lamina/kernels/dispatch.h"
#include "lamina/layers/layer.h"
#include "module.h"

namespace lamina::python {
namespace {

py::object apply_activation(const std::string& name, const py::object& x, std::optional<float> alpha) {
  kernels::ActivationSpec spec = kernels::with_default_alpha(FieldType<ActivationChoice>::from(name));
  if (alpha) spec.alpha = *alpha;
  const FloatArray input = as_float(x);
  const Shape& shape = input.shape;
  const NewArray output = new_array(shape);
  const std::size_t columns = shape.rank() == 0 ? 1 : shape.back();
  const std::size_t rows = columns == 0 ? 0 : shape.elements() / columns;
  kernels::activation_forward(spec, input.data, output.data, rows, columns, serial_executor());
  return output.array;
}

std::vector<std::string> isa_names() {
  std::vector<std::string> names;
  for (const kernels::Table* table : kernels::available_tables()) names.emplace_back(table->name);
  return names;
}

const char* compiler_name() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

}  // namespace

void bind_runtime(py::module_& module) {
  module.def("activation", &apply_activation, py::arg("name"), py::arg("x"), py::arg("alpha"));
  module.def("philox4x32", &philox4x32, py::arg("counter"), py::arg("key"));
  module.def("set_num_threads", &set_num_threads, py::arg("count"), py::call_guard<py::gil_scoped_release>());
  module.def("get_num_threads", &num_threads);
  module.def("isa", [] { return std::string(kernels::table().name); });
  module.def("available_isas", &isa_names);
  module.def("compiler", &compiler_name);
}

}  // namespace lamina::python
