// The kinds of initial weights, with Keras 3's names, defaults and formulas.
//
// Random ones take `seed`: when set, the numbers come from a stream of its own, the same for every parameter
// that the initializer fills, as in Keras.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "lamina/parameters/initializers.h"

namespace lamina {

// The inputs and outputs of a unit, as Keras counts them: (in, out) for a matrix, (n, n) for a vector of n,
// (1, 1) for a scalar; beyond two dimensions the leading ones are a receptive field that multiplies both.
struct Fans {
  double in = 1.0;
  double out = 1.0;
};
Fans fans_of(const Shape& shape);

// Fills from the stream that the caller gives, or from its own where the options hold a seed.
template <class Self, class Options>
class RandomInitializer : public Described<Self, Initializer, Options> {
 public:
  using Described<Self, Initializer, Options>::Described;
  void fill(const Shape& shape, RandomStream& random, std::span<float> values) const override {
    if (!this->options_.seed) return this->draw(shape, random, values);
    RandomStream own(static_cast<std::uint64_t>(*this->options_.seed), RandomUse::weights, 0);
    this->draw(shape, own, values);
  }

 protected:
  virtual void draw(const Shape& shape, RandomStream& random, std::span<float> values) const = 0;
};

// ---- variance scaling: variance scale / n, where n is the fan-in, or the mean of both fans.
// A uniform one is within +-sqrt(3 * scale / n). A normal one is cut at two deviations, and widened so that
// the deviation is sqrt(scale / n) after the cut.

enum class Fan : std::uint8_t { in, average };

struct SeedOptions {
  std::optional<std::int64_t> seed = {};
};

namespace detail {
void fill_scaled_uniform(double scale, Fan fan, const Shape& shape, RandomStream& random,
                         std::span<float> values);
void fill_scaled_normal(double scale, Fan fan, const Shape& shape, RandomStream& random,
                        std::span<float> values);
void seed_field(Fields<SeedOptions>& field);
}  // namespace detail

template <class Self>
class ScaledUniform : public RandomInitializer<Self, SeedOptions> {
 public:
  static void fields(Fields<SeedOptions>& field) { detail::seed_field(field); }
  using RandomInitializer<Self, SeedOptions>::RandomInitializer;

 protected:
  void draw(const Shape& shape, RandomStream& random, std::span<float> values) const override {
    detail::fill_scaled_uniform(Self::kScale, Self::kFan, shape, random, values);
  }
};

template <class Self>
class ScaledNormal : public RandomInitializer<Self, SeedOptions> {
 public:
  static void fields(Fields<SeedOptions>& field) { detail::seed_field(field); }
  using RandomInitializer<Self, SeedOptions>::RandomInitializer;

 protected:
  void draw(const Shape& shape, RandomStream& random, std::span<float> values) const override {
    detail::fill_scaled_normal(Self::kScale, Self::kFan, shape, random, values);
  }
};

class GlorotUniform final : public ScaledUniform<GlorotUniform> {
 public:
  static constexpr const char* kType = "GlorotUniform";
  static constexpr const char* kDoc =
      "Uniform within `+-sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio, 2010); suits tanh and softmax.";
  static constexpr std::array kAliases{"glorot_uniform"};
  static constexpr double kScale = 1.0;
  static constexpr Fan kFan = Fan::average;
  using ScaledUniform::ScaledUniform;
};

class GlorotNormal final : public ScaledNormal<GlorotNormal> {
 public:
  static constexpr const char* kType = "GlorotNormal";
  static constexpr const char* kDoc =
      "Truncated normal of deviation `sqrt(2 / (fan_in + fan_out))` (Glorot and Bengio, 2010).";
  static constexpr std::array kAliases{"glorot_normal"};
  static constexpr double kScale = 1.0;
  static constexpr Fan kFan = Fan::average;
  using ScaledNormal::ScaledNormal;
};

class HeUniform final : public ScaledUniform<HeUniform> {
 public:
  static constexpr const char* kType = "HeUniform";
  static constexpr const char* kDoc = "Uniform within `+-sqrt(6 / fan_in)` (He et al., 2015); suits relu.";
  static constexpr std::array kAliases{"he_uniform"};
  static constexpr double kScale = 2.0;
  static constexpr Fan kFan = Fan::in;
  using ScaledUniform::ScaledUniform;
};

class HeNormal final : public ScaledNormal<HeNormal> {
 public:
  static constexpr const char* kType = "HeNormal";
  static constexpr const char* kDoc =
      "Truncated normal of deviation `sqrt(2 / fan_in)` (He et al., 2015); suits relu.";
  static constexpr std::array kAliases{"he_normal"};
  static constexpr double kScale = 2.0;
  static constexpr Fan kFan = Fan::in;
  using ScaledNormal::ScaledNormal;
};

class LecunUniform final : public ScaledUniform<LecunUniform> {
 public:
  static constexpr const char* kType = "LecunUniform";
  static constexpr const char* kDoc = "Uniform within `+-sqrt(3 / fan_in)` (LeCun et al., 1998).";
  static constexpr std::array kAliases{"lecun_uniform"};
  static constexpr double kScale = 1.0;
  static constexpr Fan kFan = Fan::in;
  using ScaledUniform::ScaledUniform;
};

class LecunNormal final : public ScaledNormal<LecunNormal> {
 public:
  static constexpr const char* kType = "LecunNormal";
  static constexpr const char* kDoc =
      "Truncated normal of deviation `sqrt(1 / fan_in)` (LeCun et al., 1998); suits selu.";
  static constexpr std::array kAliases{"lecun_normal"};
  static constexpr double kScale = 1.0;
  static constexpr Fan kFan = Fan::in;
  using ScaledNormal::ScaledNormal;
};

// ---- fixed distributions

struct RandomNormalOptions {
  double mean = 0.0;
  double stddev = 0.05;  // at least 0
  std::optional<std::int64_t> seed = {};
};

class RandomNormal final : public RandomInitializer<RandomNormal, RandomNormalOptions> {
 public:
  static constexpr const char* kType = "RandomNormal";
  static constexpr const char* kDoc = "Normal of the given mean and deviation.";
  static constexpr std::array kAliases{"random_normal", "normal"};
  static void fields(Fields<RandomNormalOptions>& field);
  using RandomInitializer::RandomInitializer;

