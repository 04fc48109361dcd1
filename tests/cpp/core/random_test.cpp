#include "lamina/core/random.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <vector>

namespace lamina {
namespace {

using Block = std::array<std::uint32_t, 4>;

TEST_CASE("philox4x32 gives the known answers of Random123") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream draws the blocks of its key, one after another") {
  RandomStream stream(7, RandomUse::weights, 3, 11);
  const auto low = static_cast<std::uint32_t>(stream.key());
  const auto high = static_cast<std::uint32_t>(stream.key() >> 32);
  for (std::uint32_t i = 0; i < 3; ++i) {
    for (const std::uint32_t word : philox4x32({i, 0, 1, 0}, {low, high})) CHECK(stream.next_u32() == word);
  }
}

TEST_CASE("streams differ by seed, use, a and b, in all their bits") {
  std::set<std::uint64_t> keys;
  std::size_t count = 0;
  const std::uint64_t high = std::uint64_t{1} << 32;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, high}) {
    for (const RandomUse use : {RandomUse::weights, RandomUse::layer, RandomUse::shuffle}) {
      for (const std::uint64_t a : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, high}) {
        for (const std::uint64_t b : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, high}) {
          keys.insert(RandomStream(seed, use, a, b).key());
          ++count;
        }
      }
    }
  }
  CHECK(keys.size() == count);
  CHECK(RandomStream(5, RandomUse::layer, 1, 2).key() == RandomStream(5, RandomUse::layer, 1, 2).key());
}

TEST_CASE("uniform numbers fill [0, 1) evenly") {
  RandomStream stream(1, RandomUse::weights, 0);
  constexpr int kDraws = 100000, kBins = 20;
  std::vector<int> bins(kBins);
  for (int i = 0; i < kDraws; ++i) {
    const double u = stream.next_uniform();
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    ++bins[static_cast<std::size_t>(u * kBins)];
  }
  double chi_squared = 0;
  for (const int bin : bins) chi_squared += std::pow(bin - kDraws / kBins, 2) / (kDraws / kBins);
  CHECK(chi_squared < 43.8);  // 99.9 % of chi^2 with 19 degrees of freedom
}

TEST_CASE("normal numbers have the moments of a normal distribution") {
  RandomStream stream(2, RandomUse::weights, 0);
  constexpr int kDraws = 100000;
  double sum = 0, squares = 0, fourth = 0, neighbours = 0, before = 0;
  int beyond_two = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = stream.next_normal();
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
    neighbours += x * before;
    before = x;
    beyond_two += std::abs(x) > 2.0 ? 1 : 0;
  }
  // Four standard errors: those of the moments 1, 2, 4 are sqrt(1, 2, 96) / sqrt(draws).
  const double error = 4.0 / std::sqrt(kDraws);
  CHECK(std::abs(sum / kDraws) < error);
  CHECK(std::abs(squares / kDraws - 1.0) < error * std::sqrt(2.0));
  CHECK(std::abs(fourth / kDraws - 3.0) < error * std::sqrt(96.0));
  CHECK(std::abs(neighbours / kDraws) < error);
  CHECK(std::abs(beyond_two / static_cast<double>(kDraws) - 0.0455) < error * std::sqrt(0.0455 * 0.9545));
}

TEST_CASE("next_below is in range, reaches all, and favours none") {
  RandomStream stream(3, RandomUse::shuffle, 0);
  for (int i = 0; i < 100; ++i) CHECK(stream.next_below(1) == 0);
  std::vector<int> counts(7);
  constexpr int kDraws = 70000;
  for (int i = 0; i < kDraws; ++i) ++counts.at(stream.next_below(7));
  for (const int count : counts) CHECK(std::abs(count - 10000) < 4 * std::sqrt(10000.0 * 6 / 7));

  // Without redrawing, a bound of 3 * 2^30 would give every third number twice as often as the rest.
  const std::uint64_t bound = 3 * (std::uint64_t{1} << 30);
  int multiples = 0;
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t x = stream.next_below(bound);
    REQUIRE(x < bound);
    multiples += x % 3 == 0 ? 1 : 0;
  }
  CHECK(std::abs(multiples - kDraws / 3.0) < 4 * std::sqrt(kDraws * 2.0 / 9));

  // The same beyond 32 bits: the lower half would come up two times in three.
  const std::uint64_t large = 3 * (std::uint64_t{1} << 62);
  int lower = 0;
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t x = stream.next_below(large);
    REQUIRE(x < large);
    lower += x < large / 2 ? 1 : 0;
  }
  CHECK(std::abs(lower - kDraws / 2.0) < 4 * std::sqrt(kDraws / 4.0));
}

TEST_CASE("entropy seeds differ and are whole numbers of 63 bits") {
  std::set<std::uint64_t> seeds;
  for (int i = 0; i < 10; ++i) seeds.insert(entropy_seed());
  CHECK(seeds.size() == 10);
  CHECK(*seeds.rbegin() < (std::uint64_t{1} << 63));
}

}  // namespace
}  // namespace lamina
