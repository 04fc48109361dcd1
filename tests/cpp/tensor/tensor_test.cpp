// Views, expressions, reductions and products over anyone's memory, against float64.
#include "lamina/tensor.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "allocation.h"
#include "lamina/kernels/dispatch.h"

using namespace lamina;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<float> random_values(std::size_t count, std::uint64_t seed, float low = -2.0F,
                                 float high = 2.0F) {
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(generator);
  return values;
}

double at(const std::vector<float>& x, std::size_t index) {
  return static_cast<double>(x[index]);
}

// `got` within some ulp of `want`, and of the terms it is made of.
void check_near(float got, double want, double scale = 0) {
  const double tolerance = 1e-6 * std::max({std::abs(want), scale, 1e-30});
  if (std::isnan(want)) {
    CHECK(std::isnan(got));
  } else {
    CHECK(std::abs(static_cast<double>(got) - want) <= tolerance);
  }
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const ShapeError& error) {
    return error.what();
  }
  return "";
}

// Extents around the SIMD width and the block of an expression.
const std::vector<std::pair<std::size_t, std::size_t>> kExtents = {
    {1, 1}, {1, 7}, {3, 1}, {5, 16}, {4, 17}, {1, 512}, {1, 1300}, {3, 513}, {40, 31}, {0, 4}, {4, 0}};

}  // namespace

TEST_CASE("tensor: a formula gives what float64 gives") {
  for (const auto& extents : kExtents) {
    const std::size_t rows = extents.first;
    const std::size_t cols = extents.second;
    CAPTURE(rows);
    CAPTURE(cols);
    const std::size_t n = rows * cols;
    const std::vector<float> a = random_values(n, 1), b = random_values(n, 2, 0.5F, 3.0F);
    const std::vector<float> row = random_values(cols, 3), col = random_values(rows, 4);
    std::vector<float> y(n);
    const MatrixView out = map(y, rows, cols);
    const ConstMatrixView x = map(a, rows, cols), z = map(b, rows, cols);
    const auto each = [&](auto&& want, double scale = 8) {
      for (std::size_t i = 0; i < n; ++i) check_near(y[i], want(i), scale);
    };
    out = sigmoid(x) * (1.0F - z) + exp(x) / z;
    each(
        [&](std::size_t i) {
          return 1 / (1 + std::exp(-at(a, i))) * (1 - at(b, i)) + std::exp(at(a, i)) / at(b, i);
        },
        40);
    if (n == 0) continue;
    out = x + row - map(col, rows, 1) * 2.0F;  // a row and a column, repeated
    each([&](std::size_t i) { return at(a, i) + at(row, i % cols) - 2 * at(col, i / cols); });
    out = maximum(x, z) - minimum(x, 0.25F);
    each([&](std::size_t i) { return std::max(at(a, i), at(b, i)) - std::min(at(a, i), 0.25); });
    out = 3.0F / z + (1.0F - x) - (x - 1.0F) + -z;
    each([&](std::size_t i) { return 3 / at(b, i) + 2 * (1 - at(a, i)) - at(b, i); });
    out = z;
    out += x;
    out *= 2.0F;
    out -= square(x);
    out /= z;
    each([&](std::size_t i) { return (2 * (at(b, i) + at(a, i)) - at(a, i) * at(a, i)) / at(b, i); }, 20);
    out = map(row);  // to every row
    each([&](std::size_t i) { return at(row, i % cols); });
    out = 4.0F;
    each([&](std::size_t) { return 4.0; });
  }
}

