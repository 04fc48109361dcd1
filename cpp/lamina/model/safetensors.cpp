#include "lamina/model/safetensors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "lamina/core/config.h"
#include "lamina/core/error.h"
#include "lamina/model/model_file.h"
#include "lamina/model/safetensors_table.h"

namespace lamina::safetensors {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little endian");

constexpr std::size_t kBlock = std::size_t{1} << 16U;

[[noreturn]] void throw_format(const std::string& path, const std::string& expected) {
  throw FormatError("File '" + path + "': expected " + expected + ".");
}

std::size_t bytes_of(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL" || dtype == "F8_E4M3" || dtype == "F8_E5M2") return 1;
  return 0;
}

std::uint64_t natural(const std::string& path, const Value& value) {
  const auto* number = std::get_if<std::int64_t>(&value.storage());
  if (number == nullptr || *number < 0)
    throw_format(path, "sizes and offsets that are natural numbers, got " + value.str());
  return static_cast<std::uint64_t>(*number);
}

Entry parse_entry(const std::string& path, const std::string& name, const Value& value,
                  std::uint64_t data_bytes) {
  const Config* fields = value.object();
  const Value* dtype = fields != nullptr ? fields->find("dtype") : nullptr;
  const Value* shape = fields != nullptr ? fields->find("shape") : nullptr;
  const Value* offsets = fields != nullptr ? fields->find("data_offsets") : nullptr;
  if (dtype == nullptr || dtype->text() == nullptr || shape == nullptr || shape->list() == nullptr ||
      offsets == nullptr || offsets->list() == nullptr || offsets->list()->size() != 2) {
    throw_format(path, "dtype, shape and data_offsets for the tensor '" + name + "'");
  }
  Entry entry{
      name, *dtype->text(), {}, natural(path, (*offsets->list())[0]), natural(path, (*offsets->list())[1])};
  std::uint64_t bytes = bytes_of(entry.dtype);
  if (bytes == 0)
    throw_format(path, "a known dtype for the tensor '" + name + "', got '" + entry.dtype + "'");
  for (const Value& extent : *shape->list()) {
    entry.shape.push_back(natural(path, extent));
    if (entry.shape.back() != 0 && bytes > data_bytes / entry.shape.back()) {
      throw_format(path, "the tensor '" + name + "' to fit the file");
    }
    bytes *= entry.shape.back();
  }
  if (entry.begin > entry.end || entry.end > data_bytes || entry.end - entry.begin != bytes) {
    throw_format(path, "offsets of the tensor '" + name + "' that fit its shape and the file");
  }
  return entry;
}

float bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

// As float32 bits the exponent is 112 too small: a product with 2^112 mends normal and subnormal numbers
// exactly; infinity and NaN get the exponent of all ones.
float float16(std::uint16_t bits) {
  const std::uint32_t shifted = (bits & 0x7FFFU) << 13U;
  const auto scaled = std::bit_cast<std::uint32_t>(std::bit_cast<float>(shifted) * 0x1p112F);
  const std::uint32_t size = shifted >= 0x0F800000U ? shifted | 0x7F800000U : scaled;
  return std::bit_cast<float>(size | (bits & 0x8000U) << 16U);
}

template <class Element, class Convert>
void convert(const std::vector<char>& block, std::span<float> values, Convert&& to_float) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Element element{};
    std::memcpy(&element, block.data() + i * sizeof element, sizeof element);
    values[i] = to_float(element);
  }
}

}  // namespace

void throw_file(const std::string& path, const char* action) {
  throw FileError("File '" + path + "': can't " + action + ": " + std::strerror(errno) + ".");
}

void check_path(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    throw FileError("File: expected a path without a NUL character, got one after '" +
                    path.substr(0, path.find('\0')) + "'.");
  }
}

void sort_entries(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
}

void add_table(Crc32& crc, const std::map<std::string, std::string>& metadata, const std::string& skip,
               const std::vector<Entry>& entries) {
  for (const auto& [key, value] : metadata) {
    if (key != skip) crc.add(key + "\n" + std::to_string(value.size()) + "\n" + value + "\n");
  }
  for (const Entry& entry : entries) {
    std::string line = entry.name + "\n" + entry.dtype;
    for (const std::size_t extent : entry.shape) line += " " + std::to_string(extent);
    crc.add(line + "\n" + std::to_string(entry.begin) + " " + std::to_string(entry.end) + "\n");
  }
}

std::string hexadecimal(std::uint32_t checksum) {
  static const char* const kDigits = "0123456789abcdef";
  std::string text(8, '0');
  for (std::size_t i = 8; i-- > 0; checksum >>= 4U) text[i] = kDigits[checksum & 15U];
  return text;
}

