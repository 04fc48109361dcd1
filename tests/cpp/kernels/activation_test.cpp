// Activations and their derivatives against formulas in float64, over the whole float32 range.
#include "lamina/kernels/activation.h"

#include <string>

#include "testing.h"

namespace lamina::kernels::testing {
namespace {

constexpr double kSeluScale = 1.05070098735548049342;
constexpr double kSeluAlpha = 1.67326324235437728482;
// Where a result is a product with a denormal e^-|x| or tail (|x| up to 110), its last bit is worth 110 *
// 2^-149.
constexpr double kNearUnderflow = 1.6e-43;

double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}
double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}
double normal_density(double x) {
  return std::exp(-0.5 * x * x) / std::sqrt(2.0 * 3.14159265358979323846);
}
double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}
double hard_sigmoid(double x) {
  return std::clamp(x + 3.0, 0.0, 6.0) / 6.0;
}
// 1 - tanh(softplus(x))^2 = 4 u^2 / (u^2 + 1)^2 with u = 1 + e^x
double mish_rest(double x) {
  if (x > 100.0) return 0.0;
  const double u = 1.0 + std::exp(x);
  return 4.0 * u * u / ((u * u + 1.0) * (u * u + 1.0));
}

// x f where f goes to 0 faster than x grows: no infinity * 0.
double vanishing(double x, double f) {
  return f == 0.0 ? 0.0 : x * f;
}

double forward(ActivationSpec spec, double x) {
  if (std::isnan(x)) return x;
  const double alpha = static_cast<double>(spec.alpha);
  switch (spec.kind) {
    case Activation::linear:
      return x;
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::relu6:
      return std::clamp(x, 0.0, 6.0);
    case Activation::leaky_relu:
      return x > 0.0 ? x : alpha * x;
    case Activation::elu:
      return x > 0.0 ? x : alpha * std::expm1(x);
    case Activation::selu:
      return x > 0.0 ? kSeluScale * x : kSeluScale * kSeluAlpha * std::expm1(x);
    case Activation::gelu:
      return vanishing(x, normal_cdf(x));
    case Activation::silu:
      return vanishing(x, sigmoid(x));
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::hard_sigmoid:
      return hard_sigmoid(x);
    case Activation::tanh:
      return std::tanh(x);
    case Activation::softplus:
      return softplus(x);
    case Activation::softsign:
      return std::isinf(x) ? std::copysign(1.0, x) : x / (1.0 + std::abs(x));
    case Activation::exponential:
      return std::exp(x);
    case Activation::mish:
      return vanishing(x, std::tanh(softplus(x)));
    default:
      return 0.0;
  }
}

// A derivative, and the size of its terms: where they cancel, the error is that of the terms.
struct Slope {
  double value, size;
};

Slope sum(double a, double b) {
  return {a + b, std::abs(a) + std::abs(b)};
}
Slope just(double a) {
  return {a, std::abs(a)};
}

// f' from `saved`, the output or the input as needs_input() says.
Slope slope(ActivationSpec spec, double s) {
  if (std::isnan(s)) return just(s);
  const double alpha = static_cast<double>(spec.alpha);
  switch (spec.kind) {
    case Activation::linear:
      return just(1.0);
    case Activation::relu:
      return just(s > 0.0 ? 1.0 : 0.0);
    case Activation::relu6:
      return just(s > 0.0 && s < 6.0 ? 1.0 : 0.0);
    case Activation::leaky_relu:
      return just(s > 0.0 ? 1.0 : alpha);
    case Activation::elu:
      return s > 0.0 ? just(1.0) : sum(s, alpha);
    case Activation::selu:
      return s > 0.0 ? just(kSeluScale) : sum(s, kSeluScale * kSeluAlpha);
    case Activation::gelu:
      return sum(normal_cdf(s), vanishing(s, normal_density(s)));
    case Activation::silu:
      return sum(sigmoid(s), vanishing(s, sigmoid(s) * sigmoid(-s)));
    case Activation::sigmoid:
      return just(s * (1.0 - s));
    case Activation::hard_sigmoid:
      return just(s > 0.0 && s < 1.0 ? 1.0 / 6.0 : 0.0);
    case Activation::tanh:
      return just((1.0 - s) * (1.0 + s));
    case Activation::softplus:
      return just(-std::expm1(-s));
    case Activation::softsign:
      return just(1.0 / ((1.0 + std::abs(s)) * (1.0 + std::abs(s))));
    case Activation::exponential:
      return just(s);
    case Activation::mish:
      return sum(std::tanh(softplus(s)), vanishing(s, sigmoid(s) * mish_rest(s)));
    default:
      return just(0.0);
  }
}

