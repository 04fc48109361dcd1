// The softmax of rows, for prediction and for losses.
//
// The largest element is subtracted first, so nothing overflows; sums are taken in float64, in an order that
// depends on the number of columns and the ISA only.

inline float row_maximum(const float* x, std::size_t cols) {
  Floats largest = broadcast(-kInfinity);
  over_lanes(cols, [&](std::size_t i, auto lanes) {
    largest = at_least(largest, fill_rest(load(x + i, lanes), lanes, -kInfinity));
  });
  return largest_lane(largest);
}

// Rows of up to kRegisterCols (at most kLanes) columns stay in registers: 5 to 8 % of a gradient of 150 rows
// through 4-100-3. Calls told(row, largest, sum of exp(x - largest)).
template <std::size_t kRegisterCols, class Told>
inline void softmax_rows(const float* x, float* y, std::size_t rows, std::size_t cols, Told told) {
  for (std::size_t row = 0; row < rows; ++row, x += cols, y += cols) {
    LaneSum sum;
    if (cols > 0 && cols <= kRegisterCols) {
      const Part lanes{cols};
      const Floats v = load(x, lanes);
      const float largest = largest_lane(fill_rest(v, lanes, -kInfinity));
      const Floats e = exp(v - largest);
      sum.add(fill_rest(e, lanes, 0.0F));
      const double total = sum.total();
      store(y, e * static_cast<float>(1.0 / total), lanes);
      told(row, largest, total);
      continue;
    }
    const float largest = row_maximum(x, cols);
    over_lanes(cols, [&](std::size_t i, auto lanes) {
      const Floats e = exp(load(x + i, lanes) - largest);
      sum.add(fill_rest(e, lanes, 0.0F));
      store(y + i, e, lanes);
    });
    const double total = sum.total();
    const float scale = static_cast<float>(1.0 / total);
    over_lanes(cols, [&](std::size_t i, auto lanes) { store(y + i, load(y + i, lanes) * scale, lanes); });
    told(row, largest, total);
  }
}
