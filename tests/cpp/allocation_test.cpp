#include "allocation.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "lamina/core/tensor.h"

using namespace lamina;
using namespace lamina::test;

namespace {

// The compiler may leave out an allocation that nobody sees.
void show(const void* pointer) {
  asm volatile("" : : "g"(pointer) : "memory");
}

}  // namespace

TEST_CASE("allocations are counted, whoever makes them") {
  if (!counts_allocations()) return;
  std::size_t counts[5];  // checked later: a check may allocate
  const AllocationCount allocated;
  counts[0] = allocated.count();
  auto number = std::make_unique<int>(3);
  show(number.get());
  counts[1] = allocated.count();
  const Buffer buffer(1000);
  show(buffer.data());
  counts[2] = allocated.count();
  const Block block = last_aligned_block();
  {
    const std::vector<char> large(1 << 20);
    show(large.data());
  }
  counts[3] = allocated.count();
  const std::size_t peak = allocated.peak_bytes();
  void* raw = std::malloc(10);
  show(raw);
  std::free(raw);
  counts[4] = allocated.count();
  for (std::size_t i = 0; i < 5; ++i) CHECK(counts[i] == i);
  CHECK(block.data == buffer.data());
  CHECK(block.floats >= 1000);
  CHECK(peak >= (1U << 20U) + 4000U);
  CHECK(peak < (1U << 20U) + 40000U);
}
