#include "lamina/model/safetensors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

#include "lamina/core/config.h"
#include "lamina/core/error.h"
#include "lamina/kernels/dispatch.h"
#include "lamina/model/crc32.h"
#include "lamina/model/model_file.h"

namespace lamina::safetensors {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little endian");

constexpr std::uint64_t kMaxHeader = 4U << 20U;
constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kBlock = std::size_t{1} << 16U;

[[noreturn]] void throw_format(const std::string& path, const std::string& expected) {
  throw FormatError("File '" + path + "': expected " + expected + ".");
}

[[noreturn]] void throw_file(const std::string& path, const char* action) {
  throw FileError("File '" + path + "': can't " + action + ": " + std::strerror(errno) + ".");
}

// The system would take such a path for the shorter one before the NUL.
void check_path(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    throw FileError("File: expected a path without a NUL character, got one after '" +
                    path.substr(0, path.find('\0')) + "'.");
  }
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

// The order in which readers see tensors: by offset; empty ones, which share theirs, by name.
void sort_entries(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
}

// What the checksum covers besides the data, independent of how the JSON is written.
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

std::string header_text(const std::map<std::string, std::string>& metadata,
                        const std::vector<Entry>& entries) {
  Config header{"", {}};
  Config pairs{"", {}};
  for (const auto& [key, value] : metadata) pairs.fields.emplace_back(key, value);
  header.fields.emplace_back("__metadata__", std::move(pairs));
  for (const Entry& entry : entries) {
    Value::List shape;
    for (const std::size_t extent : entry.shape) shape.emplace_back(static_cast<std::int64_t>(extent));
    const Value::List offsets{static_cast<std::int64_t>(entry.begin), static_cast<std::int64_t>(entry.end)};
    header.fields.emplace_back(
        entry.name, Config{"", {{"dtype", entry.dtype}, {"shape", shape}, {"data_offsets", offsets}}});
  }
  std::string text = to_json(Value(std::move(header)));
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes,
              ' ');  // the data stay 8-byte aligned
  return text;
}

// A new file beside `path` that takes its place when it is complete; gone if it never is.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path) : path_(std::move(path)) {
    check_path(path_);
    static std::atomic<unsigned> counter{0};
    temporary_ = path_ + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0) throw_file(path_, "be written");
  }
  ~AtomicFile() {
    if (file_ >= 0) ::close(file_);
    if (!done_) ::unlink(temporary_.c_str());
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, std::size_t count) {
    const auto* p = static_cast<const char*>(bytes);
    while (count > 0) {
      const ssize_t written = ::write(file_, p, count);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_file(path_, "be written");
      p += written;
      count -= static_cast<std::size_t>(written);
    }
  }

  void commit() {
    if (::fsync(file_) != 0) throw_file(path_, "be written");
    const int file = file_;
    file_ = -1;
    if (::close(file) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0)
      throw_file(path_, "be written");
    done_ = true;
    const std::size_t slash = path_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    const int directory = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (directory < 0) return;  // the file is there; only its name may be lost with the power
    ::fsync(directory);
    ::close(directory);
  }

 private:
  std::string path_, temporary_;
  int file_ = -1;
  bool done_ = false;
};

}  // namespace

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
    if (entry.dtype == "BF16") {
      for (std::size_t i = 0; i < count; ++i) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, block.data() + i * sizeof bits, sizeof bits);
        values[first + i] = bfloat16(bits);
      }
    } else {
      const auto type = entry.dtype == "F16" ? kernels::ElementType::f16 : kernels::ElementType::f64;
      kernels::table().convert(type, block.data(), values.data() + first, count);
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

void write(const std::string& path, std::map<std::string, std::string> metadata,
           const std::vector<Tensor>& tensors, const std::string& checksum_key) {
  std::vector<Entry> entries;
  std::uint64_t position = 0;
  for (const Tensor& tensor : tensors) {
    const std::uint64_t end = position + tensor.values.size_bytes();
    entries.push_back({tensor.name, "F32", {tensor.shape.begin(), tensor.shape.end()}, position, end});
    position = end;
  }
  sort_entries(entries);
  if (!checksum_key.empty()) {
    Crc32 crc;
    add_table(crc, metadata, checksum_key, entries);
    for (const Tensor& tensor : tensors) crc.add(tensor.values.data(), tensor.values.size_bytes());
    metadata[checksum_key] = hexadecimal(crc.value());
  }
  const std::string header = header_text(metadata, entries);
  if (header.size() > kMaxHeader) {
    throw ArgumentError("File '" + path + "': expected a header of at most 4 MB, got " +
                        std::to_string(header.size()) + " bytes.");
  }
  const std::uint64_t header_bytes = header.size();
  AtomicFile file(path);
  file.write(&header_bytes, kLengthBytes);
  file.write(header.data(), header.size());
  for (const Tensor& tensor : tensors) file.write(tensor.values.data(), tensor.values.size_bytes());
  file.commit();
}

}  // namespace lamina::safetensors
