// What reading and writing safetensors files share.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lamina/model/crc32.h"
#include "lamina/model/safetensors.h"

namespace lamina::safetensors {

inline constexpr std::uint64_t kMaxHeader = 4U << 20U;
inline constexpr std::size_t kLengthBytes = 8;

// A FileError with what errno says.
[[noreturn]] void throw_file(const std::string& path, const char* action);
// FileError for a path with a NUL: the system would take it for the shorter one before that.
void check_path(const std::string& path);
// The order in which readers see tensors: by offset; empty ones, which share theirs, by name.
void sort_entries(std::vector<Entry>& entries);
// Adds what the checksum covers besides the data, independent of how the JSON is written.
void add_table(Crc32& crc, const std::map<std::string, std::string>& metadata, const std::string& skip,
               const std::vector<Entry>& entries);

}  // namespace lamina::safetensors
