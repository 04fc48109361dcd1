// Lays tensors out in one arena: tensors whose lifetimes don't meet share memory.
#pragma once

#include <cstddef>
#include <vector>

namespace lamina {

// A tensor that is alive from step `first` to step `last`, both included.
struct ArenaItem {
  std::size_t floats = 0;
  std::size_t first = 0;
  std::size_t last = 0;
  std::size_t offset = 0;  // set by lay_out(), in floats; a multiple of 16 (64 bytes)
};

// Sets the offsets and returns the floats that the arena needs. Largest first, each at the lowest offset that
// no tensor alive at the same time takes.
std::size_t lay_out(std::vector<ArenaItem>& items);

}  // namespace lamina
