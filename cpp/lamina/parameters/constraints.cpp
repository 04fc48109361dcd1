#include "lamina/parameters/constraints.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

namespace lamina {

const Registry<Constraint>& Constraint::registry() {
  using Types = TypeList<  //
      MaxNorm,             //
      NonNeg,              //
      UnitNorm,            //
      MinMaxNorm>;
  static const auto* const kRegistry = new Registry<Constraint>("constraint", Types());
  return *kRegistry;
}

// ---- axes

Value FieldType<Axes>::to(const Axes& axes) {
  if (axes.values.size() == 1) return axes.values.front();
  return FieldType<std::vector<std::int64_t>>::to(axes.values);
}

Axes FieldType<Axes>::from(const Value& value) {
  if (value.list() != nullptr) return Axes(FieldType<std::vector<std::int64_t>>::from(value));
  return FieldType<std::int64_t>::from(value);
}

namespace {

constexpr double kEpsilon = 1e-7;  // keras.backend.epsilon()

using AxisFlags = std::array<bool, Shape::kMaxRank>;

// What can be told without the shape: some axis, none twice, none that no shape has.
void check_axes(const char* type, const Axes& axes) {
  const auto& values = axes.values;
  const auto limit = static_cast<std::int64_t>(Shape::kMaxRank);
  bool good = !values.empty();
  for (std::size_t i = 0; i < values.size(); ++i) {
    good = good && values[i] >= -limit && values[i] < limit &&
           std::find(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values[i]) ==
               values.begin() + static_cast<std::ptrdiff_t>(i);
  }
  if (!good) throw_bad_field(type, "axis", "an axis or a list of different axes", FieldType<Axes>::to(axes));
}

AxisFlags reduced_axes(const char* type, const Axes& axes, const Shape& shape) {
  const auto rank = static_cast<std::int64_t>(shape.rank());
  AxisFlags reduced{};
  for (const std::int64_t axis : axes.values) {
    if (axis < -rank || axis >= rank) {
      throw ShapeError(std::string(type) + ": expected a parameter that has axis " + std::to_string(axis) +
                       ", got one of shape " + shape.str() + ".");
    }
    reduced[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)] = true;
  }
  return reduced;
}

// Counts through some axes of a row-major array, the last fastest, and keeps the offset of the element.
struct Odometer {
  std::array<std::size_t, Shape::kMaxRank> extent{}, stride{}, index{};
  std::size_t rank = 0, offset = 0;

  void add(std::size_t axis_extent, std::size_t axis_stride) {
    extent[rank] = axis_extent;
    stride[rank++] = axis_stride;
  }
  bool next() {  // false after the last, and back at the first
    for (std::size_t i = rank; i-- > 0;) {
      offset += stride[i];
      if (++index[i] < extent[i]) return true;
      offset -= extent[i] * stride[i];
      index[i] = 0;
    }
    return false;
  }
};

// Multiplies each vector of weights along the reduced axes by factor(norm). Sums run in float64 in increasing
// order. The last axis is contiguous: where it is kept, a block of its columns is summed side by side.
template <class Factor>
void scale_norms(const AxisFlags& reduced, const Shape& shape, float* values, Factor factor) {
  if (shape.elements() == 0) return;
  constexpr std::size_t kBlock = 64;
  const std::size_t last = shape.rank() - 1;
  const bool last_kept = !reduced[last];
  const std::size_t columns = last_kept ? shape[last] : 1;
  const std::size_t run = last_kept ? 1 : shape[last];  // contiguous weights of one vector
  Odometer kept, summed;
  std::size_t inner = shape.elements();
  for (std::size_t axis = 0; axis < last; ++axis) {
    inner /= shape[axis];
    (reduced[axis] ? summed : kept).add(shape[axis], inner);
  }
  do {
    for (std::size_t begin = 0; begin < columns; begin += kBlock) {
      const std::size_t block = std::min(kBlock, columns - begin);
      float* const first = values + kept.offset + begin;
      std::array<double, kBlock> sums{};
      do {
        const float* w = first + summed.offset;
        for (std::size_t i = 0; i < run; ++i) {
          for (std::size_t j = 0; j < block; ++j) {
            const double x = w[i + j];
            sums[j] += x * x;
          }
        }
      } while (summed.next());
      std::array<float, kBlock> factors{};
      for (std::size_t j = 0; j < block; ++j) factors[j] = static_cast<float>(factor(std::sqrt(sums[j])));
      do {
        float* w = first + summed.offset;
        for (std::size_t i = 0; i < run; ++i) {
          for (std::size_t j = 0; j < block; ++j) w[i + j] *= factors[j];
        }
      } while (summed.next());
    }
  } while (kept.next());
}

constexpr const char* kAxisDoc =
    "Axis or axes along which a norm runs; 0 gives each output unit of a dense kernel its own.";

}  // namespace

