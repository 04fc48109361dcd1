// Sums of the columns of a matrix.

template <std::size_t kVectors, class Lanes>
inline void column_sum_strip(const float* x, std::size_t row_stride, std::size_t rows, bool accumulate,
                             float* out, Lanes lanes) {
  Floats total[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) total[v] = accumulate ? load(out + v * kLanes, lanes) : Floats{};
  for (std::size_t i = 0; i < rows; ++i, x += row_stride) {
    for (std::size_t v = 0; v < kVectors; ++v) total[v] = total[v] + load(x + v * kLanes, lanes);
  }
  for (std::size_t v = 0; v < kVectors; ++v) store(out + v * kLanes, total[v], lanes);
}

void column_sum(const float* x, std::size_t row_stride, std::size_t rows, std::size_t cols, bool accumulate,
                float* out) {
  constexpr std::size_t kStrip = 4;
  std::size_t j = 0;
  for (; j + kStrip * kLanes <= cols; j += kStrip * kLanes) {
    column_sum_strip<kStrip>(x + j, row_stride, rows, accumulate, out + j, All{});
  }
  over_lanes(cols - j, [&](std::size_t i, auto lanes) {
    column_sum_strip<1>(x + j + i, row_stride, rows, accumulate, out + j + i, lanes);
  });
}
