// Random numbers: Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw: "Parallel Random
// Numbers: As Easy as 1, 2, 3", SC 2011). A number depends on its key and its counter alone, never on threads
// or on how many were drawn before.
#pragma once

#include <array>
#include <cstdint>

namespace lamina {

// One block: four 32-bit words for a counter and a key.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

// What a random number is for; it stands in the key, so that no two uses share a stream.
enum class RandomUse : std::uint32_t { weights = 1, layer = 2, shuffle = 3 };

// A stream of random numbers keyed by (seed, use, a, b): for a layer in a training step a is the node and b
// the step; for weights a is the parameter; for shuffles a is the epoch.
//
// The key is Philox of (use, a, b) under the seed, so streams of neighbouring steps are unrelated. Block i of
// the stream has the counter (i low, i high, 1, 0); kernels that draw under the same key leave the last two
// words 0, so the two never meet.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, RandomUse use, std::uint64_t a, std::uint64_t b = 0);

  std::uint64_t key() const { return key_; }  // for the kernels, which count on their own

  std::uint32_t next_u32();
  std::uint64_t next_u64();
  double next_uniform();                          // in [0, 1), 53 bits
  double next_normal();                           // mean 0, deviation 1 (Box-Muller)
  std::uint64_t next_below(std::uint64_t bound);  // in [0, bound), without bias; bound >= 1

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
  std::array<std::uint32_t, 4> block_{};
  unsigned used_ = 4;
  bool has_spare_ = false;
  double spare_ = 0;
};

// A seed from the operating system's entropy.
std::uint64_t entropy_seed();

}  // namespace lamina