TEST_CASE("tensor: every function of one element") {
  const std::size_t n = 300;
  const std::vector<float> a = random_values(n, 5, 0.1F, 3.0F), b = random_values(n, 6, -4.0F, 4.0F);
  std::vector<float> y(n);
  const MatrixView out = map(y);
  const auto check = [&](const std::vector<float>& x, double (*want)(double)) {
    for (std::size_t i = 0; i < n; ++i) check_near(y[i], want(at(x, i)), 1);
  };
  out = exp(a), check(a, [](double x) { return std::exp(x); });
  out = expm1(a), check(a, [](double x) { return std::expm1(x); });
  out = log(a), check(a, [](double x) { return std::log(x); });
  out = log1p(a), check(a, [](double x) { return std::log1p(x); });
  out = tanh(b), check(b, [](double x) { return std::tanh(x); });
  out = erf(b), check(b, [](double x) { return std::erf(x); });
  out = sqrt(a), check(a, [](double x) { return std::sqrt(x); });
  out = rsqrt(a), check(a, [](double x) { return 1 / std::sqrt(x); });
  out = abs(b), check(b, [](double x) { return std::abs(x); });
  out = softplus(b), check(b, [](double x) { return std::log1p(std::exp(x)); });
  out = relu(b), check(b, [](double x) { return std::max(x, 0.0); });
  out = relu6(b), check(b, [](double x) { return std::min(std::max(x, 0.0), 6.0); });
  out = leaky_relu(b), check(b, [](double x) { return x < 0 ? 0.2 * x : x; });
  out = leaky_relu(b, 0.5F), check(b, [](double x) { return x < 0 ? 0.5 * x : x; });
  out = elu(b), check(b, [](double x) { return x < 0 ? std::expm1(x) : x; });
  out = elu(b, 2.0F), check(b, [](double x) { return x < 0 ? 2 * std::expm1(x) : x; });
  out = gelu(b), check(b, [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); });
  out = silu(b), check(b, [](double x) { return x / (1 + std::exp(-x)); });
  out = softsign(b), check(b, [](double x) { return x / (1 + std::abs(x)); });
  out = hard_sigmoid(b), check(b, [](double x) { return std::min(std::max(x / 6 + 0.5, 0.0), 1.0); });
  out = mish(b), check(b, [](double x) { return x * std::tanh(std::log1p(std::exp(x))); });
  out = selu(b),
  check(b, [](double x) { return 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * std::expm1(x) : x); });
  out = activate(b, ActivationKind::tanh), check(b, [](double x) { return std::tanh(x); });
  CHECK_THROWS_AS(activate(b, ActivationKind::softmax), ArgumentError);
}

TEST_CASE("tensor: what is assigned may read the same elements") {
  const std::vector<float> a = random_values(2000, 7);
  std::vector<float> y = a;
  const MatrixView out = map(y, 40, 50);
  out = exp(out) + out;
  for (std::size_t i = 0; i < y.size(); ++i) check_near(y[i], std::exp(at(a, i)) + at(a, i), 8);
}

TEST_CASE("tensor: views with strides read and write their elements alone") {
  std::vector<float> memory = random_values(20 * 30, 8);
  const std::vector<float> before = memory;
  const MatrixView whole = map(memory, 20, 30);
  const MatrixView part = whole.block(2, 5, 7, 11);
  part = part * 2.0F;
  for (std::size_t row = 0; row < 20; ++row) {
    for (std::size_t col = 0; col < 30; ++col) {
      const bool inside = row >= 2 && row < 9 && col >= 5 && col < 16;
      CHECK(memory[row * 30 + col] == before[row * 30 + col] * (inside ? 2.0F : 1.0F));
    }
  }
  std::vector<float> turned(30 * 20);
  map(turned, 30, 20) = whole.transposed() + 0.0F;
  for (std::size_t i = 0; i < 20; ++i) {
    for (std::size_t j = 0; j < 30; ++j) CHECK(turned[j * 20 + i] == memory[i * 30 + j]);
  }
  map(turned, 30, 20).transposed() = whole;  // writes columns
  CHECK(map(turned, 30, 20)(29, 19) == whole(19, 29));
  whole.col(3) = 1.5F;
  whole.row(4) = whole.row(5);
  CHECK(whole(7, 3) == 1.5F);
  CHECK(whole(4, 29) == whole(5, 29));
  CHECK(sum(whole.col(3)) == 30.0);
}

TEST_CASE("tensor: memory of any owner") {
  std::array<float, 6> array{1, 2, 3, 4, 5, 6};
  float plain[6] = {1, 1, 1, 1, 1, 1};
  std::vector<float> vector(6);
  map(vector, 2, 3) = map(array, 2, 3) + map(plain, 2, 3);
  CHECK(vector == std::vector<float>{2, 3, 4, 5, 6, 7});
  CHECK(sum(std::span<const float>(array)) == 21);
  const TensorView<float> tensor{vector.data(), Shape{1, 2, 3}};
  const MatrixView of_tensor = tensor;
  CHECK(of_tensor.rows() == 2);
  CHECK(of_tensor.cols() == 3);
  const Buffer buffer(4);
  CHECK(norm(buffer) == 0);
}

