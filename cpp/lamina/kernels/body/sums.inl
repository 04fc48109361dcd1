// How sums in float64 are taken.
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