// Every elementwise activation, and what error it may have in ulp of the result or of its terms. The
// functions under it have 2.5 ulp at most, a sum, product or quotient adds 0.5 to 1 each; gelu's tail has 4,
// a square doubles the error (softsign's slope, 1 / (1 + |x|)^2); hard_sigmoid's x + 3 cancels near -3, where
// the error is half an ulp of 3.
struct Case {
  Activation kind;
  double forward_ulp, forward_absolute, slope_ulp;
};

const Case kCases[] = {
    {Activation::linear, 0, 0, 0},
    {Activation::relu, 0, 0, 0},
    {Activation::relu6, 0, 0, 0},
    {Activation::leaky_relu, 0.5, 0, 0},
    {Activation::elu, 2.5, 0, 1},
    {Activation::selu, 3, 0, 1.5},
    {Activation::gelu, 5, kNearUnderflow, 6},
    {Activation::silu, 3, kNearUnderflow, 4},
    {Activation::sigmoid, 2.5, 0, 1.5},
    {Activation::hard_sigmoid, 1, 0x1p-23 / 6, 1},
    {Activation::tanh, 2, 0, 1.5},
    {Activation::softplus, 2.5, 0, 2},
    {Activation::softsign, 1.5, 0, 4},
    {Activation::exponential, 1.5, 0, 0},
    {Activation::mish, 5, kNearUnderflow, 8},
};

TEST_CASE("activations are right over all floats") {
  const std::vector<float>& x = all_floats();
  std::vector<float> y(x.size());
  for (const Case& test : kCases) {
    const ActivationSpec spec = with_default_alpha(test.kind);
    std::vector<double> want(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) want[i] = forward(spec, static_cast<double>(x[i]));
    for (const Table* table : available_tables()) {
      table->activation_forward(spec, x.data(), y.data(), x.size());
      double worst = 0;
      float at = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double excess = distance(y[i], want[i]) - test.forward_absolute;
        if (excess / ulp_at(want[i]) > worst) {
          worst = excess / ulp_at(want[i]);
          at = x[i];
        }
      }
      INFO(std::string(name_of(test.kind))
           << " " << std::string(table->name) << ": " << worst << " at " << at);
      CHECK(worst <= test.forward_ulp);
    }
  }
}

TEST_CASE("derivatives of activations are right over all floats") {
  const std::vector<float>& x = all_floats();
  const std::vector<float> d_y(x.size(), 1.0F);
  std::vector<float> d_x(x.size());
  for (const Case& test : kCases) {
    const ActivationSpec spec = with_default_alpha(test.kind);
    std::vector<float> saved = x;
    if (!needs_input(test.kind)) {
      for (float& value : saved) value = static_cast<float>(forward(spec, static_cast<double>(value)));
    }
    std::vector<Slope> want(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) want[i] = slope(spec, static_cast<double>(saved[i]));
    for (const TrainingTable* table : available_training_tables()) {
      table->activation_backward(spec, d_y.data(), saved.data(), d_x.data(), x.size(), false);
      double worst = 0;
      float at = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        // relu, relu6, hard_sigmoid, leaky_relu select: a NaN that comes back selects 0 or alpha.
        if (std::isnan(saved[i])) continue;
        const double excess = distance(d_x[i], want[i].value) - kNearUnderflow;
        if (excess / ulp_at(want[i].size) > worst) {
          worst = excess / ulp_at(want[i].size);
          at = x[i];
        }
      }
      INFO(std::string(name_of(test.kind))
           << " " << std::string(table->name) << ": " << worst << " at " << at);
      CHECK(worst <= test.slope_ulp);
    }
  }
}

