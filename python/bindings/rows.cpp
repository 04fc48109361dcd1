// What estimators do to their rows before they fit.
#include <pybind11/numpy.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "arrays.h"
#include "lamina/core/error.h"
#include "lamina/core/thread_pool.h"
#include "lamina/data/dataset.h"
#include "lamina/data/distinct_rows.h"
#include "lamina/kernels/dispatch.h"
#include "module.h"

namespace lamina::python {
namespace {

// Numbers as contiguous float32, the array itself where it is that; None where one of them isn't finite then,
// or where a row has gaps.
py::object finite_float32(const py::array& x) {
  const auto itemsize = x.itemsize();
  py::ssize_t expected = itemsize;
  bool dense = true;
  for (py::ssize_t axis = x.ndim() - 1; axis >= 1; --axis) {
    dense = dense && x.strides(axis) == expected;
    expected *= x.shape(axis);
  }
  if (!dense || x.ndim() == 0) return py::none();
  const ArrayView view = view_of(x);
  const kernels::TrainingTable& kernel = kernels::training_table();
  const std::size_t count = view.shape.elements();
  if (view.dtype == DType::f32 && x.strides(0) == expected) {
    bool finite = false;
    {
      const py::gil_scoped_release release;
      finite = kernel.all_finite(static_cast<const float*>(view.data), count);
    }
    return finite ? py::object(x) : py::none();
  }
  const NewArray result = new_array(view.shape);
  bool finite = false;
  {
    const py::gil_scoped_release release;
    gather(view, {nullptr, 0, view.rows()}, result.data, false, "x", thread_pool());
    finite = kernel.all_finite(result.data, count);
  }
  return finite ? result.array : py::none();
}

py::array rows_of(const py::array& table, std::size_t bytes, const std::vector<std::size_t>& rows) {
  std::vector<py::ssize_t> extents(table.shape(), table.shape() + table.ndim());
  extents[0] = static_cast<py::ssize_t>(rows.size());
  py::array result(table.dtype(), extents);
  const auto* from = static_cast<const char*>(table.data());
  auto* to = static_cast<char*>(result.mutable_data());
  for (std::size_t i = 0; i < rows.size(); ++i) std::memcpy(to + i * bytes, from + rows[i] * bytes, bytes);
  return result;
}

// (x, y, weights): see distinct_rows.h. The arrays are contiguous.
py::tuple distinct(const py::array& x, const py::array& y, const py::object& weights) {
  const auto count = static_cast<std::size_t>(x.shape(0));
  const auto bytes_of = [count](const py::array& table) {
    return count == 0 ? 0 : static_cast<std::size_t>(table.nbytes()) / count;
  };
  const std::array<RowBytes, 2> tables = {{{x.data(), bytes_of(x)}, {y.data(), bytes_of(y)}}};
  std::span<const float> given;
  FloatArray held{py::none(), nullptr, Shape{}};
  if (!weights.is_none()) {
    held = as_float(weights);
    given = {held.data, held.shape.elements()};
  }
  if (y.ndim() == 0 || static_cast<std::size_t>(y.shape(0)) != count ||
      (!given.empty() && given.size() != count)) {
    throw ShapeError("distinct_rows: expected y and weights with a row for each one of x.");
  }
  DistinctRows kept;
  {
    const py::gil_scoped_release release;
    kept = distinct_rows(tables, count, given);
  }
  py::object sums = py::none();
  if (!kept.weights.empty()) sums = copy_of(std::span<const float>(kept.weights), Shape{kept.weights.size()});
  return py::make_tuple(rows_of(x, tables[0].bytes, kept.rows), rows_of(y, tables[1].bytes, kept.rows), sums);
}

constexpr std::size_t kMostClasses = 1024;  // that are found quicker than by sorting all labels

// The classes of whole numbers, sorted, and the number of each one's class; None where there are too many.
template <class T>
py::object classes_of(const py::array& y) {
  const auto count = static_cast<std::size_t>(y.shape(0));
  const py::ssize_t stride = y.strides(0);
  const auto* data = static_cast<const char*>(y.data());
  const auto label_at = [&](std::size_t i) {
    return *reinterpret_cast<const T*>(data + static_cast<py::ssize_t>(i) * stride);
  };
  std::vector<T> classes;
  const auto place_of = [&](T label) { return std::lower_bound(classes.begin(), classes.end(), label); };
  for (std::size_t i = 0; i < count; ++i) {
    const T label = label_at(i);
    const auto place = place_of(label);
    if (place != classes.end() && *place == label) continue;
    if (classes.size() == kMostClasses) return py::none();
    classes.insert(place, label);
  }
  py::array_t<std::int32_t> codes(static_cast<py::ssize_t>(count));
  std::int32_t* code = codes.mutable_data();
  for (std::size_t i = 0; i < count; ++i) {
    code[i] = static_cast<std::int32_t>(place_of(label_at(i)) - classes.begin());
  }
  return py::make_tuple(py::array_t<T>(static_cast<py::ssize_t>(classes.size()), classes.data()), codes);
}

py::object integer_classes(const py::array& y) {
  if (y.ndim() != 1 || y.dtype().byteorder() == '>') return py::none();
  const bool is_signed = y.dtype().kind() == 'i';
  if (!is_signed && y.dtype().kind() != 'u') return py::none();
  switch (y.itemsize()) {
    case 1:
      return is_signed ? classes_of<std::int8_t>(y) : classes_of<std::uint8_t>(y);
    case 2:
      return is_signed ? classes_of<std::int16_t>(y) : classes_of<std::uint16_t>(y);
    case 4:
      return is_signed ? classes_of<std::int32_t>(y) : classes_of<std::uint32_t>(y);
    case 8:
      return is_signed ? classes_of<std::int64_t>(y) : classes_of<std::uint64_t>(y);
    default:
      return py::none();
  }
}

}  // namespace

void bind_rows(py::module_& module) {
  module.def("finite_float32", &finite_float32, py::arg("x"));
  module.def("integer_classes", &integer_classes, py::arg("y"));
  module.def("distinct_rows", &distinct, py::arg("x"), py::arg("y"), py::arg("weights"));
}

}  // namespace lamina::python
