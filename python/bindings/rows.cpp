// What estimators do to their rows before they fit.
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
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

bool is_dense(const ArrayView& view) {
  return view.row_stride == static_cast<std::ptrdiff_t>(view.row_elements() * size_of(view.dtype));
}

// Numbers as contiguous float32, the array itself where it is that; None where one of them isn't finite then,
// or where rows have gaps or another order of bytes.
py::object finite_float32(const py::object& x) {
  ArrayView view;
  try {
    view = view_of(x);
  } catch (const ArgumentError&) {
    return py::none();
  }
  const auto is_finite = [count = view.shape.elements()](const float* values) {
    return kernels::training_table().all_finite(values, count);
  };
  bool finite = false;
  if (view.dtype == DType::f32 && is_dense(view)) {
    {
      const py::gil_scoped_release release;
      finite = is_finite(static_cast<const float*>(view.data));
    }
    return finite ? x : py::none();
  }
  const NewArray result = new_array(view.shape);
  {
    const py::gil_scoped_release release;
    gather(view, {nullptr, 0, view.rows()}, result.data, false, "x", thread_pool());
    finite = is_finite(result.data);
  }
  return finite ? result.array : py::none();
}

// Some rows of a dense array of float32 or int32.
py::object rows_of(const ArrayView& table, const std::vector<std::size_t>& rows) {
  const std::size_t width = table.row_elements();
  const Shape shape = table.shape.without_batch().with_batch(rows.size());
  const auto copy = [&](const auto* from, auto* to) {
    for (std::size_t i = 0; i < rows.size(); ++i) std::copy_n(from + rows[i] * width, width, to + i * width);
  };
  if (table.dtype == DType::f32) {
    const NewArray result = new_array(shape);
    copy(static_cast<const float*>(table.data), result.data);
    return result.array;
  }
  std::vector<std::int32_t> result(rows.size() * width);
  copy(static_cast<const std::int32_t*>(table.data), result.data());
  return copy_of(std::span<const std::int32_t>(result), shape);
}

// (x, y, weights) of distinct rows; see distinct_rows.h. x and y are contiguous, of float32 or int32.
py::tuple distinct(const py::object& x, const py::object& y, const py::object& weights) {
  const std::array<ArrayView, 2> views = {view_of(x), view_of(y)};
  const std::size_t count = views[0].rows();
  std::array<RowBytes, 2> tables;
  for (std::size_t i = 0; i < views.size(); ++i) {
    if ((views[i].dtype != DType::f32 && views[i].dtype != DType::i32) || !is_dense(views[i])) {
      throw DTypeError("distinct_rows: expected contiguous arrays of float32 or int32.");
    }
    tables[i] = {views[i].data, views[i].row_elements() * size_of(views[i].dtype)};
  }
  FloatArray held{py::none(), nullptr, Shape{}};
  std::span<const float> given;
  if (!weights.is_none()) {
    held = as_float(weights);
    given = {held.data, held.shape.elements()};
  }
  if (views[1].rows() != count || (!given.empty() && given.size() != count)) {
    throw ShapeError("distinct_rows: expected y and weights with a row for each one of x.");
  }
  DistinctRows kept;
  {
    const py::gil_scoped_release release;
    kept = distinct_rows(tables, count, given);
  }
  py::object sums = py::none();
  if (!kept.weights.empty()) sums = copy_of(std::span<const float>(kept.weights), Shape{kept.weights.size()});
  return py::make_tuple(rows_of(views[0], kept.rows), rows_of(views[1], kept.rows), sums);
}

constexpr std::size_t kMostClasses = 1024;  // that are found quicker than by sorting all labels

// The classes of whole numbers, sorted, and the number of each one's class; None where there are too many.
template <class T>
py::object classes_of(const ArrayView& y) {
  std::vector<T> classes;
  const auto label_at = [&](std::size_t i) { return *static_cast<const T*>(y.row(i)); };
  const auto place_of = [&](T label) { return std::lower_bound(classes.begin(), classes.end(), label); };
  for (std::size_t i = 0; i < y.rows(); ++i) {
    const T label = label_at(i);
    const auto place = place_of(label);
    if (place != classes.end() && *place == label) continue;
    if (classes.size() == kMostClasses) return py::none();
    classes.insert(place, label);
  }
  std::vector<std::int32_t> codes(y.rows());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = static_cast<std::int32_t>(place_of(label_at(i)) - classes.begin());
  }
  return py::make_tuple(copy_of(std::span<const T>(classes), Shape{classes.size()}),
                        copy_of(std::span<const std::int32_t>(codes), Shape{codes.size()}));
}

// None for what is no row of whole numbers in the machine's order of bytes.
py::object integer_classes(const py::object& labels) {
  ArrayView y;
  try {
    y = view_of(labels);
  } catch (const Error&) {
    return py::none();
  }
  if (y.shape.rank() != 1) return py::none();
  switch (y.dtype) {
    case DType::i8:
      return classes_of<std::int8_t>(y);
    case DType::u8:
      return classes_of<std::uint8_t>(y);
    case DType::i16:
      return classes_of<std::int16_t>(y);
    case DType::u16:
      return classes_of<std::uint16_t>(y);
    case DType::i32:
      return classes_of<std::int32_t>(y);
    case DType::u32:
      return classes_of<std::uint32_t>(y);
    case DType::i64:
      return classes_of<std::int64_t>(y);
    case DType::u64:
      return classes_of<std::uint64_t>(y);
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
