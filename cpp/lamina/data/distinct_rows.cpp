#include "lamina/data/distinct_rows.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace lamina {
namespace {

// Below 0, 0 or above, as row a comes before row b, equals it or comes after it.
int compare(std::span<const RowBytes> tables, std::size_t a, std::size_t b) {
  for (const RowBytes& table : tables) {
    if (table.bytes == 0) continue;  // and perhaps no data
    const auto* data = static_cast<const unsigned char*>(table.data);
    const int order = std::memcmp(data + a * table.bytes, data + b * table.bytes, table.bytes);
    if (order != 0) return order;
  }
  return 0;
}

// The first bytes of a row as a number, which tells most rows apart.
std::uint64_t key_of(const RowBytes& table, std::size_t row) {
  const auto* data = static_cast<const unsigned char*>(table.data) + row * table.bytes;
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < sizeof key; ++i) key = key << 8 | (i < table.bytes ? data[i] : 0U);
  return key;
}

}  // namespace

DistinctRows distinct_rows(std::span<const RowBytes> tables, std::size_t count,
                           std::span<const float> weights) {
  struct Keyed {
    std::uint64_t key;
    std::size_t row;
  };
  std::vector<Keyed> order(count);
  for (std::size_t row = 0; row < count; ++row)
    order[row] = {tables.empty() ? 0 : key_of(tables[0], row), row};
  std::sort(order.begin(), order.end(), [&](const Keyed& a, const Keyed& b) {
    if (a.key != b.key) return a.key < b.key;
    const int difference = compare(tables, a.row, b.row);
    return difference != 0 ? difference < 0 : a.row < b.row;
  });

  DistinctRows result;
  bool all_one = true;
  for (std::size_t begin = 0; begin < count;) {
    const std::size_t first = order[begin].row;
    double weight = 0;
    std::size_t end = begin;
    do {
      weight += weights.empty() ? 1.0 : static_cast<double>(weights[order[end].row]);
      ++end;
    } while (end < count && order[end].key == order[begin].key &&
             compare(tables, first, order[end].row) == 0);
    result.rows.push_back(first);
    result.weights.push_back(static_cast<float>(weight));
    all_one = all_one && weight == 1.0;
    begin = end;
  }
  if (all_one) result.weights.clear();
  return result;
}

}  // namespace lamina
