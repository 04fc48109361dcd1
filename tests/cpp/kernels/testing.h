// What the tests of kernels share: errors in ulp, sweeps of the float32 range, and buffers with guards.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "lamina/kernels/dispatch.h"

namespace lamina::kernels::testing {

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// The tables of each instruction set.
inline std::vector<std::pair<const Table*, const TrainingTable*>> all_kernels() {
  std::vector<std::pair<const Table*, const TrainingTable*>> all;
  const std::vector<const TrainingTable*> training = available_training_tables();
  for (const Table* table : available_tables()) all.emplace_back(table, training[all.size()]);
  return all;
}

// The distance of neighbouring floats at |x| (at least that of denormals).
inline double ulp_at(double x) {
  if (std::isnan(x)) return 1.0;  // distance() says how far
  const double bounded = std::min(std::abs(x), static_cast<double>(std::numeric_limits<float>::max()));
  const int exponent = bounded < std::ldexp(1.0, -126) ? -126 : std::ilogb(bounded);
  return std::ldexp(1.0, exponent - 23);
}

// |got - want| where infinity and NaN must match; a result that rounds to infinity counts as 2^128.
inline double distance(float got, double want) {
  const double top = std::ldexp(1.0, 128);
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got) ? 0.0 : HUGE_VAL;
  const auto bounded = [&](double v) { return std::clamp(v, -top, top); };
  return std::abs(bounded(static_cast<double>(got)) - bounded(want));
}

inline double ulp_error(float got, double want) {
  return distance(got, want) / ulp_at(want);
}

inline float from_bits(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// Every 4099th bit pattern (so every exponent, both signs, NaNs), and special values.
inline const std::vector<float>& all_floats() {
  static const std::vector<float> values = [] {
    std::vector<float> v = {
        0.0F, -0.0F, 1.0F, -1.0F, kInf, -kInf, kNan, from_bits(1), from_bits(0x80000001U)};
    for (float x : {3.40282347e38F, 1.17549435e-38F, 0.5F, 2.0F, 3.0F, 6.0F, 0.625F, 0.95F, 1.4142135F,
                    88.72283F, 88.72284F, 87.33654F, 103.97208F, 104.0F, 0.34657359F, 1.6777216e7F}) {
      for (float y : {x, std::nextafter(x, kInf), std::nextafter(x, 0.0F)}) {
        v.push_back(y);
        v.push_back(-y);
      }
    }
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 4099) {
      v.push_back(from_bits(static_cast<std::uint32_t>(bits)));
    }
    return v;
  }();
  return values;
}

// 0, 1, primes, and the widths of vectors (4, 8, 16) and of blocks, +- 1.
inline const std::vector<std::size_t>& sizes() {
  static const std::vector<std::size_t> values = {0,  1,  2,  3,  4,  5,  7,  8,  9,   13,  15,  16, 17,
                                                  31, 32, 33, 47, 63, 64, 65, 97, 127, 128, 129, 251};
  return values;
}

// A small deterministic generator (splitmix64), so that tests don't rest on the library's own.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // In [-scale, scale).
  float uniform(float scale = 1.0F) { return scale * (static_cast<float>(next() >> 40) * 0x1p-23F - 1.0F); }
  std::vector<float> floats(std::size_t n, float scale = 1.0F) {
    std::vector<float> v(n);
    for (float& x : v) x = uniform(scale);
    return v;
  }

 private:
  std::uint64_t state_;
};

// n elements between guards; intact() tells whether anything outside was written. The data start off any
// alignment.
template <class T = float>
class Guarded {
 public:
  explicit Guarded(std::size_t n, T fill = T{}) : n_(n), all_(n + 2 * kGuard, guard()) {
    std::fill_n(data(), n, fill);
  }
  explicit Guarded(const std::vector<T>& values) : Guarded(values.size()) {
    std::copy(values.begin(), values.end(), data());
  }
  T* data() { return all_.data() + kGuard; }
  const T* data() const { return all_.data() + kGuard; }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }
  std::size_t size() const { return n_; }
  bool intact() const {
    const auto is_guard = [](const T& x) { return x == guard(); };
    const auto begin = all_.begin();
    const auto end_of_data = begin + static_cast<std::ptrdiff_t>(kGuard + n_);
    return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(kGuard), is_guard) &&
           std::all_of(end_of_data, all_.end(), is_guard);
  }

 private:
  static constexpr std::size_t kGuard = 33;
  static T guard() { return static_cast<T>(77); }
  std::size_t n_;
  std::vector<T> all_;
};

inline bool same_bits(const float* a, const float* b, std::size_t n) {
  return n == 0 || std::memcmp(a, b, n * sizeof(float)) == 0;
}

}  // namespace lamina::kernels::testing
