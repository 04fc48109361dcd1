#include "lamina/model/arena.h"

#include <algorithm>
#include <numeric>

namespace lamina {
namespace {

constexpr std::size_t kLine = 16;  // floats in a cache line

std::size_t round_up(std::size_t floats) {
  return (floats + kLine - 1) / kLine * kLine;
}

bool alive_together(const ArenaItem& a, const ArenaItem& b) {
  return a.first <= b.last && b.first <= a.last;
}

}  // namespace

std::size_t lay_out(std::vector<ArenaItem>& items) {
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return items[a].floats > items[b].floats; });
  std::size_t total = 0;
  std::vector<std::size_t> placed;
  std::vector<const ArenaItem*> conflicts;
  for (const std::size_t index : order) {
    ArenaItem& item = items[index];
    conflicts.clear();
    for (const std::size_t other : placed) {
      if (alive_together(items[other], item)) conflicts.push_back(&items[other]);
    }
    std::sort(conflicts.begin(), conflicts.end(),
              [](const ArenaItem* a, const ArenaItem* b) { return a->offset < b->offset; });
    const std::size_t size = round_up(item.floats);
    item.offset = 0;
    for (const ArenaItem* other : conflicts) {
      if (item.offset + size <= other->offset) break;
      item.offset = std::max(item.offset, other->offset + round_up(other->floats));
    }
    total = std::max(total, item.offset + size);
    placed.push_back(index);
  }
  return total;
}

}  // namespace lamina
