#include "lamina/parameters/initializers.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "lamina/parameters/initializer_types.h"

namespace lamina {

const Registry<Initializer>& Initializer::registry() {
  using Types = TypeList<  //
      GlorotUniform,       //
      GlorotNormal,        //
      HeUniform,           //
      HeNormal,            //
      LecunUniform,        //
      LecunNormal,         //
      RandomNormal,        //
      RandomUniform,       //
      TruncatedNormal,     //
      Orthogonal,          //
      Zeros,               //
      Ones,                //
      Constant,            //
      Identity>;
  static const auto* const kRegistry = new Registry<Initializer>("initializer", Types());
  return *kRegistry;
}

Fans fans_of(const Shape& shape) {
  if (shape.rank() == 0) return {};
  if (shape.rank() == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  double field = 1.0;
  for (std::size_t axis = 0; axis + 2 < shape.rank(); ++axis) field *= static_cast<double>(shape[axis]);
  return {field * static_cast<double>(shape[shape.rank() - 2]), field * static_cast<double>(shape.back())};
}

namespace {

constexpr const char* kSeedDoc = "Seed of a stream of its own; None draws from the model's.";

void fill_uniform(double low, double high, RandomStream& random, std::span<float> values) {
  for (float& value : values) value = static_cast<float>(low + (high - low) * random.next_uniform());
}

void fill_truncated_normal(double mean, double stddev, RandomStream& random, std::span<float> values) {
  for (float& value : values) {
    double x = random.next_normal();
    while (std::abs(x) > 2.0) x = random.next_normal();
    value = static_cast<float>(mean + stddev * x);
  }
}

// The variance of one weight: scale / n, with n at least 1.
double variance_of(double scale, Fan fan, const Shape& shape) {
  const Fans fans = fans_of(shape);
  return scale / std::max(1.0, fan == Fan::in ? fans.in : (fans.in + fans.out) / 2.0);
}

}  // namespace

namespace detail {

void seed_field(Fields<SeedOptions>& field) {
  field("seed", &SeedOptions::seed, kSeedDoc);
}

// A uniform within +-a has variance a^2 / 3.
void fill_scaled_uniform(double scale, Fan fan, const Shape& shape, RandomStream& random,
                         std::span<float> values) {
  const double limit = std::sqrt(3.0 * variance_of(scale, fan, shape));
  fill_uniform(-limit, limit, random, values);
}

void fill_scaled_normal(double scale, Fan fan, const Shape& shape, RandomStream& random,
                        std::span<float> values) {
  constexpr double kTruncatedDeviation = 0.87962566103423978;  // of a standard normal cut at +-2
  fill_truncated_normal(0.0, std::sqrt(variance_of(scale, fan, shape)) / kTruncatedDeviation, random, values);
}

}  // namespace detail

// ---- fixed distributions

void RandomNormal::fields(Fields<RandomNormalOptions>& field) {
  field("mean", &RandomNormalOptions::mean, "Mean.", finite());
  field("stddev", &RandomNormalOptions::stddev, "Standard deviation.", non_negative());
  field("seed", &RandomNormalOptions::seed, kSeedDoc);
}

void RandomNormal::draw(const Shape&, RandomStream& random, std::span<float> values) const {
  for (float& value : values) {
    value = static_cast<float>(options_.mean + options_.stddev * random.next_normal());
  }
}

void RandomUniform::fields(Fields<RandomUniformOptions>& field) {
  field("minval", &RandomUniformOptions::minval, "Lower bound.", finite());
  field("maxval", &RandomUniformOptions::maxval, "Upper bound.", finite());
  field("seed", &RandomUniformOptions::seed, kSeedDoc);
}

RandomUniform::RandomUniform(RandomUniformOptions options) : RandomInitializer(options) {
  if (options_.minval > options_.maxval) {
    throw_bad_field(kType, "minval", "at most maxval=" + format_number(options_.maxval), options_.minval);
  }
}

void RandomUniform::draw(const Shape&, RandomStream& random, std::span<float> values) const {
  fill_uniform(options_.minval, options_.maxval, random, values);
}

void TruncatedNormal::fields(Fields<TruncatedNormalOptions>& field) {
  field("mean", &TruncatedNormalOptions::mean, "Mean.", finite());
  field("stddev", &TruncatedNormalOptions::stddev, "Standard deviation before the cut.", non_negative());
  field("seed", &TruncatedNormalOptions::seed, kSeedDoc);
}

void TruncatedNormal::draw(const Shape&, RandomStream& random, std::span<float> values) const {
  fill_truncated_normal(options_.mean, options_.stddev, random, values);
}

// ---- Orthogonal

namespace {

// Four chains side by side, in a fixed order.
double dot(const double* a, const double* b, std::size_t n) {
  double sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (std::size_t j = 0; j < 4; ++j) sums[j] += a[i + j] * b[i + j];
  }
  for (; i < n; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// `count` orthonormal vectors of `length` >= count, one after another: the Q of a random normal matrix, with
// the signs that make the diagonal of R positive, so that Q is uniform over all such matrices. Gram-Schmidt
// in float64; projecting twice brings the products of any two below a few units in the last place
// (Giraud et al., 2005).
std::vector<double> orthonormal_vectors(std::size_t count, std::size_t length, RandomStream& random) {
  std::vector<double> q(count * length);
  for (std::size_t j = 0; j < count; ++j) {
    double* const v = q.data() + j * length;
    double norm = 0.0;
    while (norm < 1e-8) {  // practically always the first time: a draw in the span of the others is redrawn
      for (std::size_t k = 0; k < length; ++k) v[k] = random.next_normal();
      for (int pass = 0; pass < 2; ++pass) {
        for (std::size_t i = 0; i < j; ++i) {
          const double* const u = q.data() + i * length;
          const double overlap = dot(u, v, length);
          for (std::size_t k = 0; k < length; ++k) v[k] -= overlap * u[k];
        }
      }
      norm = std::sqrt(dot(v, v, length));
    }
    for (std::size_t k = 0; k < length; ++k) v[k] /= norm;
  }
  return q;
}

}  // namespace

void Orthogonal::fields(Fields<OrthogonalOptions>& field) {
  field("gain", &OrthogonalOptions::gain, "Factor of the orthogonal matrix.", finite());
  field("seed", &OrthogonalOptions::seed, kSeedDoc);
}

void Orthogonal::draw(const Shape& shape, RandomStream& random, std::span<float> values) const {
  if (shape.rank() < 2) {
    throw ShapeError("Orthogonal: expected a parameter of at least two dimensions, got one of shape " +
                     shape.str() + ".");
  }
  if (values.empty()) return;
  const std::size_t columns = shape.back();
  const std::size_t rows = shape.elements() / columns;
  const bool tall = rows >= columns;
  const std::size_t length = tall ? rows : columns;
  const std::vector<double> q = orthonormal_vectors(tall ? columns : rows, length, random);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      const double x = tall ? q[j * length + i] : q[i * length + j];
      values[i * columns + j] = static_cast<float>(options_.gain * x);
    }
  }
}

// ---- constants

void Zeros::fill(const Shape&, RandomStream&, std::span<float> values) const {
  std::fill(values.begin(), values.end(), 0.0F);
}

void Ones::fill(const Shape&, RandomStream&, std::span<float> values) const {
  std::fill(values.begin(), values.end(), 1.0F);
}

void Constant::fields(Fields<ConstantOptions>& field) {
  field("value", &ConstantOptions::value, "The value.", finite());
}

void Constant::fill(const Shape&, RandomStream&, std::span<float> values) const {
  std::fill(values.begin(), values.end(), static_cast<float>(options_.value));
}

void Identity::fields(Fields<IdentityOptions>& field) {
  field("gain", &IdentityOptions::gain, "Factor of the identity matrix.", finite());
}

void Identity::fill(const Shape& shape, RandomStream&, std::span<float> values) const {
  if (shape.rank() != 2) {
    throw ShapeError("Identity: expected a parameter of two dimensions, got one of shape " + shape.str() +
                     ".");
  }
  std::fill(values.begin(), values.end(), 0.0F);
  for (std::size_t i = 0; i < std::min(shape[0], shape[1]); ++i) {
    values[i * shape[1] + i] = static_cast<float>(options_.gain);
  }
}

// ---- short names

InitializerPtr glorot_uniform(SeedOptions options) {
  return make_described<GlorotUniform>(options);
}
InitializerPtr glorot_normal(SeedOptions options) {
  return make_described<GlorotNormal>(options);
}
InitializerPtr he_uniform(SeedOptions options) {
  return make_described<HeUniform>(options);
}
InitializerPtr he_normal(SeedOptions options) {
  return make_described<HeNormal>(options);
}
InitializerPtr lecun_uniform(SeedOptions options) {
  return make_described<LecunUniform>(options);
}
InitializerPtr lecun_normal(SeedOptions options) {
  return make_described<LecunNormal>(options);
}
InitializerPtr random_normal(RandomNormalOptions options) {
  return make_described<RandomNormal>(options);
}
InitializerPtr random_uniform(RandomUniformOptions options) {
  return make_described<RandomUniform>(options);
}
InitializerPtr truncated_normal(TruncatedNormalOptions options) {
  return make_described<TruncatedNormal>(options);
}
InitializerPtr orthogonal(OrthogonalOptions options) {
  return make_described<Orthogonal>(options);
}
InitializerPtr zeros() {
  return make_described<Zeros>();
}
InitializerPtr ones() {
  return make_described<Ones>();
}
InitializerPtr constant(ConstantOptions options) {
  return make_described<Constant>(options);
}
InitializerPtr identity(IdentityOptions options) {
  return make_described<Identity>(options);
}

}  // namespace lamina
