// Minimizes functions by L-BFGS, for comparison with SciPy: program_minimize NAME SIZE HISTORY
// MAX_ITERATIONS. Prints iterations, evaluations, what ended it, the value after each iteration, and the
// place.
#include <lamina/lamina.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

namespace {

using Vector = std::span<const double>;

double rosenbrock(Vector x, std::span<double> gradient) {
  double value = 0;
  for (double& g : gradient) g = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double a = x[i + 1] - x[i] * x[i];
    const double b = 1 - x[i];
    value += 100 * a * a + b * b;
    gradient[i] += -400 * a * x[i] - 2 * b;
    gradient[i + 1] += 200 * a;
  }
  return value;
}

// sum c_i (x_i - 1)^2 with c from 1 to 10,000.
double stretched(Vector x, std::span<double> gradient) {
  double value = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double c = std::pow(10.0, 4.0 * static_cast<double>(i) / static_cast<double>(x.size() - 1));
    value += c * (x[i] - 1) * (x[i] - 1);
    gradient[i] = 2 * c * (x[i] - 1);
  }
  return value;
}

// Not convex: the slope turns along lines.
double waves(Vector x, std::span<double> gradient) {
  double value = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double shift = x[i] - 0.1 * static_cast<double>(i);
    value += 0.05 * shift * shift - std::cos(3 * shift);
    gradient[i] = 0.1 * shift + 3 * std::sin(3 * shift);
  }
  return value;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) return 2;
  const std::string name = arguments[1];
  std::vector<double> x(static_cast<std::size_t>(std::atoi(arguments[2])));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 2 == 0 ? -1.2 : 1.0;
  std::vector<double> values;
  const lamina::LbfgsResult result =
      lamina::minimize_lbfgs(name == "rosenbrock" ? rosenbrock : (name == "stretched" ? stretched : waves), x,
                             {.max_iterations = static_cast<std::size_t>(std::atoi(arguments[4])),
                              .history = static_cast<std::size_t>(std::atoi(arguments[3])),
                              .on_iteration = [&](const lamina::LbfgsProgress& progress) {
                                values.push_back(progress.value);
                                return true;
                              }});
  std::printf("%zu %zu\n%s\n", result.iterations, result.evaluations,
              std::string(describe(result.end)).c_str());
  for (const double value : values) std::printf("%.17g ", value);
  std::printf("\n");
  for (const double value : x) std::printf("%.17g ", value);
  std::printf("\n");
  return 0;
}
