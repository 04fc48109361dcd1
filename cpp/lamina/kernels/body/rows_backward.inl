// Softmax as losses need it, and the gradients of softmax and log_softmax of rows. Sums are taken in float64.
#include "lamina/kernels/body/softmax_rows.inl"

void softmax_sums(const float* x, float* y, std::size_t rows, std::size_t cols, float* largest,
                  float* others) {
  constexpr std::size_t kRegisterCols = LAMINA_ISA == 2 ? kLanes : kLanes - 1;  // all lanes are no Part else
  softmax_rows<kRegisterCols>(x, y, rows, cols, [=](std::size_t row, float of_row, double total) {
    largest[row] = of_row;
    others[row] = static_cast<float>(total - 1.0);  // exp(0) is 1
  });
}

void softmax_backward(const float* d_y, const float* y, float* d_x, std::size_t rows, std::size_t cols,
                      bool accumulate) {
  for (std::size_t row = 0; row < rows; ++row, d_y += cols, y += cols, d_x += cols) {
    LaneSum sum;
    over_lanes(cols, [&](std::size_t i, auto lanes) { sum.add(load(d_y + i, lanes) * load(y + i, lanes)); });
    const Floats inner = broadcast(static_cast<float>(sum.total()));
    over_lanes(cols, [&](std::size_t i, auto lanes) {
      Floats d = load(y + i, lanes) * (load(d_y + i, lanes) - inner);
      if (accumulate) d = d + load(d_x + i, lanes);
      store(d_x + i, d, lanes);
    });
  }
}

void log_softmax_backward(const float* d_y, const float* y, float* d_x, std::size_t rows, std::size_t cols,
                          bool accumulate) {
  for (std::size_t row = 0; row < rows; ++row, d_y += cols, y += cols, d_x += cols) {
    LaneSum sum;
    over_lanes(cols, [&](std::size_t i, auto lanes) { sum.add(load(d_y + i, lanes)); });
    const Floats total = broadcast(static_cast<float>(sum.total()));
    over_lanes(cols, [&](std::size_t i, auto lanes) {
      Floats d = multiply_add(exp(load(y + i, lanes)), -total, load(d_y + i, lanes));
      if (accumulate) d = d + load(d_x + i, lanes);
      store(d_x + i, d, lanes);
    });
  }
}
