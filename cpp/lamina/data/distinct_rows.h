// Equal rows put together.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lamina {

// A dense table of rows, compared by their bytes.
struct RowBytes {
  const void* data;
  std::size_t bytes;  // of a row
};

struct DistinctRows {
  std::vector<std::size_t> rows;  // the first of each kind, in the order of their bytes
  std::vector<float> weights;     // sums over the rows of each kind; empty where all of them are 1
};

// Which of `count` rows differ in one of the tables; the earlier tables come first in their order. So what is
// computed of distinct rows depends neither on the order in which rows were given, nor on whether one was
// given twice or with twice the weight. `weights` is empty for all 1.
DistinctRows distinct_rows(std::span<const RowBytes> tables, std::size_t count,
                           std::span<const float> weights);

}  // namespace lamina
