#include "lamina/core/random.h"

#include <unistd.h>

#include <cmath>
#include <stdexcept>

namespace lamina {

namespace {

std::uint32_t low_word(std::uint64_t x) {
  return static_cast<std::uint32_t>(x);
}
std::uint32_t high_word(std::uint64_t x) {
  return static_cast<std::uint32_t>(x >> 32);
}
std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

// Philox of (use, a, b) under the seed. That is more than one counter holds, so it takes two blocks: the
// first gives the key of the second.
std::uint64_t stream_key(std::uint64_t seed, RandomUse use, std::uint64_t a, std::uint64_t b) {
  const auto first = philox4x32({static_cast<std::uint32_t>(use), low_word(a), high_word(a), 0},
                                {low_word(seed), high_word(seed)});
  const auto second = philox4x32({low_word(b), high_word(b), first[2], first[3]}, {first[0], first[1]});
  return join(second[0], second[1]);
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
  constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9;  // the golden ratio
  constexpr std::uint32_t kWeyl1 = 0xBB67AE85;  // sqrt(3) - 1
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {high_word(product1) ^ counter[1] ^ key[0], low_word(product1),
               high_word(product0) ^ counter[3] ^ key[1], low_word(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

RandomStream::RandomStream(std::uint64_t seed, RandomUse use, std::uint64_t a, std::uint64_t b)
    : key_(stream_key(seed, use, a, b)) {}

std::uint32_t RandomStream::next_u32() {
  if (used_ == block_.size()) {
    // The third word sets these blocks apart from those that the kernels draw under the same key.
    block_ = philox4x32({low_word(counter_), high_word(counter_), 1, 0}, {low_word(key_), high_word(key_)});
    ++counter_;
    used_ = 0;
  }
  return block_[used_++];
}

std::uint64_t RandomStream::next_u64() {
  const std::uint32_t low = next_u32();
  return join(low, next_u32());
}

double RandomStream::next_uniform() {
  return static_cast<double>(next_u64() >> 11) * 0x1p-53;
}

// Box-Muller: two uniforms give two independent normals; the second is kept for the next call.
double RandomStream::next_normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  constexpr double kTwoPi = 6.283185307179586476925;
  const double radius = std::sqrt(-2.0 * std::log(1.0 - next_uniform()));  // 1 - u is in (0, 1]
  const double angle = kTwoPi * next_uniform();
  spare_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

std::uint64_t RandomStream::next_below(std::uint64_t bound) {
  constexpr std::uint64_t kWord = std::uint64_t{1} << 32;
  if (bound < kWord) {
    // Lemire's multiplication: the high word of x * bound, redrawn where the low word falls into the
    // 2^32 mod bound values that would come up once too often.
    std::uint64_t product = next_u32() * bound;
    if (low_word(product) < bound) {
      const std::uint64_t surplus = (kWord - bound) % bound;
      while (low_word(product) < surplus) product = next_u32() * bound;
    }
    return high_word(product);
  }
  const std::uint64_t surplus = (0 - bound) % bound;  // 2^64 mod bound
  std::uint64_t word = next_u64();
  while (word < surplus) word = next_u64();
  return word % bound;
}

std::uint64_t entropy_seed() {
  std::uint64_t words = 0;
  if (getentropy(&words, sizeof words) != 0) throw std::runtime_error("The system has no random numbers.");
  return words >> 1;  // 63 bits: also a whole number in the model file and in Python
}

}  // namespace lamina
