// Penalties on parameters and activities: l1 * sum|w| + l2 * sum w^2.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "lamina/core/config.h"

namespace lamina {

// A penalty l1 * sum|w| + l2 * sum w^2; its gradient is l1 * sign(w) + 2 * l2 * w, with sign(0) = 0.
class Regularizer : public Describable {
 public:
  static const Registry<Regularizer>& registry();

  virtual double l1() const = 0;
  virtual double l2() const = 0;

  // Summed in float64, in an order that depends on `count` and the ISA alone.
  double penalty(const float* values, std::size_t count) const;
};

using RegularizerPtr = std::shared_ptr<const Regularizer>;

struct L1Options {
  double l1 = 0.01;  // factor of sum|w|, at least 0
};

class L1 final : public Described<L1, Regularizer, L1Options> {
 public:
  static constexpr const char* kType = "L1";
  static constexpr const char* kDoc =
      "Penalty `l1 * sum(|w|)`: draws weights to exactly 0, so that few remain.";
  static constexpr std::array kAliases{"l1"};
  static void fields(Fields<L1Options>& field);
  using Described::Described;
  double l1() const override { return options_.l1; }
  double l2() const override { return 0.0; }
};

struct L2Options {
  double l2 = 0.01;  // factor of sum w^2, at least 0
};

class L2 final : public Described<L2, Regularizer, L2Options> {
 public:
  static constexpr const char* kType = "L2";
  static constexpr const char* kDoc =
      "Penalty `l2 * sum(w^2)`: keeps weights small. Its gradient is `2 * l2 * w`.";
  static constexpr std::array kAliases{"l2"};
  static void fields(Fields<L2Options>& field);
  using Described::Described;
  double l1() const override { return 0.0; }
  double l2() const override { return options_.l2; }
};

// The elastic net. As in Keras both factors are 0 unless given.
struct L1L2Options {
  double l1 = 0.0;  // factor of sum|w|, at least 0
  double l2 = 0.0;  // factor of sum w^2, at least 0
};

class L1L2 final : public Described<L1L2, Regularizer, L1L2Options> {
 public:
  static constexpr const char* kType = "L1L2";
  static constexpr const char* kDoc = "Penalty `l1 * sum(|w|) + l2 * sum(w^2)`, the elastic net.";
  static constexpr std::array kAliases{"l1_l2", "elastic_net"};
  static void fields(Fields<L1L2Options>& field);
  using Described::Described;
  double l1() const override { return options_.l1; }
  double l2() const override { return options_.l2; }
};

RegularizerPtr l1(L1Options options = {});
RegularizerPtr l2(L2Options options = {});
RegularizerPtr l1_l2(L1L2Options options = {});

}  // namespace lamina