TEST_CASE("tensor: reductions give what float64 gives") {
  for (const auto& extents : kExtents) {
    const std::size_t rows = extents.first;
    const std::size_t cols = extents.second;
    CAPTURE(rows);
    CAPTURE(cols);
    const std::size_t n = rows * cols;
    const std::vector<float> a = random_values(n, 11);
    std::vector<float> spaced(rows * (cols + 3));  // rows at a distance give the same
    const MatrixView gaps(spaced.data(), rows, cols, cols + 3);
    gaps = map(a, rows, cols);
    double total = 0, magnitudes = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
      total += at(a, i);
      magnitudes += std::abs(at(a, i));
      squares += at(a, i) * at(a, i);
    }
    for (const ConstMatrixView& x : {ConstMatrixView(map(a, rows, cols)), ConstMatrixView(gaps)}) {
      CHECK(sum(x) == doctest::Approx(total).epsilon(1e-12));
      CHECK(norm1(x) == doctest::Approx(magnitudes).epsilon(1e-12));
      CHECK(norm(x) == doctest::Approx(std::sqrt(squares)).epsilon(1e-12));
      CHECK(dot(x, 2.0F * x) == doctest::Approx(2 * squares).epsilon(1e-12));
      if (n == 0) continue;
      CHECK(mean(x) == doctest::Approx(total / static_cast<double>(n)).epsilon(1e-12));
      CHECK(max(x) == *std::max_element(a.begin(), a.end()));
      CHECK(min(x) == *std::min_element(a.begin(), a.end()));
      CHECK(argmax(x) == static_cast<std::size_t>(std::max_element(a.begin(), a.end()) - a.begin()));
      std::vector<float> by_row(rows), by_col(cols), mean_col(cols), max_row(rows), min_row(rows),
          max_col(cols), min_col(cols), mean_row(rows);
      std::vector<std::size_t> classes(rows);
      row_sum(x, by_row), row_mean(x, mean_row), row_max(x, max_row), row_min(x, min_row);
      column_sum(x, by_col), column_mean(x, mean_col), column_max(x, max_col), column_min(x, min_col);
      row_argmax(x, classes);
      for (std::size_t row = 0; row < rows; ++row) {
        const auto* first = a.data() + row * cols;
        double own = 0;
        for (std::size_t j = 0; j < cols; ++j) own += static_cast<double>(first[j]);
        check_near(by_row[row], own);
        check_near(mean_row[row], own / static_cast<double>(cols));
        CHECK(max_row[row] == *std::max_element(first, first + cols));
        CHECK(min_row[row] == *std::min_element(first, first + cols));
        CHECK(classes[row] == static_cast<std::size_t>(std::max_element(first, first + cols) - first));
      }
      for (std::size_t col = 0; col < cols; ++col) {
        double own = 0;
        float largest = a[col], smallest = a[col];
        for (std::size_t i = 0; i < rows; ++i) {
          own += at(a, i * cols + col);
          largest = std::max(largest, a[i * cols + col]);
          smallest = std::min(smallest, a[i * cols + col]);
        }
        check_near(by_col[col], own);
        check_near(mean_col[col], own / static_cast<double>(rows));
        CHECK(max_col[col] == largest);
        CHECK(min_col[col] == smallest);
      }
    }
  }
}

TEST_CASE("tensor: a NaN anywhere is the extreme, and argmax finds it, at every instruction set") {
  for (const kernels::TrainingTable* table : kernels::available_training_tables()) {
    for (const std::size_t n : {1U, 5U, 16U, 17U, 64U, 100U}) {
      for (std::size_t at_index = 0; at_index < n; ++at_index) {
        std::vector<float> x = random_values(n, 12);
        std::vector<float> y(n), z(n, 0.5F);
        CHECK(table->extreme(x.data(), n, true) == *std::max_element(x.begin(), x.end()));
        CHECK(table->extreme(x.data(), n, false) == *std::min_element(x.begin(), x.end()));
        x[at_index] = kNaN;
        CHECK(std::isnan(table->extreme(x.data(), n, true)));
        CHECK(std::isnan(table->extreme(x.data(), n, false)));
        for (const Binary function : {Binary::maximum, Binary::minimum}) {
          table->combine(function, x.data(), z.data(), y.data(), n);
          CHECK(std::isnan(y[at_index]));
          table->combine(function, z.data(), x.data(), y.data(), n);
          CHECK(std::isnan(y[at_index]));
          table->combine_scalar(function, x.data(), 0.5F, true, y.data(), n);
          CHECK(std::isnan(y[at_index]));
        }
        CHECK(argmax(x) == at_index);
      }
    }
  }
}

