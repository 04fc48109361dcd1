#include "arrays.h"

#include <pybind11/numpy.h>

#include <cstdint>
#include <cstring>

#include "lamina/core/error.h"

namespace lamina::python {
namespace {

// NumPy's kind and size of an element, as one of ours.
DType dtype_of_array(const py::array& array) {
  const py::dtype dtype = array.dtype();
  const auto size = dtype.itemsize();
  const auto integer = [&](DType one, DType two, DType four, DType eight) {
    return size == 1 ? one : size == 2 ? two : size == 4 ? four : eight;
  };
  switch (dtype.kind()) {
    case 'b':
      return DType::boolean;
    case 'u':
      return integer(DType::u8, DType::u16, DType::u32, DType::u64);
    case 'i':
      return integer(DType::i8, DType::i16, DType::i32, DType::i64);
    case 'f':
      if (size == 2) return DType::f16;
      if (size == 4) return DType::f32;
      if (size == 8) return DType::f64;
      break;
    default:
      break;
  }
  throw DTypeError("Data: expected an array of numbers, got dtype " +
                   py::str(py::handle(dtype)).cast<std::string>() + ".");
}

// Whether what comes after the first axis lies without gaps, in order.
bool rows_contiguous(const py::array& array) {
  if (array.size() == 0) return true;  // nothing lies anywhere
  py::ssize_t expected = array.itemsize();
  for (py::ssize_t axis = array.ndim() - 1; axis >= 1; --axis) {
    if (array.shape(axis) != 1 && array.strides(axis) != expected) return false;
    expected *= array.shape(axis);
  }
  return true;
}

Shape shape_of(const py::array& array) {
  std::vector<std::size_t> extents;
  for (py::ssize_t axis = 0; axis < array.ndim(); ++axis)
    extents.push_back(static_cast<std::size_t>(array.shape(axis)));
  return Shape(extents);
}

std::vector<py::ssize_t> extents_of(const Shape& shape) {
  return {shape.begin(), shape.end()};
}

}  // namespace

ArrayView view_of(const py::handle& value) {
  if (!py::isinstance<py::array>(value)) {
    throw DTypeError("Data: expected a NumPy array, got " + py::str(py::type::of(value)).cast<std::string>() +
                     ".");
  }
  const auto array = py::reinterpret_borrow<py::array>(value);
  const DType dtype = dtype_of_array(array);
  const char order = array.dtype().byteorder();
  if (!rows_contiguous(array) || order == '>') {
    throw ArgumentError("Data: expected rows that are contiguous and of native byte order.");
  }
  return ArrayView(array.data(), dtype, shape_of(array), array.ndim() == 0 ? 0 : array.strides(0));
}

NewArray new_array(const Shape& shape) {
  py::array_t<float> array(extents_of(shape));
  float* data = array.mutable_data();
  return {std::move(array), data};
}

NewArray new_aligned_array(const Shape& shape) {
  constexpr std::size_t kAlignment = 64;
  constexpr std::size_t kSmall = 1024;  // numbers, copied in no time
  if (shape.elements() < kSmall) return new_array(shape);
  const NewArray whole = new_array(Shape{shape.elements() + kAlignment / sizeof(float)});
  const std::size_t beyond = reinterpret_cast<std::uintptr_t>(whole.data) % kAlignment;
  float* data = whole.data + (beyond == 0 ? 0 : (kAlignment - beyond) / sizeof(float));
  return {py::array_t<float>(extents_of(shape), data, whole.array), data};
}

template <class T>
py::object copy_of(std::span<const T> values, const Shape& shape) {
  return py::array_t<T>(extents_of(shape), values.data());
}
template py::object copy_of(std::span<const float>, const Shape&);
template py::object copy_of(std::span<const std::int8_t>, const Shape&);
template py::object copy_of(std::span<const std::uint8_t>, const Shape&);
template py::object copy_of(std::span<const std::int16_t>, const Shape&);
template py::object copy_of(std::span<const std::uint16_t>, const Shape&);
template py::object copy_of(std::span<const std::int32_t>, const Shape&);
template py::object copy_of(std::span<const std::uint32_t>, const Shape&);
template py::object copy_of(std::span<const std::int64_t>, const Shape&);
template py::object copy_of(std::span<const std::uint64_t>, const Shape&);

py::object view_over(float* data, const Shape& shape, const py::handle& owner) {
  return py::array_t<float>(extents_of(shape), data, owner);
}

FloatArray as_float(const py::handle& value) {
  using Contiguous = py::array_t<float, py::array::c_style | py::array::forcecast>;
  auto array = Contiguous::ensure(value);
  if (!array) {  // ensure() has cleared the error
    throw DTypeError("Data: expected an array of numbers, got " +
                     py::str(py::type::of(value)).cast<std::string>() + ".");
  }
  const Shape shape = shape_of(array);
  const float* data = array.data();
  return {std::move(array), data, shape};
}

py::tuple to_tuple(const Shape& shape) {
  py::tuple tuple(shape.rank());
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) tuple[axis] = shape[axis];
  return tuple;
}

Shape to_shape(const py::handle& extents) {
  std::vector<std::size_t> list;
  for (const py::handle extent : extents) {
    const auto number = extent.cast<py::ssize_t>();
    if (number < 0)
      throw ShapeError("Shape: expected extents of at least 0, got " + std::to_string(number) + ".");
    list.push_back(static_cast<std::size_t>(number));
  }
  return Shape(list);
}

}  // namespace lamina::python
