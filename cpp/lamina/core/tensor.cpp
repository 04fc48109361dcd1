#include "lamina/core/tensor.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstdint>
#include <cstring>
#include <limits>
#include <new>

#include "lamina/core/error.h"

namespace lamina {
namespace {

struct DTypeInfo {
  std::size_t bytes;
  const char* name;
};

constexpr std::array<DTypeInfo, 12> kDTypes = {{{1, "bool"},
                                                {1, "uint8"},
                                                {1, "int8"},
                                                {2, "uint16"},
                                                {2, "int16"},
                                                {4, "uint32"},
                                                {4, "int32"},
                                                {8, "uint64"},
                                                {8, "int64"},
                                                {2, "float16"},
                                                {4, "float32"},
                                                {8, "float64"}}};

constexpr std::align_val_t kAlignment{64};
constexpr std::size_t kHugeBytes = std::size_t{4} << 20;

// Asks for pages of 2 MB where the memory is large enough for some: products of large matrices then miss
// fewer translations (3 to 6 % of a step of 25 million weights on a Zen 3 core). A refusal changes nothing.
void prefer_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr std::uintptr_t kPage = 4096;
  if (bytes < kHugeBytes) return;
  const std::uintptr_t skipped = (kPage - reinterpret_cast<std::uintptr_t>(memory) % kPage) % kPage;
  madvise(static_cast<char*>(memory) + skipped, bytes - skipped, MADV_HUGEPAGE);
#endif
}

std::string join(const Shape& shape, std::string text) {
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (text.back() != '(') text += ", ";
    text += std::to_string(shape[axis]);
  }
  return text;
}

}  // namespace

std::size_t size_of(DType dtype) {
  return kDTypes[static_cast<std::size_t>(dtype)].bytes;
}
const char* name_of(DType dtype) {
  return kDTypes[static_cast<std::size_t>(dtype)].name;
}
bool is_floating(DType dtype) {
  return dtype >= DType::f16;
}

Shape::Shape(std::span<const std::size_t> extents) : rank_(extents.size()) {
  if (extents.size() > kMaxRank) {
    throw ShapeError("Shape: expected at most " + std::to_string(kMaxRank) + " dimensions, got " +
                     std::to_string(extents.size()) + ".");
  }
  std::copy(extents.begin(), extents.end(), extents_.begin());
}

std::size_t Shape::elements() const {
  std::size_t product = 1;
  for (const std::size_t extent : *this) {
    if (extent != 0 && product > std::numeric_limits<std::size_t>::max() / sizeof(double) / extent) {
      throw ShapeError("Shape " + str() +
                       ": expected a number of elements that fits in memory, got too many.");
    }
    product *= extent;
  }
  return product;
}

Shape Shape::with_batch(std::size_t rows) const {
  if (rank_ == kMaxRank)
    throw ShapeError("Shape " + str() + ": expected room for a batch dimension, got none.");
  Shape result;
  result.rank_ = rank_ + 1;
  result.extents_[0] = rows;
  std::copy(begin(), end(), result.extents_.begin() + 1);
  return result;
}

Shape Shape::without_batch() const {
  return rank_ == 0 ? Shape{} : Shape(std::span(extents_.data() + 1, rank_ - 1));
}

std::string Shape::str() const {
  return join(*this, "(") + (rank_ == 1 ? ",)" : ")");
}

std::string Shape::str_with_batch() const {
  return join(*this, "(batch") + (rank_ == 0 ? ",)" : ")");
}

void ArrayView::check_elements(std::size_t count) const {
  if (shape.elements() == count) return;
  throw ShapeError("Array: expected " + std::to_string(shape.elements()) + " numbers for the shape " +
                   shape.str() + ", got " + std::to_string(count) + ".");
}

void ArrayView::check_inner_stride(std::ptrdiff_t elements) {
  if (elements == 1) return;
  throw ShapeError("Array: expected rows whose numbers lie one after the other, got numbers " +
                   std::to_string(elements) + " apart.");
}

Buffer::Buffer(std::size_t elements) : size_(elements) {
  if (elements == 0) return;
  if (elements > std::numeric_limits<std::size_t>::max() / sizeof(float) / 2) throw std::bad_alloc();
  memory_.reset(static_cast<float*>(::operator new(elements * sizeof(float), kAlignment)));
  prefer_huge_pages(memory_.get(), elements * sizeof(float));
  std::memset(memory_.get(), 0, elements * sizeof(float));
}

void Buffer::Free::operator()(float* memory) const {
  ::operator delete(memory, kAlignment);
}

Buffer Buffer::clone() const {
  Buffer copy(size_);
  if (size_ != 0) std::memcpy(copy.data(), data(), size_ * sizeof(float));
  return copy;
}

}  // namespace lamina
