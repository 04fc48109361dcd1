#include "lamina/data/dataset.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>

#include "lamina/core/error.h"
#include "lamina/kernels/dispatch.h"

namespace lamina {
namespace {

using kernels::ElementType;

ElementType element_type(DType dtype) {
  return static_cast<ElementType>(dtype);
}

// What a row looks like when (n,) counts as (n, 1).
Shape row_shape(const ArrayView& array) {
  const Shape shape = array.shape.without_batch();
  return shape.rank() == 0 ? Shape{1} : shape;
}

std::string article(const std::string& text) {
  return "'" + text + "'";
}

void check_rows(const ArrayView& array, std::size_t rows, const std::string& what) {
  if (array.rows() != rows) {
    throw ShapeError("Data: expected " + what + " to have as many rows as x (" + std::to_string(rows) +
                     "), got " + std::to_string(array.rows()) + ".");
  }
}

// Whether all values are finite as float32: a float64 beyond its range isn't.
bool finite_row(DType dtype, const void* row, std::size_t elements) {
  const kernels::TrainingTable& kernel = kernels::training_table();
  if (dtype == DType::f32) return kernel.all_finite(static_cast<const float*>(row), elements);
  constexpr std::size_t kBlock = 1024;
  std::array<float, kBlock> converted;
  for (std::size_t first = 0; first < elements; first += kBlock) {
    const std::size_t count = std::min(kBlock, elements - first);
    kernel.convert(element_type(dtype), static_cast<const char*>(row) + first * size_of(dtype),
                   converted.data(), count);
    if (!kernel.all_finite(converted.data(), count)) return false;
  }
  return true;
}

[[noreturn]] void throw_not_finite(const std::string& what, std::size_t row) {
  throw DataError("Data: expected finite float32 numbers in " + what + ", got NaN or infinity in row " +
                  std::to_string(row) + ".");
}

void scan_finite(const ArrayView& array, const std::string& what) {
  if (!is_floating(array.dtype)) return;
  const std::size_t elements = array.row_elements();
  const bool contiguous = array.row_stride == static_cast<std::ptrdiff_t>(elements * size_of(array.dtype));
  if (contiguous && finite_row(array.dtype, array.data, elements * array.rows())) return;
  for (std::size_t row = 0; row < array.rows(); ++row) {
    if (!finite_row(array.dtype, array.row(row), elements)) throw_not_finite(what, row);
  }
}

// A class index of any numeric type; out of range or not a whole number becomes kBadLabel.
constexpr std::int64_t kBadLabel = std::numeric_limits<std::int64_t>::min();

template <class T>
std::int64_t label_of(const void* element) {
  const T value = *static_cast<const T*>(element);
  if constexpr (std::is_floating_point_v<T>) {
    constexpr double kLimit = 2147483648.0;
    const double number = static_cast<double>(value);
    return number > -kLimit && number < kLimit && number == std::floor(number)
               ? static_cast<std::int64_t>(number)
               : kBadLabel;
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return value <= static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max())
               ? static_cast<std::int64_t>(value)
               : kBadLabel;
  } else {
    return static_cast<std::int64_t>(value);
  }
}

std::int64_t half_label(const void* element) {
  float value = 0;
  kernels::training_table().convert(ElementType::f16, element, &value, 1);
  return label_of<float>(&value);
}

[[noreturn]] void throw_bad_label(const ArrayView& array, const void* element, std::int64_t label,
                                  std::size_t row, const TargetSpec& spec) {
  float value = 0;
  kernels::training_table().convert(element_type(array.dtype), element, &value, 1);
  const std::string got =
      label != kBadLabel ? std::to_string(label) : format_number(decimal(static_cast<double>(value)));
  throw DataError(spec.loss + ": expected labels that are whole numbers in [0, " +
                  std::to_string(spec.prediction.back()) + "), got " + got + " in row " +
                  std::to_string(row) + ".");
}

// Reads the labels of some rows into `out` (or only checks them where it is null).
template <std::int64_t (*Label)(const void*)>
void read_labels(const ArrayView& array, const RowSelection& rows, const TargetSpec& spec,
                 std::int32_t* out) {
  const auto classes = static_cast<std::int64_t>(spec.prediction.back());
  const std::size_t elements = array.row_elements(), size = size_of(array.dtype);
  for (std::size_t i = 0; i < rows.count; ++i) {
    const auto* element = static_cast<const char*>(array.row(rows[i]));
    for (std::size_t j = 0; j < elements; ++j, element += size) {
      const std::int64_t label = Label(element);
      const bool ignored = spec.ignored_label && label == *spec.ignored_label;
      if (!ignored && (label < 0 || label >= classes)) throw_bad_label(array, element, label, rows[i], spec);
      if (out != nullptr) out[i * elements + j] = static_cast<std::int32_t>(label);
    }
  }
}

using LabelReader = void (*)(const ArrayView&, const RowSelection&, const TargetSpec&, std::int32_t*);

LabelReader label_reader(DType dtype) {
  switch (dtype) {
    case DType::boolean:
    case DType::u8:
      return read_labels<label_of<std::uint8_t>>;
    case DType::i8:
      return read_labels<label_of<std::int8_t>>;
    case DType::u16:
      return read_labels<label_of<std::uint16_t>>;
    case DType::i16:
      return read_labels<label_of<std::int16_t>>;
    case DType::u32:
      return read_labels<label_of<std::uint32_t>>;
    case DType::i32:
      return read_labels<label_of<std::int32_t>>;
    case DType::u64:
      return read_labels<label_of<std::uint64_t>>;
    case DType::i64:
      return read_labels<label_of<std::int64_t>>;
    case DType::f16:
      return read_labels<half_label>;
    case DType::f32:
      return read_labels<label_of<float>>;
    case DType::f64:
      return read_labels<label_of<double>>;
  }
  return nullptr;
}

// ---- targets
std::string other_loss(const TargetSpec& spec, const std::string& takes) {
  return spec.sibling.empty() ? "" : "; for " + takes + " use " + article(spec.sibling);
}

void check_labels_shape(const ArrayView& array, const TargetSpec& spec) {
  const Shape got = array.shape.without_batch();
  const Shape expected(std::span(spec.prediction.begin(), spec.prediction.rank() - 1));
  const bool trailing_one = got.rank() == expected.rank() + 1 && got.back() == 1 &&
                            std::equal(expected.begin(), expected.end(), got.begin());
  if (got == expected || trailing_one) return;
  throw ShapeError(spec.loss + ": expected integer labels y of shape " + expected.str_with_batch() +
                   ", got " + array.shape.str() +
                   (got == spec.prediction ? other_loss(spec, "one-hot rows") : "") + ".");
}

void check_values_shape(const ArrayView& array, const TargetSpec& spec) {
  const Shape got = array.shape.without_batch();
  if (got == spec.prediction) return;
  const bool column = spec.prediction.rank() == 1 && spec.prediction[0] == 1 && got.rank() == 0;
  const bool scalar = got.rank() == 1 && got[0] == 1 && spec.prediction.rank() == 0;
  const bool missing_one = spec.prediction.rank() >= 1 && spec.prediction.back() == 1 &&
                           got == Shape(std::span(spec.prediction.begin(), spec.prediction.rank() - 1));
  if (column || scalar || missing_one) return;
  const bool labels = got.rank() == 0 || (got.rank() == 1 && got[0] == 1);
  throw ShapeError(
      spec.loss + ": expected y of shape " + spec.prediction.str_with_batch() + ", got " + array.shape.str() +
      (labels && spec.prediction.elements() > 1 ? other_loss(spec, "integer labels") : "") + ".");
}

}  // namespace