 protected:
  void draw(const Shape& shape, RandomStream& random, std::span<float> values) const override;
};

struct RandomUniformOptions {
  double minval = -0.05;  // at most maxval
  double maxval = 0.05;
  std::optional<std::int64_t> seed = {};
};

class RandomUniform final : public RandomInitializer<RandomUniform, RandomUniformOptions> {
 public:
  static constexpr const char* kType = "RandomUniform";
  static constexpr const char* kDoc = "Uniform between `minval` and `maxval`.";
  static constexpr std::array kAliases{"random_uniform", "uniform"};
  static void fields(Fields<RandomUniformOptions>& field);
  explicit RandomUniform(RandomUniformOptions options = {});

 protected:
  void draw(const Shape& shape, RandomStream& random, std::span<float> values) const override;
};

struct TruncatedNormalOptions {
  double mean = 0.0;
  double stddev = 0.05;  // at least 0; of the normal before it is cut
  std::optional<std::int64_t> seed = {};
};

class TruncatedNormal final : public RandomInitializer<TruncatedNormal, TruncatedNormalOptions> {
 public:
  static constexpr const char* kType = "TruncatedNormal";
  static constexpr const char* kDoc =
      "Normal of the given mean and deviation; values further than two deviations from the mean are "
      "redrawn.";
  static constexpr std::array kAliases{"truncated_normal"};
  static void fields(Fields<TruncatedNormalOptions>& field);
  using RandomInitializer::RandomInitializer;

 protected:
  void draw(const Shape& shape, RandomStream& random, std::span<float> values) const override;
};

struct OrthogonalOptions {
  double gain = 1.0;
  std::optional<std::int64_t> seed = {};
};

class Orthogonal final : public RandomInitializer<Orthogonal, OrthogonalOptions> {
 public:
  static constexpr const char* kType = "Orthogonal";
  static constexpr const char* kDoc =
      "`gain` times a random matrix whose columns, or rows where there are fewer of them, are orthonormal "
      "(Saxe et al., 2014). Leading dimensions beyond two count as rows.";
  static constexpr std::array kAliases{"orthogonal"};
  static void fields(Fields<OrthogonalOptions>& field);
  using RandomInitializer::RandomInitializer;

 protected:
  void draw(const Shape& shape, RandomStream& random, std::span<float> values) const override;
};

// ---- constants

struct ZerosOptions {};

class Zeros final : public Described<Zeros, Initializer, ZerosOptions> {
 public:
  static constexpr const char* kType = "Zeros";
  static constexpr const char* kDoc = "All 0.";
  static constexpr std::array kAliases{"zeros", "zero"};
  static void fields(Fields<ZerosOptions>&) {}
  using Described::Described;
  void fill(const Shape& shape, RandomStream& random, std::span<float> values) const override;
};

struct OnesOptions {};

class Ones final : public Described<Ones, Initializer, OnesOptions> {
 public:
  static constexpr const char* kType = "Ones";
  static constexpr const char* kDoc = "All 1.";
  static constexpr std::array kAliases{"ones", "one"};
  static void fields(Fields<OnesOptions>&) {}
  using Described::Described;
  void fill(const Shape& shape, RandomStream& random, std::span<float> values) const override;
};

struct ConstantOptions {
  double value = 0.0;
};

class Constant final : public Described<Constant, Initializer, ConstantOptions> {
 public:
  static constexpr const char* kType = "Constant";
  static constexpr const char* kDoc = "All `value`.";
  static constexpr std::array kAliases{"constant"};
  static void fields(Fields<ConstantOptions>& field);
  using Described::Described;
  void fill(const Shape& shape, RandomStream& random, std::span<float> values) const override;
};

struct IdentityOptions {
  double gain = 1.0;
};

class Identity final : public Described<Identity, Initializer, IdentityOptions> {
 public:
  static constexpr const char* kType = "Identity";
  static constexpr const char* kDoc = "`gain` on the diagonal of a matrix, 0 elsewhere.";
  static constexpr std::array kAliases{"identity"};
  static void fields(Fields<IdentityOptions>& field);
  using Described::Described;
  void fill(const Shape& shape, RandomStream& random, std::span<float> values) const override;
};

InitializerPtr glorot_uniform(SeedOptions options = {});
InitializerPtr glorot_normal(SeedOptions options = {});
InitializerPtr he_uniform(SeedOptions options = {});
InitializerPtr he_normal(SeedOptions options = {});
InitializerPtr lecun_uniform(SeedOptions options = {});
InitializerPtr lecun_normal(SeedOptions options = {});
InitializerPtr random_normal(RandomNormalOptions options = {});
InitializerPtr random_uniform(RandomUniformOptions options = {});
InitializerPtr truncated_normal(TruncatedNormalOptions options = {});
InitializerPtr orthogonal(OrthogonalOptions options = {});
InitializerPtr zeros();
InitializerPtr ones();
InitializerPtr constant(ConstantOptions options = {});
InitializerPtr identity(IdentityOptions options = {});

}  // namespace lamina
