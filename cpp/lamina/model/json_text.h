// What the reader and the writer of JSON share: bounds, UTF-8, and keys that must differ.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lamina/core/config.h"

namespace lamina::json {

inline constexpr std::size_t kMaxDepth = 32;
inline constexpr std::size_t kMaxValues = 50000;  // bounds what a small hostile file can make us allocate

// Bytes of the UTF-8 sequence that `text` begins with, or 0 where it begins with none. Overlong forms, halves
// of surrogate pairs and what lies beyond U+10FFFF are none.
inline std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  if (text.empty()) return 0;
  if (byte(0) < 0x80) return 1;
  const std::size_t length = byte(0) < 0xC0   ? 0
                             : byte(0) < 0xE0 ? 2
                             : byte(0) < 0xF0 ? 3
                             : byte(0) < 0xF8 ? 4
                                              : 0;
  if (length == 0 || text.size() < length) return 0;
  std::uint32_t code = byte(0) & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t kLeast[] = {0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code >= kLeast[length - 2] && code <= 0x10FFFF && !surrogate ? length : 0;
}

// A key that stands twice, or null.
inline const std::string* repeated_key(const std::vector<std::pair<std::string, Value>>& fields) {
  std::vector<const std::string*> keys;
  keys.reserve(fields.size());
  for (const auto& field : fields) keys.push_back(&field.first);
  std::sort(keys.begin(), keys.end(), [](const auto* a, const auto* b) { return *a < *b; });
  const auto twice =
      std::adjacent_find(keys.begin(), keys.end(), [](const auto* a, const auto* b) { return *a == *b; });
  return twice == keys.end() ? nullptr : *twice;
}

}  // namespace lamina::json
