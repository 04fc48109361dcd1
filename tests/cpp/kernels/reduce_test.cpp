// Reductions against long double, and the tests for finite numbers.
#include "testing.h"

namespace lamina::kernels::testing {
namespace {

// A float64 sum of n terms errs by less than n 2^-53 of the sum of their magnitudes.
bool close(double got, long double want, long double size, std::size_t n) {
  return std::abs(static_cast<long double>(got) - want) <= static_cast<long double>(n + 1) * 0x1p-53L * size;
}

TEST_CASE("sums are right to float64") {
  Numbers numbers(4);
  std::vector<std::size_t> counts = sizes();
  counts.push_back(100003);
  for (const Table* table : available_tables()) {
    for (std::size_t n : counts) {
      const std::vector<float> x = numbers.floats(n, 1e20F);
      const std::vector<float> y = numbers.floats(n, 1e20F);
      long double sum = 0;
      long double sum_abs = 0;
      long double squares = 0;
      long double dot = 0;
      long double dot_abs = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const auto a = static_cast<long double>(x[i]);
        const auto b = static_cast<long double>(y[i]);
        sum += a;
        sum_abs += std::abs(a);
        squares += a * a;
        dot += a * b;
        dot_abs += std::abs(a * b);
      }
      CHECK(close(table->sum(x.data(), n), sum, sum_abs, n));
      CHECK(close(table->sum_abs(x.data(), n), sum_abs, sum_abs, n));
      CHECK(close(table->sum_squares(x.data(), n), squares, squares, n));
      CHECK(close(table->dot(x.data(), y.data(), n), dot, dot_abs, n));
      CHECK(table->sum(x.data(), n) == table->sum(std::vector<float>(x).data(), n));
    }
  }
}

TEST_CASE("vectors of float64 are multiplied and added in float64") {
  Numbers numbers(5);
  std::vector<std::size_t> counts = sizes();
  counts.push_back(10007);
  for (const TrainingTable* table : available_training_tables()) {
    for (std::size_t n : counts) {
      const std::vector<float> x = numbers.floats(n, 1e5F);
      const std::vector<float> z = numbers.floats(n, 1e-5F);
      std::vector<double> y;
      for (const float value : numbers.floats(n, 1e5F)) y.push_back(static_cast<double>(value) / 3);
      const double a = 1.0 / 7;
      std::vector<double> moved = y;
      long double dot = 0;
      long double dot_abs = 0;
      long double squares = 0;
      const double got = table->add_scaled_float64(moved.data(), a, x.data(), z.data(), n);
      for (std::size_t i = 0; i < n; ++i) {
        const long double want =
            static_cast<long double>(y[i]) + static_cast<long double>(a) * static_cast<long double>(x[i]);
        const long double size = std::abs(static_cast<long double>(y[i])) +
                                 std::abs(static_cast<long double>(a) * static_cast<long double>(x[i]));
        CHECK(close(moved[i], want, size, 1));
        const long double product = static_cast<long double>(moved[i]) * static_cast<long double>(z[i]);
        dot += product;
        dot_abs += std::abs(product);
        squares += static_cast<long double>(moved[i]) * static_cast<long double>(moved[i]);
      }
      CHECK(close(got, dot, dot_abs, n));
      CHECK(close(table->dot_float64(moved.data(), moved.data(), n), squares, squares, n));
    }
  }
}

TEST_CASE("sums carry NaN and infinity") {
  for (const Table* table : available_tables()) {
    for (std::size_t at : {0U, 5U, 40U, 66U}) {
      std::vector<float> x(67, 1.0F);
      x[at] = kInf;
      CHECK(table->sum(x.data(), x.size()) == HUGE_VAL);
      CHECK(table->sum_abs(x.data(), x.size()) == HUGE_VAL);
      x[at] = kNan;
      CHECK(std::isnan(table->sum(x.data(), x.size())));
      CHECK(std::isnan(table->sum_abs(x.data(), x.size())));
      CHECK(std::isnan(table->sum_squares(x.data(), x.size())));
    }
  }
}

TEST_CASE("all_finite finds NaN and infinity anywhere") {
  constexpr float kPlain = 3.4e38F;
  for (const TrainingTable* table : available_training_tables()) {
    for (std::size_t n : {0U, 1U, 7U, 16U, 33U, 511U, 512U, 513U, 1500U}) {
      std::vector<float> x(n + 1, kPlain);
      x[n] = kNan;  // just outside
      CHECK(table->all_finite(x.data(), n));
      for (float value : {kNan, kInf, -kInf}) {
        for (std::size_t at = 0; at < n; at += 1 + n / 7) {
          x[at] = value;
          CHECK_FALSE(table->all_finite(x.data(), n));
          x[at] = kPlain;
        }
      }
    }
  }
}

}  // namespace
}  // namespace lamina::kernels::testing
