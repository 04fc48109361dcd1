#include "allocation.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "lamina/core/tensor.h"

using namespace lamina;
using namespace lamina::test;

TEST_CASE("allocations are counted, whoever makes them") {
  if (!counts_allocations()) return;
  const AllocationCount allocated;
  CHECK(allocated.count() == 0);
  auto number = std::make_unique<int>(3);
  CHECK(allocated.count() == 1);
  const Buffer buffer(1000);
  CHECK(allocated.count() == 2);
  CHECK(last_aligned_block().data == buffer.data());
  CHECK(last_aligned_block().floats >= 1000);
  {
    const std::vector<char> large(1 << 20);
  }
  CHECK(allocated.count() == 3);
  CHECK(allocated.peak_bytes() >= (1U << 20U) + 4000U);
  CHECK(allocated.peak_bytes() < (1U << 20U) + 40000U);
  void* volatile block = std::malloc(10);
  std::free(block);
  CHECK(allocated.count() == 4);
}
