// Dense against its formula in float64.
#include "lamina/layers/dense.h"

#include <doctest/doctest.h>

#include <cmath>

#include "lamina/layers/activity_regularization.h"
#include "layers/layer_harness.h"

namespace lamina::test {

namespace {

double softplus(double z) {
  return std::log1p(std::exp(z));
}

// z = x kernel + bias of output j in row i.
double product(const LayerRunner& runner, std::size_t in, std::size_t units, std::size_t i, std::size_t j) {
  double z = runner.parameters.size() > 1 ? static_cast<double>(runner.parameters[1][j]) : 0.0;
  for (std::size_t p = 0; p < in; ++p) {
    z += static_cast<double>(runner.x[i * in + p]) * static_cast<double>(runner.parameters[0][p * units + j]);
  }
  return z;
}

}  // namespace

// A chain of k roundings of 2^-24 on terms of at most 2, and an activation within 4 ulp.
TEST_CASE("Dense computes activation(x kernel + bias) along the last axis") {
  struct Case {
    const char* activation;
    double (*function)(double);
  };
  const Case cases[] = {{"linear", [](double z) { return z; }},
                        {"tanh", [](double z) { return std::tanh(z); }},
                        {"sigmoid", [](double z) { return 1 / (1 + std::exp(-z)); }},
                        {"relu", [](double z) { return z > 0 ? z : 0; }},
                        {"mish", [](double z) { return z * std::tanh(softplus(z)); }}};
  for (const Case& test : cases) {
    for (const std::size_t in : {1U, 7U, 33U, 257U}) {
      constexpr std::size_t kUnits = 19;
      LayerRunner runner(dense(kUnits, test.activation), Shape{3, in}, 5);
      CHECK(runner.y_shape == Shape{5, 3, kUnits});
      runner.forward({});
      const double tolerance = 2 * 0x1p-24 * static_cast<double>(in + 8) * std::sqrt(static_cast<double>(in));
      for (std::size_t i = 0; i < 15; ++i) {
        for (std::size_t j = 0; j < kUnits; ++j) {
          const double expected = test.function(product(runner, in, kUnits, i, j));
          const double got = static_cast<double>(runner.y[i * kUnits + j]);
          CHECK(std::abs(got - expected) <= tolerance + 0x1p-21 * std::abs(expected));
        }
      }
    }
  }
}

TEST_CASE("Dense declares Keras's parameters") {
  DenseOptions options;
  options.units = 4;
  options.kernel_regularizer = Regularizer::registry().make("l2");
  options.bias_constraint = Constraint::registry().make("non_neg");
  const TensorSpec inputs[] = {{Shape{2, 3}}};
  const LayerSpec spec = dense(options)->build(inputs, "d");
  REQUIRE(spec.parameters.size() == 2);
  CHECK(spec.outputs[0].shape == Shape{2, 4});
  CHECK(spec.parameters[0].name == "kernel");
  CHECK(spec.parameters[0].shape == Shape{3, 4});
  CHECK(spec.parameters[0].initializer->type() == "GlorotUniform");
  CHECK(spec.parameters[0].regularizer == options.kernel_regularizer);
  CHECK(spec.parameters[0].constraint == nullptr);
  CHECK(spec.parameters[1].name == "bias");
  CHECK(spec.parameters[1].shape == Shape{4});
  CHECK(spec.parameters[1].initializer->type() == "Zeros");
  CHECK(spec.parameters[1].constraint == options.bias_constraint);
  options.use_bias = false;
  CHECK(dense(options)->build(inputs, "d").parameters.size() == 1);
}

TEST_CASE("Dense writes logits and takes their gradient when asked") {
  for (const char* name : {"softmax", "sigmoid", "gelu"}) {
    LayerRunner runner(dense(5, name), Shape{3}, 4);
    LayerRunner plain(dense(5), Shape{3}, 4);
    runner.forward({.emit_logits = true});
    runner.backward({.emit_logits = true});
    plain.forward({});
    plain.backward({});
    CHECK(runner.y == plain.y);
    CHECK(runner.d_x == plain.d_x);
    CHECK(runner.d_parameters == plain.d_parameters);
  }
}

TEST_CASE("Dense leaves its activation to the loss unless the activity is regularised") {
  CHECK(dense(3, "softmax")->final_activation() == kernels::Activation::softmax);
  CHECK(dense(3, "sigmoid")->final_activation() == kernels::Activation::sigmoid);
  DenseOptions options;
  options.units = 3;
  options.activation = kernels::Activation::softmax;
  options.activity_regularizer = Regularizer::registry().make("l2");
  CHECK_FALSE(dense(options)->final_activation().has_value());
}

// l1 * sum|y| + l2 * sum y^2 over the whole batch, not divided by it.
TEST_CASE("Activity penalties are plain sums over the batch") {
  DenseOptions options;
  options.units = 5;
  options.activity_regularizer = Regularizer::registry().make({"L1L2", {{"l1", 0.25}, {"l2", 0.5}}});
  for (const LayerPtr& layer : {dense(options), activity_regularization({.l1 = 0.25, .l2 = 0.5})}) {
    LayerRunner runner(layer, Shape{7}, 6);
    const double penalty = runner.forward({});
    double expected = 0;
    for (const float value : runner.y) {
      const auto y = static_cast<double>(value);
      expected += 0.25 * std::abs(y) + 0.5 * y * y;
    }
    CHECK(penalty == doctest::Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("Dense keeps for backward what it needs and no more") {
  const TensorSpec inputs[] = {{Shape{3}}};
  const LayerSpec linear = dense(5)->build(inputs, "d");
  CHECK(linear.saved.empty());
  CHECK_FALSE(linear.backward_reads_outputs);
  const LayerSpec relu = dense(5, "relu")->build(inputs, "d");
  CHECK(relu.saved.empty());
  CHECK(relu.backward_reads_outputs);
  const LayerSpec gelu = dense(5, "gelu")->build(inputs, "d");
  REQUIRE(gelu.saved.size() == 1);
  CHECK(gelu.saved[0].floats(7) == 35);
  CHECK_FALSE(gelu.backward_reads_outputs);
}

}  // namespace lamina::test
