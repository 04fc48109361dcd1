// Functions of one variable over arrays.

template <class F>
inline void map_lanes(const float* x, float* y, std::size_t n, F&& f) {
  over_lanes(n, [=](std::size_t i, auto lanes) { store(y + i, f(load(x + i, lanes)), lanes); });
}

void map(Unary function, const float* x, float* y, std::size_t n) {
  switch (function) {
    case Unary::exp:
      return map_lanes(x, y, n, [](Floats v) { return exp(v); });
    case Unary::expm1:
      return map_lanes(x, y, n, [](Floats v) { return expm1(v); });
    case Unary::log:
      return map_lanes(x, y, n, [](Floats v) { return log(v); });
    case Unary::log1p:
      return map_lanes(x, y, n, [](Floats v) { return log1p(v); });
    case Unary::tanh:
      return map_lanes(x, y, n, [](Floats v) { return tanh(v); });
    case Unary::erf:
      return map_lanes(x, y, n, [](Floats v) { return erf(v); });
    case Unary::sigmoid:
      return map_lanes(x, y, n, [](Floats v) { return sigmoid(v); });
    case Unary::softplus:
      return map_lanes(x, y, n, [](Floats v) { return softplus(v); });
    case Unary::sqrt:
      return map_lanes(x, y, n, [](Floats v) { return square_root(v); });
    case Unary::rsqrt:
      return map_lanes(x, y, n, [](Floats v) { return 1.0F / square_root(v); });
    case Unary::square:
      return map_lanes(x, y, n, [](Floats v) { return v * v; });
    case Unary::abs:
      return map_lanes(x, y, n, [](Floats v) { return magnitude(v); });
  }
}