TEST_CASE("tensor: arithmetic kernels are exact at every instruction set") {
  const std::vector<float> a = random_values(100, 13), b = random_values(100, 14, 0.5F, 2.0F);
  const auto want = [](Binary function, float x, float y) {
    switch (function) {
      case Binary::add:
        return x + y;
      case Binary::subtract:
        return x - y;
      case Binary::multiply:
        return x * y;
      case Binary::divide:
        return x / y;
      case Binary::minimum:
        return std::min(x, y);
      default:
        return std::max(x, y);
    }
  };
  for (const kernels::TrainingTable* table : kernels::available_training_tables()) {
    for (const Binary function : {Binary::add, Binary::subtract, Binary::multiply, Binary::divide,
                                  Binary::minimum, Binary::maximum}) {
      for (const std::size_t n : {0U, 1U, 15U, 16U, 33U, 100U}) {
        std::vector<float> y(101, 9.0F), left(101, 9.0F), right(101, 9.0F);
        table->combine(function, a.data(), b.data(), y.data(), n);
        table->combine_scalar(function, a.data(), 0.7F, false, left.data(), n);
        table->combine_scalar(function, a.data(), 0.7F, true, right.data(), n);
        for (std::size_t i = 0; i < n; ++i) {
          CHECK(y[i] == want(function, a[i], b[i]));
          CHECK(left[i] == want(function, a[i], 0.7F));
          CHECK(right[i] == want(function, 0.7F, a[i]));
        }
        CHECK(y[n] == 9.0F);  // nothing beyond
      }
    }
  }
}

TEST_CASE("tensor: gemm with transposes, accumulation, strides, bias and activation") {
  for (const auto& extents : {std::array<std::size_t, 3>{1, 1, 1},
                              {3, 5, 7},
                              {17, 33, 9},
                              {64, 20, 65},
                              {2, 3, 0},
                              {5, 1, 4},
                              {1, 6, 4}}) {
    const std::size_t m = extents[0];
    const std::size_t n = extents[1];
    const std::size_t k = extents[2];
    CAPTURE(m);
    CAPTURE(n);
    CAPTURE(k);
    for (unsigned choice = 0; choice < 32; ++choice) {
      const bool turn_a = choice & 1U, turn_b = choice & 2U, add = choice & 4U, gaps = choice & 8U;
      const bool column_major = choice & 16U;
      CAPTURE(choice);
      // op(a) is m x k; stored turned where turn_a, with gaps between rows.
      const std::size_t gap = gaps ? 3 : 0;
      const auto a = random_values((turn_a ? k * (m + gap) : m * (k + gap)) + 1, 21);
      const auto b = random_values((turn_b ? n * (k + gap) : k * (n + gap)) + 1, 22);
      const auto c0 = random_values((m + gap) * (n + gap), 23);
      auto c = c0;
      const ConstMatrixView view_a =
          turn_a ? ConstMatrixView(a.data(), k, m, m + gap) : ConstMatrixView(a.data(), m, k, k + gap);
      const ConstMatrixView view_b =
          turn_b ? ConstMatrixView(b.data(), n, k, k + gap) : ConstMatrixView(b.data(), k, n, n + gap);
      const MatrixView view_c = column_major ? MatrixView(c.data(), n, m, m + gap).transposed()
                                             : MatrixView(c.data(), m, n, n + gap);
      const ConstMatrixView view_0(c0.data(), m, n, view_c.row_stride(), view_c.col_stride());
      gemm(view_a, view_b, view_c, {.transpose_a = turn_a, .transpose_b = turn_b, .accumulate = add});
      for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          double want = add ? static_cast<double>(view_0(i, j)) : 0, scale = std::abs(want);
          for (std::size_t p = 0; p < k; ++p) {
            const double term = static_cast<double>(turn_a ? view_a(p, i) : view_a(i, p)) *
                                static_cast<double>(turn_b ? view_b(j, p) : view_b(p, j));
            want += term;
            scale += std::abs(term);
          }
          // k + 1 roundings of at most scale * 2^-24 each
          CHECK(std::abs(static_cast<double>(view_c(i, j)) - want) <=
                static_cast<double>(k + 2) * 6e-8 * scale);
        }
      }
    }
  }
  const auto x = random_values(12, 31), w = random_values(20, 32), bias = random_values(5, 33);
  std::vector<float> y(15), z(15), want(15);
  gemm(map(x, 3, 4), map(w, 4, 5), map(z, 3, 5));
  gemm(map(x, 3, 4), map(w, 4, 5), map(y, 3, 5), {.bias = bias, .activation = ActivationKind::relu});
  map(want, 3, 5) = relu(map(z, 3, 5) + bias);
  CHECK(y == want);
  gemm(map(x, 3, 4), map(w, 4, 5), map(y, 3, 5), {.activation = ActivationKind::softmax});
  for (std::size_t row = 0; row < 3; ++row)
    CHECK(sum(map(y, 3, 5).row(row)) == doctest::Approx(1).epsilon(1e-6));
  softmax(map(z, 3, 5), map(want, 3, 5));
  CHECK(y == want);
  log_softmax(map(z, 3, 5), map(want, 3, 5));
  for (std::size_t i = 0; i < 15; ++i) check_near(want[i], std::log(at(y, i)), 4);
}

