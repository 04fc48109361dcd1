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
      for (std::size_t many : {0U, 1U, 2U, 4U, 6U, 11U}) {
        std::vector<double> x;
        for (const float value : numbers.floats(n, 1e5F)) x.push_back(static_cast<double>(value) / 3);
        std::vector<std::vector<float>> vectors;
        std::vector<const float*> at;
        std::vector<double> weights;
        for (std::size_t i = 0; i < many; ++i) {
          vectors.push_back(numbers.floats(n, 1e-5F));
          weights.push_back(1.0 / static_cast<double>(i + 7));
        }
        for (const std::vector<float>& vector : vectors) at.push_back(vector.data());

        std::vector<double> dots(many + 1, 7);
        table->dots_float64(x.data(), at.data(), many, n, dots.data());
        CHECK(dots[many] == 7);
        for (std::size_t i = 0; i < many; ++i) {
          long double dot = 0;
          long double dot_abs = 0;
          for (std::size_t j = 0; j < n; ++j) {
            const long double product = static_cast<long double>(x[j]) * static_cast<long double>(at[i][j]);
            dot += product;
            dot_abs += std::abs(product);
          }
          CHECK(close(dots[i], dot, dot_abs, n));
        }

        std::vector<double> y(n + 1, 7);
        const double scale = -1.0 / 3;
        table->combine_float64(scale, x.data(), at.data(), weights.data(), many, n, y.data());
        CHECK(y[n] == 7);
        for (std::size_t j = 0; j < n; ++j) {
          long double want = static_cast<long double>(scale) * static_cast<long double>(x[j]);
          long double size = std::abs(want);
          for (std::size_t i = 0; i < many; ++i) {
            const long double product =
                static_cast<long double>(weights[i]) * static_cast<long double>(at[i][j]);
            want += product;
            size += std::abs(product);
          }
          REQUIRE(close(y[j], want, size, many + 1));
        }

        long double squares = 0;
        for (const double value : x) squares += static_cast<long double>(value) * value;
        CHECK(close(table->dot_float64(x.data(), x.data(), n), squares, squares, n));
      }
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