void check_input(const ArrayView& array, const Shape& expected, const char* what) {
  if (array.shape.rank() == 0 || !(array.shape.without_batch() == expected || row_shape(array) == expected)) {
    throw ShapeError(std::string("Model: expected ") + what + " of shape " + expected.str_with_batch() +
                     ", got " + array.shape.str() + ".");
  }
}

void check_inputs(const Dataset& data, std::span<const Shape> expected, bool scan) {
  if (data.inputs.size() != expected.size()) {
    throw ShapeError("Data: expected " + std::to_string(expected.size()) + " input arrays, got " +
                     std::to_string(data.inputs.size()) + ".");
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    check_input(data.inputs[i], expected[i], "x");
    check_rows(data.inputs[i], data.rows(), "every x");
  }
  if (data.rows() == 0) throw DataError("Data: expected at least one row, got empty arrays.");
  if (!scan) return;
  for (const ArrayView& array : data.inputs) scan_finite(array, "x");
}

void check_targets(const Dataset& data, std::span<const TargetSpec> expected, bool scan) {
  if (data.targets.size() != expected.size()) {
    throw ShapeError("Data: expected " + std::to_string(expected.size()) + " target arrays, got " +
                     std::to_string(data.targets.size()) + ".");
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const ArrayView& target = data.targets[i];
    if (target.shape.rank() == 0)
      throw ShapeError("Data: expected y with one row for each of x, got a scalar.");
    check_rows(target, data.rows(), "y");
    if (expected[i].kind == TargetKind::labels) {
      check_labels_shape(target, expected[i]);
    } else if (expected[i].kind == TargetKind::values) {
      check_values_shape(target, expected[i]);
    }
  }
  for (const ArrayView& weights : data.weights) {
    if (weights.shape.rank() != 1) {
      throw ShapeError("Data: expected sample_weight of shape (batch,), got " + weights.shape.str() + ".");
    }
    check_rows(weights, data.rows(), "sample_weight");
    if (scan) scan_finite(weights, "sample_weight");
  }
  if (!scan) return;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const ArrayView& target = data.targets[i];
    scan_finite(target, "y");
    if (expected[i].kind != TargetKind::labels) continue;
    label_reader(target.dtype)(target, {nullptr, 0, target.rows()}, expected[i], nullptr);
  }
}

