// Counts what the test binary allocates: every malloc and what is built on it, operator new among them.
#pragma once

#include <cstddef>

namespace lamina::test {

// False where allocations can't be counted: under a sanitizer, which has hooks of its own, and without glibc.
bool counts_allocations();

// What was allocated since construction, by all threads.
class AllocationCount {
 public:
  AllocationCount();
  std::size_t count() const;
  // The most bytes that were held at once, beyond those held at construction. One object at a time may ask.
  std::size_t peak_bytes() const;

 private:
  std::size_t count_before_, live_before_;
};

// The block that was last allocated with an alignment, as lamina::Buffer does: the arena of a plan just made.
struct Block {
  float* data = nullptr;
  std::size_t floats = 0;
};
Block last_aligned_block();

}  // namespace lamina::test
