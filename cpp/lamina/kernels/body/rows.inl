// Softmax and log_softmax of rows.
#include "lamina/kernels/body/softmax_rows.inl"

inline float log_of(float x) {
  return log(broadcast(x))[0];
}

// (Where vectors have fewer lanes the row in registers isn't worth its bytes in programs that predict.)
void softmax(const float* x, float* y, std::size_t rows, std::size_t cols) {
  softmax_rows<LAMINA_ISA == 2 ? kLanes : 0>(x, y, rows, cols, [](std::size_t, float, double) {});
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
