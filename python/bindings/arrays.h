// NumPy at the border: the only place that knows its API is arrays.cpp.
#pragma once

#include <pybind11/pybind11.h>

#include <span>
#include <vector>

#include "lamina/core/tensor.h"

namespace lamina::python {

namespace py = pybind11;

// A view over a NumPy array, read in place. DTypeError for element types that are not numbers, ShapeError for
// more than 8 dimensions, ArgumentError unless the elements within each row are contiguous and in native byte
// order. The array must stay alive.
ArrayView view_of(const py::handle& array);

// A new uninitialised float32 array and its memory.
struct NewArray {
  py::object array;
  float* data;
};
NewArray new_array(const Shape& shape);
// The same, where it has 1,024 numbers or more at a multiple of 64 bytes: JAX reads that without a copy.
NewArray new_aligned_array(const Shape& shape);
// A copy of numbers as an array: of float, or of whole numbers of any size.
template <class T>
py::object copy_of(std::span<const T> values, const Shape& shape);
// A writable view over memory that `owner` keeps alive.
py::object view_over(float* data, const Shape& shape, const py::handle& owner);

// Any array-like as contiguous float32, copied where need be.
struct FloatArray {
  py::object array;
  const float* data;
  Shape shape;
};
FloatArray as_float(const py::handle& value);

py::tuple to_tuple(const Shape& shape);
Shape to_shape(const py::handle& extents);

}  // namespace lamina::python
