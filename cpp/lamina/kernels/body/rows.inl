// Softmax and log_softmax of rows.
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

inline float log_of(float x) {
  return log(broadcast(x))[0];
}

// Of a row that one vector holds, which then needn't be stored and loaded again (5 to 8 % of a gradient of
// 150 rows through 4-100-3). Where vectors have fewer lanes it isn't worth its bytes.
constexpr std::size_t kRegisterCols = LAMINA_ISA == 2 ? kLanes : 0;

inline void softmax_in_register(const float* x, float* y, std::size_t cols) {
  const Part lanes{cols};
  const Floats v = load(x, lanes);
  const Floats e = exp(v - largest_lane(fill_rest(v, lanes, -kInfinity)));
  LaneSum sum;
  sum.add(fill_rest(e, lanes, 0.0F));
  store(y, e * static_cast<float>(1.0 / sum.total()), lanes);
}

void softmax(const float* x, float* y, std::size_t rows, std::size_t cols) {
  for (std::size_t row = 0; row < rows; ++row, x += cols, y += cols) {
    if (cols > 0 && cols <= kRegisterCols) {
      softmax_in_register(x, y, cols);
      continue;
    }
    const float largest = row_maximum(x, cols);
    LaneSum sum;
    over_lanes(cols, [&](std::size_t i, auto lanes) {
      const Floats e = exp(load(x + i, lanes) - largest);
      sum.add(fill_rest(e, lanes, 0.0F));
      store(y + i, e, lanes);
    });
    const float scale = static_cast<float>(1.0 / sum.total());
    over_lanes(cols, [&](std::size_t i, auto lanes) { store(y + i, load(y + i, lanes) * scale, lanes); });
  }
}

void log_softmax(const float* x, float* y, std::size_t rows, std::size_t cols) {
  for (std::size_t row = 0; row < rows; ++row, x += cols, y += cols) {
    const float largest = row_maximum(x, cols);
    LaneSum sum;
    over_lanes(cols, [&](std::size_t i, auto lanes) {
      sum.add(fill_rest(exp(load(x + i, lanes) - largest), lanes, 0.0F));
    });
    const float log_sum = log_of(static_cast<float>(sum.total()));
    over_lanes(cols, [&](std::size_t i, auto lanes) {
      store(y + i, (load(x + i, lanes) - largest) - log_sum, lanes);
    });
  }
}