// ---- MaxNorm

void MaxNorm::fields(Fields<MaxNormOptions>& field) {
  field("max_value", &MaxNormOptions::max_value, "The largest norm allowed.", non_negative());
  field("axis", &MaxNormOptions::axis, kAxisDoc);
}

MaxNorm::MaxNorm(MaxNormOptions options) : Described(std::move(options)) {
  check_axes(kType, options_.axis);
}

void MaxNorm::check(const Shape& shape) const {
  reduced_axes(kType, options_.axis, shape);
}

void MaxNorm::apply(const Shape& shape, float* values) const {
  scale_norms(reduced_axes(kType, options_.axis, shape), shape, values,
              [&](double norm) { return std::min(norm, options_.max_value) / (kEpsilon + norm); });
}

// ---- NonNeg

void NonNeg::apply(const Shape& shape, float* values) const {
  const std::size_t count = shape.elements();
  for (std::size_t i = 0; i < count; ++i) values[i] = values[i] < 0.0F ? 0.0F : values[i];  // NaN stays
}

// ---- UnitNorm

void UnitNorm::fields(Fields<UnitNormOptions>& field) {
  field("axis", &UnitNormOptions::axis, kAxisDoc);
}

UnitNorm::UnitNorm(UnitNormOptions options) : Described(std::move(options)) {
  check_axes(kType, options_.axis);
}

void UnitNorm::check(const Shape& shape) const {
  reduced_axes(kType, options_.axis, shape);
}

void UnitNorm::apply(const Shape& shape, float* values) const {
  scale_norms(reduced_axes(kType, options_.axis, shape), shape, values,
              [](double norm) { return 1.0 / (kEpsilon + norm); });
}

// ---- MinMaxNorm

void MinMaxNorm::fields(Fields<MinMaxNormOptions>& field) {
  field("min_value", &MinMaxNormOptions::min_value, "The smallest norm allowed.", non_negative());
  field("max_value", &MinMaxNormOptions::max_value, "The largest norm allowed.", non_negative());
  field("rate", &MinMaxNormOptions::rate, "How far a step moves norms that are outside; 1 is all the way.",
        in_closed_range(0, 1));
  field("axis", &MinMaxNormOptions::axis, kAxisDoc);
}

MinMaxNorm::MinMaxNorm(MinMaxNormOptions options) : Described(std::move(options)) {
  check_axes(kType, options_.axis);
  if (options_.min_value > options_.max_value) {
    throw_bad_field(kType, "min_value", "at most max_value=" + format_number(options_.max_value),
                    options_.min_value);
  }
}

void MinMaxNorm::check(const Shape& shape) const {
  reduced_axes(kType, options_.axis, shape);
}

void MinMaxNorm::apply(const Shape& shape, float* values) const {
  const double low = options_.min_value, high = options_.max_value, rate = options_.rate;
  scale_norms(reduced_axes(kType, options_.axis, shape), shape, values, [=](double norm) {
    return (rate * std::clamp(norm, low, high) + (1.0 - rate) * norm) / (kEpsilon + norm);
  });
}

ConstraintPtr max_norm(MaxNormOptions options) {
  return make_described<MaxNorm>(std::move(options));
}
ConstraintPtr non_neg() {
  return make_described<NonNeg>();
}
ConstraintPtr unit_norm(UnitNormOptions options) {
  return make_described<UnitNorm>(std::move(options));
}
ConstraintPtr min_max_norm(MinMaxNormOptions options) {
  return make_described<MinMaxNorm>(std::move(options));
}

}  // namespace lamina
