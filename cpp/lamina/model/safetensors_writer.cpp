// Writing safetensors files. Apart from reading, which alone programs need that predict.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "lamina/core/config.h"
#include "lamina/core/error.h"
#include "lamina/model/model_file.h"
#include "lamina/model/safetensors_table.h"

namespace lamina::safetensors {
namespace {

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

// Where symbolic links lead, whether something is there or not.
std::string followed(std::string path) {
  constexpr int kMostLinks = 40;  // as Linux does
  for (int i = 0; i <= kMostLinks; ++i) {
    std::string target(4096, '\0');
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size < 0) return path;
    target.resize(static_cast<std::size_t>(size));
    const bool relative = target.empty() || target[0] != '/';
    path = relative ? path.substr(0, path.rfind('/') + 1) + target : target;
  }
  errno = ELOOP;
  throw_file(path, "be written");
}

// A new file beside the one at `path` that takes its place, and its mode, when it is complete; gone if it
// never is. Pipes and devices are written into.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path) : path_(std::move(path)) {
    check_path(path_);
    place_ = followed(path_);
    struct stat there = {};
    const bool exists = ::stat(place_.c_str(), &there) == 0;
    if (exists && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode)) {
      file_ = ::open(place_.c_str(), O_WRONLY | O_CLOEXEC);
    } else {
      static std::atomic<unsigned> counter{0};
      temporary_ = place_ + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
      file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (file_ < 0) throw_file(path_, "be written");
    if (exists && !temporary_.empty()) ::fchmod(file_, there.st_mode & 07777);  // as well as can be
  }
  ~AtomicFile() {
    if (file_ >= 0) ::close(file_);
    if (!done_ && !temporary_.empty()) ::unlink(temporary_.c_str());
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
    if (!temporary_.empty() && ::fsync(file_) != 0) throw_file(path_, "be written");
    const int file = file_;
    file_ = -1;
    if (::close(file) != 0) throw_file(path_, "be written");
    if (temporary_.empty()) return;
    if (::rename(temporary_.c_str(), place_.c_str()) != 0) throw_file(path_, "be written");
    done_ = true;
    const std::size_t slash = place_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : place_.substr(0, slash + 1);
    const int directory = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (directory < 0) return;  // the file is there; only its name may be lost with the power
    ::fsync(directory);
    ::close(directory);
  }

 private:
  std::string path_;       // as given
  std::string place_;      // where links lead
  std::string temporary_;  // empty where it is written into
  int file_ = -1;
  bool done_ = false;
};

}  // namespace

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
