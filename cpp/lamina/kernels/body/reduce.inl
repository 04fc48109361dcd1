// Sums in float64.
//
// A sum keeps four vectors of float64 lanes; element i goes to lane i % (4 * kDoubleLanes), and the lanes are
// added by halves at the end. So the order depends on n and the ISA only.

// Sum of f(i, lanes) over n elements, where f gives a Doubles or, for tails, a double of element i.
template <class Vector, class Scalar>
inline double sum_of(std::size_t n, Vector&& vector, Scalar&& scalar) {
  constexpr std::size_t kStep = 4 * kDoubleLanes;
  Doubles total[4] = {};
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep) {
    for (std::size_t j = 0; j < 4; ++j) total[j] += vector(i + j * kDoubleLanes);
  }
  for (std::size_t lane = 0; i + lane < n; ++lane) {
    total[lane / kDoubleLanes][lane % kDoubleLanes] += scalar(i + lane);
  }
  return sum_lanes((total[0] + total[2]) + (total[1] + total[3]));
}

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
