// CRC-32 (ISO 3309, as in zip and PNG: reflected polynomial 0xEDB88320).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lamina {

class Crc32 {
 public:
  void add(const void* bytes, std::size_t count);
  void add(std::string_view text) { add(text.data(), text.size()); }
  std::uint32_t value() const { return ~state_; }

 private:
  std::uint32_t state_ = 0xFFFFFFFFU;
};

}  // namespace lamina
