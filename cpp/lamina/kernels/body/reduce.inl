// Sums in float64; sums.inl says in which order.

double sum(const float* x, std::size_t n) {
  return sum_of(
      n, [=](std::size_t i) { return load_doubles(x + i); },
      [=](std::size_t i) { return static_cast<double>(x[i]); });
}

double sum_abs(const float* x, std::size_t n) {
  return sum_of(
      n,
      [=](std::size_t i) {
        const Doubles v = load_doubles(x + i);
        return v < 0.0 ? -v : v;
      },
      [=](std::size_t i) { return __builtin_fabs(static_cast<double>(x[i])); });
}

double dot(const float* x, const float* y, std::size_t n) {
  return sum_of(
      n, [=](std::size_t i) { return load_doubles(x + i) * load_doubles(y + i); },
      [=](std::size_t i) { return static_cast<double>(x[i]) * static_cast<double>(y[i]); });
}

double sum_squares(const float* x, std::size_t n) {
  return dot(x, x, n);
}
