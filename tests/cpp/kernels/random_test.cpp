// Philox4x32-10 against ten lines of scalar code and the known answers of Random123; dropout on it.
#include <array>

#include "testing.h"

namespace lamina::kernels::testing {
namespace {

using Block = std::array<std::uint32_t, 4>;

Block philox(Block c, std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k = {k[0] + 0x9E3779B9U, k[1] + 0xBB67AE85U};
  }
  return c;
}

std::uint32_t word_at(std::uint64_t key, std::uint64_t element) {
  const std::uint64_t counter = 16 * (element / 64) + element % 16;
  const Block block =
      philox({static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0},
             {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
  return block[element % 64 / 16];
}

TEST_CASE("the scalar Philox gives the known answers of Random123") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
        Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random words are those of the scalar code, at any size and start") {
  const std::uint64_t key = 0x299f31d0a4093822ULL;
  for (const TrainingTable* table : available_training_tables()) {
    for (std::uint64_t first : {std::uint64_t{0}, std::uint64_t{64}, std::uint64_t{1} << 34,
                                (std::uint64_t{1} << 34) - 64, std::uint64_t{1} << 63}) {
      for (std::size_t n : sizes()) {
        Guarded<std::uint32_t> y(n);
        table->random_words(y.data(), n, key, first);
        CHECK(y.intact());
        for (std::size_t i = 0; i < n; ++i) REQUIRE(y[i] == word_at(key, first + i));
      }
    }
  }
}

TEST_CASE("dropout keeps and scales by the words") {
  const std::uint64_t key = 12345;
  const std::uint32_t threshold = 0x60000000;
  Numbers numbers(7);
  for (const TrainingTable* table : available_training_tables()) {
    for (std::size_t n : sizes()) {
      Guarded<> x(numbers.floats(n));
      if (n > 3) x[3] = kInf;  // a dropped element is 0, even when it is infinite
      Guarded<> y(n);
      Guarded<> total(n, 5.0F);
      table->dropout(x.data(), y.data(), n, key, 128, threshold, 1.6F, false);
      table->dropout(x.data(), total.data(), n, key, 128, threshold, 1.6F, true);
      CHECK((y.intact() && total.intact()));
      for (std::size_t i = 0; i < n; ++i) {
        const float want = word_at(key, 128 + i) >= threshold ? 1.6F * x[i] : 0.0F;
        REQUIRE(y[i] == want);
        REQUIRE(total[i] == want + 5.0F);
      }
      table->dropout(x.data(), x.data(), n, key, 128, threshold, 1.6F, false);
      CHECK(same_bits(x.data(), y.data(), n));
      CHECK(x.intact());
    }
  }
}

}  // namespace
}  // namespace lamina::kernels::testing
