// Elementwise sums, products and multiples.

void add(const float* a, const float* b, float* y, std::size_t n) {
  over_lanes(
      n, [=](std::size_t i, auto lanes) { store(y + i, load(a + i, lanes) + load(b + i, lanes), lanes); });
}

void multiply(const float* a, const float* b, float* y, std::size_t n) {
  over_lanes(
      n, [=](std::size_t i, auto lanes) { store(y + i, load(a + i, lanes) * load(b + i, lanes), lanes); });
}

void affine(const float* x, float scale, float offset, float* y, std::size_t n, bool accumulate) {
  const Floats scales = broadcast(scale);
  const Floats offsets = broadcast(offset);
  over_lanes(n, [=](std::size_t i, auto lanes) {
    Floats v = multiply_add(load(x + i, lanes), scales, offsets);
    if (accumulate) v = v + load(y + i, lanes);
    store(y + i, v, lanes);
  });
}