namespace {

// Copies rows [begin, end) of the selection; gives the first index that is out of range, or none.
std::optional<std::size_t> gather_range(const ArrayView& array, const RowSelection& rows, std::size_t begin,
                                        std::size_t end, float* out) {
  const std::size_t elements = array.row_elements();
  const auto convert = kernels::training_table().convert;
  const ElementType type = element_type(array.dtype);
  if (rows.indices == nullptr &&
      array.row_stride == static_cast<std::ptrdiff_t>(elements * size_of(array.dtype))) {
    convert(type, array.row(rows.first + begin), out + begin * elements, elements * (end - begin));
    return std::nullopt;
  }
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t row = rows[i];
    if (row >= array.rows()) return row;
    convert(type, array.row(row), out + i * elements, elements);
  }
  return std::nullopt;
}

constexpr std::size_t kGatherFloats = 1 << 13;  // that pay for waking a thread

}  // namespace

void gather(const ArrayView& array, const RowSelection& rows, float* out, bool check, const char* what,
            Executor& executor) {
  const std::size_t elements = array.row_elements();
  const std::size_t tasks =
      std::clamp<std::size_t>(elements * rows.count / kGatherFloats, 1, executor.threads());
  std::atomic<std::size_t> bad = 0;  // an index that is out of range, where there is any
  std::atomic<bool> any = false;
  executor.run(tasks, [&](std::size_t task) {
    const auto found =
        gather_range(array, rows, rows.count * task / tasks, rows.count * (task + 1) / tasks, out);
    if (!found) return;
    bad = *found;
    any = true;
  });
  if (any) {
    throw DataError(std::string("Data: expected a row within ") + what + ", got index " +
                    std::to_string(bad) + ".");
  }
  if (!check || !is_floating(array.dtype)) return;
  for (std::size_t i = 0; i < rows.count; ++i) {
    if (!finite_row(DType::f32, out + i * elements, elements)) throw_not_finite(what, rows[i]);
  }
}

void gather_labels(const ArrayView& array, const RowSelection& rows, const TargetSpec& spec,
                   std::int32_t* out) {
  label_reader(array.dtype)(array, rows, spec, out);
}

}  // namespace lamina
