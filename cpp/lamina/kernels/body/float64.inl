// What works on vectors of float64: the steps of L-BFGS. Bound by memory: one load or store a multiply-add.

inline Doubles load_doubles(const double* p) {
  Doubles v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

double dot_float64(const double* x, const double* y, std::size_t n) {
  return sum_of(
      n, [=](std::size_t i) { return load_doubles(x + i) * load_doubles(y + i); },
      [=](std::size_t i) { return x[i] * y[i]; });
}

double add_scaled_float64(double* y, double a, const float* x, const float* z, std::size_t n) {
  return sum_of(
      n,
      [=](std::size_t i) {
        const Doubles moved = load_doubles(y + i) + a * load_doubles(x + i);
        __builtin_memcpy(y + i, &moved, sizeof moved);
        return moved * load_doubles(z + i);
      },
      [=](std::size_t i) {
        y[i] += a * static_cast<double>(x[i]);
        return y[i] * static_cast<double>(z[i]);
      });
}