TEST_CASE("tensor: what doesn't fit is said") {
  std::vector<float> a(6), b(8), c(9);
  const auto x = map(a, 2, 3);
  CHECK(message_of([&] { map(a, 2, 4); }) == "Tensor: expected 8 numbers for the shape (2, 4), got 6.");
  CHECK(message_of([&] { x + map(b, 2, 4); }) ==
        "Tensor: expected operands of equal extents, or of one row or column, got (2, 3) and (2, 4).");
  CHECK(message_of([&] { x = map(b, 2, 4); }) ==
        "Tensor: expected an expression with the extents of what it is assigned to, got (2, 3) and (2, 4).");
  CHECK(message_of([&] { dot(x, map(a, 3, 2)); }) ==
        "Tensor: expected operands of equal extents, got (2, 3) and (3, 2).");
  CHECK(message_of([&] { x.block(1, 1, 2, 1); }) ==
        "Tensor: expected a block within (2, 3), got one of (2, 1) at (1, 1).");
  CHECK(
      message_of([&] { gemm(x, map(b, 2, 4), map(c, 3, 3)); }) ==
      "gemm: expected c of shape (m, n) for op(a) of shape (m, k) and op(b) of shape (k, n), got (3, 3) for "
      "(2, 3) and (2, 4).");
  CHECK(message_of([&] { gemm(x, x.transposed(), map(b, 4, 2).block(0, 0, 2, 2), {.bias = c}); }) ==
        "gemm: expected a contiguous bias of shape (1, 2), got (1, 9).");
  const ConstMatrixView sparse(c.data(), 2, 2, 4, 2);
  CHECK(message_of([&] {
          gemm(sparse, map(b).block(0, 0, 1, 2).transposed(), map(a).block(0, 0, 1, 2).transposed());
        }) == "gemm: expected a to have contiguous rows or columns, got strides (4, 2).");
  CHECK(message_of([&] { row_sum(x, c); }) == "row_sum: expected room for 2 values, got 9.");
  CHECK(message_of([&] { max(ConstMatrixView(a.data(), 0, 3)); }) ==
        "max: expected at least one value, got none.");
  CHECK(message_of([&] { softmax(x, map(b, 2, 4)); }) == "softmax: expected y of shape (2, 3), got (2, 4).");
}

TEST_CASE("tensor: an expression allocates nothing") {
  if (!lamina::test::counts_allocations()) return;
  const std::vector<float> a = random_values(3000, 1);
  std::vector<float> y(3000), w(3000), c(900);
  const MatrixView out = map(y, 30, 100);
  gemm(out, map(w, 100, 30), map(c, 30, 30));
  const lamina::test::AllocationCount allocated;
  out = tanh(map(a, 30, 100)) * 2.0F + map(a, 30, 100).row(0);
  CHECK(norm(out) > 0);
  gemm(out, map(w, 100, 30), map(c, 30, 30), {.accumulate = true});
  CHECK(allocated.count() == 0);
}
