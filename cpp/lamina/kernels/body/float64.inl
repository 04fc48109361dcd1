// What works on vectors of float64: the steps of L-BFGS. Most of the time goes to widening float32.

inline Doubles load_doubles(const double* p) {
  Doubles v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

inline Doubles multiply_add(Doubles a, Doubles b, Doubles c) {
#if LAMINA_ISA == 2
  return (Doubles)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif LAMINA_ISA == 1
  return (Doubles)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
  return a * b + c;
#endif
}

double dot_float64(const double* x, const double* y, std::size_t n) {
  return sum_of(
      n, [=](std::size_t i) { return load_doubles(x + i) * load_doubles(y + i); },
      [=](std::size_t i) { return x[i] * y[i]; });
}

// out[i] += dot product of x and vectors[i], for kCount of them.
template <std::size_t kCount>
inline void add_dots(const double* x, const float* const* vectors, std::size_t n, double* out) {
  Doubles total[kCount][2] = {};
  const float* v[kCount];
  for (std::size_t i = 0; i < kCount; ++i) v[i] = vectors[i];
  std::size_t j = 0;
  for (; j + 2 * kDoubleLanes <= n; j += 2 * kDoubleLanes) {
    for (std::size_t half = 0; half < 2; ++half) {
      const Doubles element = load_doubles(x + j + half * kDoubleLanes);
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kCount; ++i) {
        total[i][half] = multiply_add(element, load_doubles(v[i] + j + half * kDoubleLanes), total[i][half]);
      }
    }
  }
  for (std::size_t i = 0; i < kCount; ++i) {
    double sum = sum_lanes(total[i][0] + total[i][1]);
    for (std::size_t rest = j; rest < n; ++rest) sum += x[rest] * static_cast<double>(v[i][rest]);
    out[i] += sum;
  }
}

// y += sum of weights[i] * vectors[i], for kCount of them.
template <std::size_t kCount>
inline void add_vectors(const float* const* vectors, const double* weights, std::size_t n, double* y) {
  const float* v[kCount];
  Doubles w[kCount];
  for (std::size_t i = 0; i < kCount; ++i) {
    v[i] = vectors[i];
    w[i] = Doubles{} + weights[i];
  }
  std::size_t j = 0;
  for (; j + kDoubleLanes <= n; j += kDoubleLanes) {
    Doubles sum = load_doubles(y + j);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kCount; ++i) sum = multiply_add(w[i], load_doubles(v[i] + j), sum);
    __builtin_memcpy(y + j, &sum, sizeof sum);
  }
  for (; j < n; ++j) {
    for (std::size_t i = 0; i < kCount; ++i) y[j] += weights[i] * static_cast<double>(v[i][j]);
  }
}

constexpr std::size_t kVectorsAtOnce = 4;
constexpr std::size_t kStretch64 = 1024;  // of x or y, which stays in L1 while all vectors meet it

void dots_float64(const double* x, const float* const* vectors, std::size_t count, std::size_t n,
                  double* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = 0;
  for (std::size_t begin = 0; begin < n; begin += kStretch64) {
    const std::size_t some = n - begin < kStretch64 ? n - begin : kStretch64;
    const float* here[kVectorsAtOnce];
    for (std::size_t i = 0; i < count; i += kVectorsAtOnce) {
      const std::size_t left = count - i < kVectorsAtOnce ? count - i : kVectorsAtOnce;
      for (std::size_t k = 0; k < left; ++k) here[k] = vectors[i + k] + begin;
      if (left == kVectorsAtOnce) {
        add_dots<kVectorsAtOnce>(x + begin, here, some, out + i);
      } else {
        for (std::size_t k = 0; k < left; ++k) add_dots<1>(x + begin, here + k, some, out + i + k);
      }
    }
  }
}

void combine_float64(double scale, const double* x, const float* const* vectors, const double* weights,
                     std::size_t count, std::size_t n, double* y) {
  for (std::size_t begin = 0; begin < n; begin += kStretch64) {
    const std::size_t some = n - begin < kStretch64 ? n - begin : kStretch64;
    for (std::size_t j = 0; j < some; ++j) y[begin + j] = scale * x[begin + j];
    const float* here[kVectorsAtOnce];
    for (std::size_t i = 0; i < count; i += kVectorsAtOnce) {
      const std::size_t left = count - i < kVectorsAtOnce ? count - i : kVectorsAtOnce;
      for (std::size_t k = 0; k < left; ++k) here[k] = vectors[i + k] + begin;
      if (left == kVectorsAtOnce) {
        add_vectors<kVectorsAtOnce>(here, weights + i, some, y + begin);
      } else {
        for (std::size_t k = 0; k < left; ++k) add_vectors<1>(here + k, weights + i + k, some, y + begin);
      }
    }
  }
}
