// The safetensors container: a table of named tensors behind a JSON header. Knows nothing of models.
//
// Reading trusts nothing: header at most 4 MB, offsets inside the file, without gaps and overlaps, sizes as
// shapes say.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "lamina/core/tensor.h"

namespace lamina::safetensors {

// A tensor as the header describes it.
struct Entry {
  std::string name;
  std::string dtype;  // "F32", "BF16", ...
  std::vector<std::size_t> shape;
  std::uint64_t begin = 0;  // within the data
  std::uint64_t end = 0;
};

// A file that is open for reading.
class Reader {
 public:
  // FileError when the file can't be read, FormatError when it is no safetensors file.
  explicit Reader(const std::string& path);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::vector<Entry>& entries() const { return entries_; }  // by offset
  const Entry* find(const std::string& name) const;
  // Reads a tensor as float32; FormatError unless its dtype is F16, BF16, F32 or F64.
  void read(const Entry& entry, std::span<float> values) const;
  // CRC-32 over metadata (without `skip`), tensor table and data.
  std::uint32_t checksum(const std::string& skip) const;
  std::string describe() const { return "'" + path_ + "'"; }

 private:
  void read_bytes(std::uint64_t offset, void* out, std::size_t bytes) const;
  void parse(const std::string& header);

  std::string path_;
  int file_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t data_begin_ = 0;
  std::map<std::string, std::string> metadata_;
  std::vector<Entry> entries_;
};

// A float32 tensor to write.
struct Tensor {
  std::string name;
  Shape shape;
  std::span<const float> values;
};

// Writes a file: temporary file, fsync, rename, fsync of the folder. FileError leaves what was there before.
// `checksum_key` receives the checksum as eight hexadecimal digits; "" for none.
void write(const std::string& path, std::map<std::string, std::string> metadata,
           const std::vector<Tensor>& tensors, const std::string& checksum_key);

// "1a2b3c4d"
std::string hexadecimal(std::uint32_t checksum);

}  // namespace lamina::safetensors