Reader::Reader(const std::string& path) : path_(path) {
  check_path(path);
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) throw_file(path, "be read");
  try {
    struct stat info{};
    if (::fstat(file_, &info) != 0) throw_file(path, "be read");
    if (!S_ISREG(info.st_mode))
      throw FileError("File '" + path + "': can't be read: it is not a regular file.");
    size_ = static_cast<std::uint64_t>(info.st_size);
    std::uint64_t header_bytes = 0;
    if (size_ < kLengthBytes)
      throw_format(path, "a safetensors file, got " + std::to_string(size_) + " bytes");
    read_bytes(0, &header_bytes, kLengthBytes);
    if (header_bytes > kMaxHeader || header_bytes > size_ - kLengthBytes) {
      throw_format(path, "a safetensors header of at most 4 MB within the file, got " +
                             std::to_string(header_bytes) + " bytes");
    }
    data_begin_ = kLengthBytes + header_bytes;
    std::string header(header_bytes, '\0');
    read_bytes(kLengthBytes, header.data(), header.size());
    parse(header);
  } catch (...) {
    ::close(file_);
    throw;
  }
}

Reader::~Reader() {
  ::close(file_);
}

void Reader::read_bytes(std::uint64_t offset, void* out, std::size_t bytes) const {
  auto* p = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t got = ::pread(file_, p, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_file(path_, "be read");
    if (got == 0) throw_format(path_, "a complete file, got one that became shorter");
    p += got;
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
}

void Reader::parse(const std::string& header) {
  Value root;
  try {
    root = from_json(header);
  } catch (const FormatError& error) {
    throw FormatError("File '" + path_ + "': in the header: " + error.what());
  }
  if (root.object() == nullptr || !root.object()->type.empty())
    throw_format(path_, "a safetensors header that is a JSON object");
  for (const auto& [name, value] : root.object()->fields) {
    if (name != "__metadata__") {
      entries_.push_back(parse_entry(path_, name, value, size_ - data_begin_));
      continue;
    }
    if (value.object() == nullptr) throw_format(path_, "metadata that is a JSON object");
    for (const auto& [key, text] : value.object()->fields) {
      if (text.text() == nullptr) throw_format(path_, "metadata that are texts");
      metadata_.emplace(key, *text.text());
    }
  }
  sort_entries(entries_);
  std::uint64_t position = 0;
  for (const Entry& entry : entries_) {
    if (entry.begin != position)
      throw_format(path_, "tensors without gaps and overlaps, got '" + entry.name + "' out of place");
    position = entry.end;
  }
  if (position != size_ - data_begin_) throw_format(path_, "a file that ends with its last tensor");
}

const Entry* Reader::find(const std::string& name) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

void Reader::read(const Entry& entry, std::span<float> values) const {
  const std::size_t bytes = bytes_of(entry.dtype);
  const bool floating =
      entry.dtype == "F16" || entry.dtype == "BF16" || entry.dtype == "F32" || entry.dtype == "F64";
  if (!floating || values.size() != (entry.end - entry.begin) / bytes) {
    throw_format(path_, "the tensor '" + entry.name + "' to hold " + std::to_string(values.size()) +
                            " floating-point numbers");
  }
  std::uint64_t offset = data_begin_ + entry.begin;
  if (entry.dtype == "F32") {
    read_bytes(offset, values.data(), values.size_bytes());
    return;
  }
  std::vector<char> block(std::min(kBlock, values.size() * bytes));
  const std::size_t per_block = block.size() / bytes;
  for (std::size_t first = 0; first < values.size(); first += per_block) {
    const std::size_t count = std::min(per_block, values.size() - first);
    read_bytes(offset + first * bytes, block.data(), count * bytes);
    const std::span<float> some = values.subspan(first, count);
    if (entry.dtype == "BF16") {
      convert<std::uint16_t>(block, some, bfloat16);
    } else if (entry.dtype == "F16") {
      convert<std::uint16_t>(block, some, float16);
    } else {
      convert<double>(block, some, [](double value) { return static_cast<float>(value); });
    }
  }
}

std::uint32_t Reader::checksum(const std::string& skip) const {
  Crc32 crc;
  add_table(crc, metadata_, skip, entries_);
  std::vector<char> block(kBlock);
  for (std::uint64_t offset = data_begin_; offset < size_; offset += block.size()) {
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), size_ - offset));
    read_bytes(offset, block.data(), count);
    crc.add(block.data(), count);
  }
  return crc.value();
}

}  // namespace lamina::safetensors
