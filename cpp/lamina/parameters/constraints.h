// Constraints that hold after every step, with Keras 3's names, defaults and formulas.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "lamina/core/config.h"
#include "lamina/core/tensor.h"

namespace lamina {

class Constraint : public Describable {
 public:
  static const Registry<Constraint>& registry();

  // ShapeError where a parameter of this shape can't be constrained (it lacks the axis).
  virtual void check(const Shape& /*shape*/) const {}
  // Moves the values to the nearest that are allowed, in place. Norms run along `axis` (0 unless set: one
  // norm for each output unit of a dense kernel). Allocates nothing. ShapeError as check().
  virtual void apply(const Shape& shape, float* values) const = 0;
};

using ConstraintPtr = std::shared_ptr<const Constraint>;

// The axes along which a norm runs: one, or several together. Negative ones count from the end.
struct Axes {
  std::vector<std::int64_t> values = {0};

  Axes() = default;
  Axes(std::int64_t axis) : values{axis} {}
  Axes(std::initializer_list<std::int64_t> axes) : values(axes) {}
  explicit Axes(std::vector<std::int64_t> axes) : values(std::move(axes)) {}
};

template <>
struct FieldType<Axes> {
  static std::string kind() { return "int or list of int"; }
  static Value to(const Axes& axes);
  static Axes from(const Value& value);
};

// ---- kinds. A norm is sqrt(sum w^2) along `axis`; Keras's epsilon of 1e-7 is added where it divides.

struct MaxNormOptions {
  double max_value = 2.0;  // at least 0
  Axes axis = 0;
};

class MaxNorm final : public Described<MaxNorm, Constraint, MaxNormOptions> {
 public:
  static constexpr const char* kType = "MaxNorm";
  static constexpr const char* kDoc =
      "Scales weights down whose norm along `axis` is above `max_value`: `w * min(norm, max_value) / (1e-7 "
      "+ norm)`.";
  static constexpr std::array kAliases{"max_norm"};
  static void fields(Fields<MaxNormOptions>& field);
  explicit MaxNorm(MaxNormOptions options = {});
  void check(const Shape& shape) const override;
  void apply(const Shape& shape, float* values) const override;
};

struct NonNegOptions {};

class NonNeg final : public Described<NonNeg, Constraint, NonNegOptions> {
 public:
  static constexpr const char* kType = "NonNeg";
  static constexpr const char* kDoc = "Sets negative weights to 0.";
  static constexpr std::array kAliases{"non_neg"};
  static void fields(Fields<NonNegOptions>&) {}
  using Described::Described;
  void apply(const Shape& shape, float* values) const override;
};

struct UnitNormOptions {
  Axes axis = 0;
};

class UnitNorm final : public Described<UnitNorm, Constraint, UnitNormOptions> {
 public:
  static constexpr const char* kType = "UnitNorm";
  static constexpr const char* kDoc = "Scales weights to norm 1 along `axis`: `w / (1e-7 + norm)`.";
  static constexpr std::array kAliases{"unit_norm"};
  static void fields(Fields<UnitNormOptions>& field);
  explicit UnitNorm(UnitNormOptions options = {});
  void check(const Shape& shape) const override;
  void apply(const Shape& shape, float* values) const override;
};

struct MinMaxNormOptions {
  double min_value = 0.0;  // at least 0, at most max_value
  double max_value = 1.0;
  double rate = 1.0;  // in [0, 1]
  Axes axis = 0;
};

class MinMaxNorm final : public Described<MinMaxNorm, Constraint, MinMaxNormOptions> {
 public:
  static constexpr const char* kType = "MinMaxNorm";
  static constexpr const char* kDoc =
      "Scales weights to a norm along `axis` of `rate * clip(norm, min_value, max_value) + (1 - rate) * "
      "norm`.";
  static constexpr std::array kAliases{"min_max_norm"};
  static void fields(Fields<MinMaxNormOptions>& field);
  explicit MinMaxNorm(MinMaxNormOptions options = {});
  void check(const Shape& shape) const override;
  void apply(const Shape& shape, float* values) const override;
};

ConstraintPtr max_norm(MaxNormOptions options = {});
ConstraintPtr non_neg();
ConstraintPtr unit_norm(UnitNormOptions options = {});
ConstraintPtr min_max_norm(MinMaxNormOptions options = {});

}  // namespace lamina
