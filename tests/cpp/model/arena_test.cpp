#include "lamina/model/arena.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using lamina::ArenaItem;
using lamina::lay_out;

namespace {

bool overlap(const ArenaItem& a, const ArenaItem& b) {
  return a.floats > 0 && b.floats > 0 && a.offset < b.offset + b.floats && b.offset < a.offset + a.floats;
}
bool alive_together(const ArenaItem& a, const ArenaItem& b) {
  return a.first <= b.last && b.first <= a.last;
}

// The most floats that are alive at one time: no layout needs less.
std::size_t lower_bound(const std::vector<ArenaItem>& items) {
  std::size_t most = 0;
  for (const ArenaItem& item : items) {
    std::size_t alive = 0;
    for (const ArenaItem& other : items) {
      if (other.first <= item.first && item.first <= other.last) alive += other.floats;
    }
    most = std::max(most, alive);
  }
  return most;
}

void check_layout(const std::vector<ArenaItem>& items, std::size_t total) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    REQUIRE(items[i].offset % 16 == 0);
    REQUIRE(items[i].offset + items[i].floats <= total);
    for (std::size_t j = 0; j < i; ++j) {
      if (alive_together(items[i], items[j])) REQUIRE_FALSE(overlap(items[i], items[j]));
    }
  }
}

}  // namespace

TEST_CASE("tensors that are never alive together share memory") {
  // A chain: each tensor lives until the next one is written.
  std::vector<ArenaItem> items;
  for (std::size_t i = 0; i < 10; ++i) items.push_back({100, i, i + 1, 0});
  const std::size_t total = lay_out(items);
  check_layout(items, total);
  CHECK(total == 2 * 112);
}

TEST_CASE("lifetimes that meet in one step don't share") {
  std::vector<ArenaItem> items = {{16, 0, 3, 0}, {16, 3, 5, 0}, {16, 6, 7, 0}};
  CHECK(lay_out(items) == 32);
  CHECK(items[0].offset != items[1].offset);
  CHECK(items[2].offset == 0);
}

TEST_CASE("a gap between two tensors is used") {
  // The two large ones leave room for the small one only after the first died.
  std::vector<ArenaItem> items = {{64, 0, 1, 0}, {64, 0, 9, 0}, {32, 2, 9, 0}, {32, 2, 9, 0}};
  CHECK(lay_out(items) == 128);
}

TEST_CASE("nothing, and tensors of no size, need nothing") {
  std::vector<ArenaItem> none;
  CHECK(lay_out(none) == 0);
  std::vector<ArenaItem> empty = {{0, 0, 5, 0}, {0, 2, 3, 0}};
  CHECK(lay_out(empty) == 0);
}

TEST_CASE("random lifetimes: no overlap, and little more than what is alive at once") {
  std::mt19937 generator(5);
  const auto draw = [&](std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>(low, high)(generator);
  };
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<ArenaItem> items(draw(1, 40));
    for (ArenaItem& item : items) {
      item.floats = draw(0, 4) == 0 ? draw(0, 3) : 16 * draw(1, 60);
      item.first = draw(0, 30);
      item.last = item.first + draw(0, 8);
    }
    const std::size_t total = lay_out(items);
    check_layout(items, total);
    std::vector<ArenaItem> rounded = items;
    for (ArenaItem& item : rounded) item.floats = (item.floats + 15) / 16 * 16;
    const std::size_t least = lower_bound(rounded);
    REQUIRE(total >= least);
    REQUIRE(total <= 2 * least);
  }
}
