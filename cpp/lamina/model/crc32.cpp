#include "lamina/model/crc32.h"

#include <array>

namespace lamina {
namespace {

// Slicing by eight (Kounavis and Berry, 2005): table k advances a byte by k more zero bytes, so that eight
// bytes cost eight look-ups that don't wait for each other.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t crc = tables[k - 1][byte];
      tables[k][byte] = (crc >> 8U) ^ tables[0][crc & 0xFFU];
    }
  }
  return tables;
}

}  // namespace

void Crc32::add(const void* bytes, std::size_t count) {
  static const Tables kTables = make_tables();  // 8 KB that no program need carry
  const auto* p = static_cast<const unsigned char*>(bytes);
  std::uint32_t crc = state_;
  for (; count >= 8; count -= 8, p += 8) {
    const std::uint32_t low = crc ^ (std::uint32_t{p[0]} | std::uint32_t{p[1]} << 8U |
                                     std::uint32_t{p[2]} << 16U | std::uint32_t{p[3]} << 24U);
    crc = kTables[7][low & 0xFFU] ^ kTables[6][(low >> 8U) & 0xFFU] ^ kTables[5][(low >> 16U) & 0xFFU] ^
          kTables[4][low >> 24U] ^ kTables[3][p[4]] ^ kTables[2][p[5]] ^ kTables[1][p[6]] ^ kTables[0][p[7]];
  }
  for (; count > 0; --count, ++p) crc = (crc >> 8U) ^ kTables[0][(crc ^ *p) & 0xFFU];
  state_ = crc;
}

}  // namespace lamina
