// Softmax, log_softmax and their gradients against float64.
#include <algorithm>

#include "testing.h"

namespace lamina::kernels::testing {
namespace {

// log(sum(exp(x))) and softmax of one row.
struct Reference {
  double log_sum_exp;
  std::vector<double> softmax;
};

Reference reference_of(const float* x, std::size_t cols) {
  double largest = -HUGE_VAL;
  for (std::size_t j = 0; j < cols; ++j) largest = std::max(largest, static_cast<double>(x[j]));
  double sum = 0;
  for (std::size_t j = 0; j < cols; ++j) sum += std::exp(static_cast<double>(x[j]) - largest);
  Reference want{largest + std::log(sum), {}};
  for (std::size_t j = 0; j < cols; ++j) {
    want.softmax.push_back(std::exp(static_cast<double>(x[j]) - want.log_sum_exp));
  }
  return want;
}

// x - largest is rounded once (half an ulp of it, so a relative error of |x - largest| 2^-24 in exp), exp
// has 1.5 ulp, the scale and the product half an ulp each.
double softmax_tolerance(double spread, double value) {
  return (4.0 + spread) * 0x1p-24 * value + 0x1p-148;
}

void check_rows(const Table& table, std::size_t rows, std::size_t cols, float scale) {
  Numbers numbers(rows * 1000 + cols);
  Guarded<> x(numbers.floats(rows * cols, scale));
  Guarded<> y(rows * cols);
  Guarded<> logs(rows * cols);
  table.softmax(x.data(), y.data(), rows, cols);
  table.log_softmax(x.data(), logs.data(), rows, cols);
  CHECK((y.intact() && logs.intact()));
  const double spread = 2.0 * static_cast<double>(scale);
  for (std::size_t i = 0; i < rows && cols > 0; ++i) {
    const Reference want = reference_of(x.data() + i * cols, cols);
    for (std::size_t j = 0; j < cols; ++j) {
      const double value = want.softmax[j];
      REQUIRE(distance(y[i * cols + j], value) <= softmax_tolerance(spread, value));
      REQUIRE(distance(logs[i * cols + j], std::log(value)) <=
              4.0 * 0x1p-24 * (spread + std::log(static_cast<double>(cols)) + 1));
    }
  }
  Guarded<> in_place = x;
  table.softmax(in_place.data(), in_place.data(), rows, cols);
  CHECK(same_bits(in_place.data(), y.data(), rows * cols));
  CHECK(in_place.intact());
  table.log_softmax(x.data(), x.data(), rows, cols);
  CHECK(same_bits(x.data(), logs.data(), rows * cols));
}

TEST_CASE("softmax and log_softmax agree with float64") {
  for (const Table* table : available_tables()) {
    for (std::size_t cols : sizes()) {
      check_rows(*table, 3, cols, 1.0F);
      check_rows(*table, 2, cols, 30.0F);
    }
    check_rows(*table, 0, 5, 1.0F);
    check_rows(*table, 2, 10007, 3.0F);
  }
}

TEST_CASE("what softmax leaves to losses agrees with float64") {
  const std::vector<const Table*> tables = available_tables();
  for (std::size_t index = 0; index < tables.size(); ++index) {
    const TrainingTable& training = *available_training_tables()[index];
    for (const float scale : {1.0F, 20.0F}) {
      for (std::size_t cols : sizes()) {
        if (cols == 0) continue;
        constexpr std::size_t kRows = 3;
        Numbers numbers(cols);
        Guarded<> x(numbers.floats(kRows * cols, scale));
        std::fill_n(x.data() + cols, cols, x.data()[cols]);  // all of them are the largest
        Guarded<> y(kRows * cols);
        Guarded<> plain(kRows * cols);
        Guarded<> largest(kRows);
        Guarded<> others(kRows);
        training.softmax_sums(x.data(), y.data(), kRows, cols, largest.data(), others.data());
        tables[index]->softmax(x.data(), plain.data(), kRows, cols);
        INFO(std::string(training.name) << " " << cols << " columns");
        CHECK(same_bits(y.data(), plain.data(), kRows * cols));
        CHECK((y.intact() && largest.intact() && others.intact()));
        for (std::size_t i = 0; i < kRows; ++i) {
          const float* row = x.data() + i * cols;
          const float* most = std::max_element(row, row + cols);
          double want = 0;
          for (const float* value = row; value < row + cols; ++value) {
            if (value != most) want += std::exp(static_cast<double>(*value) - static_cast<double>(*most));
          }
          CHECK(largest.data()[i] == *most);
          const double error = std::abs(static_cast<double>(others.data()[i]) - want);
          CHECK(error <= softmax_tolerance(2.0 * static_cast<double>(scale), want) + 0x1p-52);
        }
      }
    }
  }
}

TEST_CASE("softmax copes with extremes") {
  for (const Table* table : available_tables()) {
    float x[5] = {3e38F, -3e38F, -kInf, 3e38F, 0.0F};
    float y[5];
    table->softmax(x, y, 1, 5);
    CHECK(y[0] == doctest::Approx(0.5));
    CHECK(y[1] == 0.0F);
    CHECK(y[2] == 0.0F);
    table->log_softmax(x, y, 1, 5);
    CHECK(y[0] == doctest::Approx(-std::log(2.0)));
    CHECK(y[2] == -kInf);
    x[3] = kNan;
    table->softmax(x, y, 1, 5);
    for (float value : y) CHECK(std::isnan(value));
    std::vector<float> wide(40, 1.0F);  // more than a vector holds
    wide[33] = kNan;
    table->softmax(wide.data(), wide.data(), 1, 40);
    for (float value : wide) CHECK(std::isnan(value));
  }
}

// The error of the inner sum is n products in float32 before the float64 sum, 2^-24 each of sum |d y|.
void check_backward(const Table& table, const TrainingTable& training, std::size_t rows, std::size_t cols,
                    bool accumulate) {
  Numbers numbers(cols);
  const std::size_t n = rows * cols;
  Guarded<> x(numbers.floats(n, 3.0F));
  Guarded<> d(numbers.floats(n));
  Guarded<> y(n);
  Guarded<> logs(n);
  table.softmax(x.data(), y.data(), rows, cols);
  table.log_softmax(x.data(), logs.data(), rows, cols);
  const float start = 0.5F;
  Guarded<> d_x(n, start);
  Guarded<> d_logs(n, start);
  training.softmax_backward(d.data(), y.data(), d_x.data(), rows, cols, accumulate);
  training.log_softmax_backward(d.data(), logs.data(), d_logs.data(), rows, cols, accumulate);
  CHECK((d_x.intact() && d_logs.intact()));
  for (std::size_t i = 0; i < rows; ++i) {
    double inner = 0;
    double total = 0;
    for (std::size_t j = i * cols; j < (i + 1) * cols; ++j) {
      inner += static_cast<double>(d[j]) * static_cast<double>(y[j]);
      total += static_cast<double>(d[j]);
    }
    for (std::size_t j = i * cols; j < (i + 1) * cols; ++j) {
      const double before = accumulate ? static_cast<double>(start) : 0.0;
      const double want = before + static_cast<double>(y[j]) * (static_cast<double>(d[j]) - inner);
      REQUIRE(distance(d_x[j], want) <= 6.0 * 0x1p-24 * (static_cast<double>(y[j]) + before));
      const double e = std::exp(static_cast<double>(logs[j])) * total;
      REQUIRE(distance(d_logs[j], before + static_cast<double>(d[j]) - e) <=
              6.0 * 0x1p-24 * (std::abs(e) + 1.0 + before));
    }
  }
}

TEST_CASE("gradients of softmax and log_softmax agree with float64") {
  for (const auto& [table, training] : all_kernels()) {
    for (std::size_t cols : sizes()) {
      check_backward(*table, *training, 3, cols, false);
      check_backward(*table, *training, 2, cols, true);
    }
  }
}

}  // namespace
}  // namespace lamina::kernels::testing