TEST_CASE("derivatives at the kinks are Keras's") {
  const auto at = [](const Table& table, const TrainingTable& training, Activation kind, float x) {
    const ActivationSpec spec = with_default_alpha(kind);
    const float one = 1.0F;
    float y;
    float d_x;
    table.activation_forward(spec, &x, &y, 1);
    training.activation_backward(spec, &one, needs_input(kind) ? &x : &y, &d_x, 1, false);
    return d_x;
  };
  for (const auto& [table, training] : all_kernels()) {
    CHECK(at(*table, *training, Activation::relu, 0.0F) == 0.0F);
    CHECK(at(*table, *training, Activation::relu6, 0.0F) == 0.0F);
    CHECK(at(*table, *training, Activation::relu6, 6.0F) == 0.0F);
    CHECK(at(*table, *training, Activation::hard_sigmoid, -3.0F) == 0.0F);
    CHECK(at(*table, *training, Activation::hard_sigmoid, 3.0F) == 0.0F);
    CHECK(at(*table, *training, Activation::leaky_relu, 0.0F) == 0.2F);
    CHECK(at(*table, *training, Activation::elu, 0.0F) == 1.0F);
  }
}

TEST_CASE(
    "activations of any size have the same bits, write nothing outside, accumulate, and work in place") {
  Numbers numbers(2);
  for (const auto& [table, training] : all_kernels()) {
    for (const Case& test : kCases) {
      const ActivationSpec spec = with_default_alpha(test.kind);
      for (std::size_t n : sizes()) {
        Guarded<> x(numbers.floats(n, 4.0F));
        Guarded<> y(n);
        table->activation_forward(spec, x.data(), y.data(), n);
        CHECK(y.intact());
        const Guarded<>& saved = needs_input(test.kind) ? x : y;
        Guarded<> d(numbers.floats(n));
        Guarded<> d_x(n);
        training->activation_backward(spec, d.data(), saved.data(), d_x.data(), n, false);
        CHECK(d_x.intact());
        Guarded<> total(n, 2.0F);
        training->activation_backward(spec, d.data(), saved.data(), total.data(), n, true);
        CHECK(total.intact());
        for (std::size_t i = 0; i < n; ++i) {
          float one;
          table->activation_forward(spec, &x[i], &one, 1);
          REQUIRE(same_bits(&one, &y[i], 1));
          REQUIRE(total[i] == d_x[i] + 2.0F);
        }
        training->activation_backward(spec, d.data(), saved.data(), d.data(), n, false);
        CHECK(same_bits(d.data(), d_x.data(), n));
        table->activation_forward(spec, x.data(), x.data(), n);
        CHECK(same_bits(x.data(), y.data(), n));
        CHECK(x.intact());
      }
    }
  }
}

TEST_CASE("names of activations go both ways") {
  CHECK(activation_names().size() == 17);
  for (std::string_view name : activation_names()) CHECK(name_of(activation_named(name).value()) == name);
  CHECK(name_of(Activation::hard_sigmoid) == "hard_sigmoid");
  CHECK(name_of(Activation::log_softmax) == "log_softmax");
  CHECK_FALSE(activation_named("Relu").has_value());
}

TEST_CASE("activations over rows don't depend on the executor") {
  Numbers numbers(3);
  const std::size_t rows = 701;
  const std::size_t cols = 67;
  const std::vector<float> x = numbers.floats(rows * cols, 5.0F);
  const std::vector<float> d = numbers.floats(rows * cols);
  for (Activation kind : {Activation::gelu, Activation::relu, Activation::softmax, Activation::log_softmax}) {
    const ActivationSpec spec = with_default_alpha(kind);
    std::vector<float> y[2];
    std::vector<float> d_x[2];
    Executor* executors[2] = {&serial_executor(), &thread_pool()};
    for (int i = 0; i < 2; ++i) {
      y[i].resize(rows * cols);
      d_x[i].resize(rows * cols);
      activation_forward(spec, x.data(), y[i].data(), rows, cols, *executors[i]);
      const float* saved = needs_input(kind) ? x.data() : y[i].data();
      activation_backward(training_table(), spec, d.data(), saved, d_x[i].data(), rows, cols, false,
                          *executors[i]);
    }
    CHECK(same_bits(y[0].data(), y[1].data(), rows * cols));
    CHECK(same_bits(d_x[0].data(), d_x[1].data(), rows * cols));
  }
}

}  // namespace
}  // namespace lamina::kernels::testing
