// Elementwise kernels of two variables, and the largest and smallest of many.

// a where it is larger, or NaN; else b. So a NaN of either one stays.
inline Floats larger(Floats a, Floats b) {
  return ((a > b) | (a != a)) ? a : b;
}
inline Floats smaller(Floats a, Floats b) {
  return ((a < b) | (a != a)) ? a : b;
}

// y[i] = function(left(i, lanes), right(i, lanes))
template <class Left, class Right>
inline void combine_lanes(Binary function, Left&& left, Right&& right, float* y, std::size_t n) {
  const auto run = [&](auto&& f) {
    over_lanes(n,
               [&](std::size_t i, auto lanes) { store(y + i, f(left(i, lanes), right(i, lanes)), lanes); });
  };
  switch (function) {
    case Binary::add:
      return run([](Floats a, Floats b) { return a + b; });
    case Binary::subtract:
      return run([](Floats a, Floats b) { return a - b; });
    case Binary::multiply:
      return run([](Floats a, Floats b) { return a * b; });
    case Binary::divide:
      return run([](Floats a, Floats b) { return a / b; });
    case Binary::minimum:
      return run([](Floats a, Floats b) { return smaller(a, b); });
    case Binary::maximum:
      return run([](Floats a, Floats b) { return larger(a, b); });
  }
}

void combine(Binary function, const float* a, const float* b, float* y, std::size_t n) {
  combine_lanes(
      function, [=](std::size_t i, auto lanes) { return load(a + i, lanes); },
      [=](std::size_t i, auto lanes) { return load(b + i, lanes); }, y, n);
}

void combine_scalar(Binary function, const float* x, float value, bool value_first, float* y, std::size_t n) {
  const Floats values = broadcast(value);
  const auto element = [=](std::size_t i, auto lanes) { return load(x + i, lanes); };
  const auto constant = [=](std::size_t, auto) { return values; };
  if (value_first) {
    combine_lanes(function, constant, element, y, n);
  } else {
    combine_lanes(function, element, constant, y, n);
  }
}

float extreme(const float* x, std::size_t n, bool largest) {
  Floats best = broadcast(x[0]);
  over_lanes(n, [&](std::size_t i, auto lanes) {
    const Floats v = fill_rest(load(x + i, lanes), lanes, x[0]);
    best = largest ? larger(best, v) : smaller(best, v);
  });
  float result = best[0];
  for (std::size_t lane = 1; lane < kLanes; ++lane) {
    const float v = best[lane];
    const bool stays = result != result || (largest ? result > v : result < v);
    result = stays ? result : v;
  }
  return result;
}
