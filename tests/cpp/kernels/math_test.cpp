// Functions of one variable against the C library in float64, over the whole float32 range, with bounds in
// ulp.
#include <string>

#include "testing.h"

namespace lamina::kernels::testing {
namespace {

struct Case {
  const char* name;
  Unary function;
  double (*reference)(double);
  double bound;  // ulp; each is the method's error (stated in body/math.inl), without FMA a little more
};

double softplus_f64(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

const Case kCases[] = {
    {"exp", Unary::exp, [](double x) { return std::exp(x); }, 1.5},
    {"expm1", Unary::expm1, [](double x) { return std::expm1(x); }, 2.0},
    {"log", Unary::log, [](double x) { return std::log(x); }, 1.5},
    {"log1p", Unary::log1p, [](double x) { return std::log1p(x); }, 1.5},
    {"tanh", Unary::tanh, [](double x) { return std::tanh(x); }, 2.0},
    {"erf", Unary::erf, [](double x) { return std::erf(x); }, 1.5},
    {"sigmoid", Unary::sigmoid, [](double x) { return 1.0 / (1.0 + std::exp(-x)); }, 2.5},
    {"softplus", Unary::softplus, softplus_f64, 2.5},
    {"sqrt", Unary::sqrt, [](double x) { return std::sqrt(x); }, 0.5000001},
    {"rsqrt", Unary::rsqrt, [](double x) { return 1.0 / std::sqrt(x); }, 1.5},
    {"square", Unary::square, [](double x) { return x * x; }, 0.5},
    {"abs", Unary::abs, [](double x) { return std::abs(x); }, 0.0},
};

// Like std::max, but a NaN x stays one.
double reference_of(const Case& test, float x) {
  return std::isnan(x) ? static_cast<double>(kNan) : test.reference(static_cast<double>(x));
}

TEST_CASE("functions of one variable are within their bounds over all floats") {
  const std::vector<float>& x = all_floats();
  std::vector<float> y(x.size());
  for (const Case& test : kCases) {
    std::vector<double> want(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) want[i] = reference_of(test, x[i]);
    for (const TrainingTable* table : available_training_tables()) {
      table->map(test.function, x.data(), y.data(), x.size());
      double worst = 0;
      float at = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = ulp_error(y[i], want[i]);
        if (error > worst) {
          worst = error;
          at = x[i];
        }
      }
      INFO(std::string(test.name) << " " << std::string(table->name) << ": " << worst << " ulp at " << at);
      CHECK(worst <= test.bound);
    }
  }
}

TEST_CASE("maps of any size have the same bits, write nothing outside, and work in place") {
  Numbers numbers(1);
  for (const TrainingTable* table : available_training_tables()) {
    for (const Case& test : kCases) {
      const std::vector<float> all = numbers.floats(251, 3.0F);
      std::vector<float> one_by_one(all.size());
      for (std::size_t i = 0; i < all.size(); ++i) table->map(test.function, &all[i], &one_by_one[i], 1);
      for (std::size_t n : sizes()) {
        Guarded<> x(std::vector<float>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n)));
        Guarded<> y(n);
        table->map(test.function, x.data(), y.data(), n);
        CHECK(same_bits(y.data(), one_by_one.data(), n));
        CHECK(y.intact());
        table->map(test.function, x.data(), x.data(), n);
        CHECK(same_bits(x.data(), y.data(), n));
        CHECK(x.intact());
      }
    }
  }
}

}  // namespace
}  // namespace lamina::kernels::testing
