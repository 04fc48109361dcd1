#include "allocation.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define LAMINA_TEST_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LAMINA_TEST_SANITIZED
#endif

#if defined(__GLIBC__) && !defined(LAMINA_TEST_SANITIZED)
#define LAMINA_TEST_COUNTS
#endif

namespace lamina::test {
namespace {

std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> live_bytes{0};
std::atomic<std::size_t> peak{0};
std::atomic<void*> aligned_block{nullptr};
std::atomic<std::size_t> aligned_bytes{0};

}  // namespace

bool counts_allocations() {
#ifdef LAMINA_TEST_COUNTS
  return true;
#else
  return false;
#endif
}

AllocationCount::AllocationCount() : count_before_(allocations), live_before_(live_bytes) {
  peak = live_before_;
}
std::size_t AllocationCount::count() const {
  return allocations - count_before_;
}
std::size_t AllocationCount::peak_bytes() const {
  return peak - live_before_;
}

Block last_aligned_block() {
  return {static_cast<float*>(aligned_block.load()), aligned_bytes / sizeof(float)};
}

}  // namespace lamina::test

#ifdef LAMINA_TEST_COUNTS

#include <malloc.h>

// glibc's own functions, under the names that stay when a program replaces malloc.
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
void __libc_free(void* block);
}

namespace {

using lamina::test::aligned_block;
using lamina::test::aligned_bytes;
using lamina::test::allocations;
using lamina::test::live_bytes;
using lamina::test::peak;

void* counted(void* block) {
  if (block == nullptr) return block;
  ++allocations;
  const std::size_t live = live_bytes += malloc_usable_size(block);
  std::size_t highest = peak;
  while (live > highest && !peak.compare_exchange_weak(highest, live)) {
  }
  return block;
}

void forget(void* block) {
  if (block != nullptr) live_bytes -= malloc_usable_size(block);
}

void* aligned(std::size_t alignment, std::size_t bytes) {
  void* block = counted(__libc_memalign(alignment, bytes));
  aligned_block = block;
  aligned_bytes = bytes;
  return block;
}

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) {
  return counted(__libc_malloc(bytes));
}
void* calloc(std::size_t count, std::size_t bytes) {
  return counted(__libc_calloc(count, bytes));
}
void* realloc(void* block, std::size_t bytes) {
  forget(block);
  return counted(__libc_realloc(block, bytes));
}
void free(void* block) {
  forget(block);
  __libc_free(block);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  return aligned(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return aligned(alignment, bytes);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  *block = aligned(alignment, bytes);
  return *block == nullptr ? ENOMEM : 0;
}

}  // extern "C"

#endif
