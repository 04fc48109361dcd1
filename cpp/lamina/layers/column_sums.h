// Two sums over rows for every column, for the normalisations.
#pragma once

#include <algorithm>
#include <cstddef>

#include "lamina/layers/helpers.h"

namespace lamina {

inline constexpr std::size_t kColumnBlock = 32;

// add(row, begin, end, a, b) adds the row's terms of columns begin .. end to a[0 ..] and b[0 ..]; then
// store(column, a, b) takes the two sums of each column. Threads share out columns.
//
// Up to 16 terms are added in float32, then in float64: close to float64 throughout (at most 15 roundings of
// 2^-24 on any way to the total), at the speed of float32. The order depends on the number of rows alone.
template <class Add, class Store>
void column_sums(std::size_t rows, std::size_t columns, Executor& executor, Add&& add, Store&& store) {
  constexpr std::size_t kRows = 16;
  const auto block = [&](std::size_t begin, std::size_t end) {
    double total_a[kColumnBlock] = {};
    double total_b[kColumnBlock] = {};
    for (std::size_t first = 0; first < rows; first += kRows) {
      float a[kColumnBlock] = {};
      float b[kColumnBlock] = {};
      const std::size_t last = std::min(rows, first + kRows);
      for (std::size_t row = first; row < last; ++row) add(row, begin, end, a, b);
      for (std::size_t j = 0; j < kColumnBlock; ++j) total_a[j] += static_cast<double>(a[j]);
      for (std::size_t j = 0; j < kColumnBlock; ++j) total_b[j] += static_cast<double>(b[j]);
    }
    for (std::size_t j = begin; j < end; ++j) store(j, total_a[j - begin], total_b[j - begin]);
  };
  if (rows * columns <= kChunk) {
    for (std::size_t j = 0; j < columns; j += kColumnBlock) block(j, std::min(columns, j + kColumnBlock));
    return;
  }
  for_chunks(columns, kColumnBlock, executor, block);
}

}  // namespace lamina
