// Every layer through the harness, at odd shapes: 1, primes, and 1 beside the widths of vectors.
#include <doctest/doctest.h>

#include "lamina/kernels/activation.h"
#include "lamina/layers/registered.h"
#include "layers/layer_harness.h"

namespace lamina::test {

namespace {

// Kinks in the function or in its first derivative.
bool has_kinks(kernels::Activation activation) {
  using kernels::Activation;
  switch (activation) {
    case Activation::relu:
    case Activation::relu6:
    case Activation::leaky_relu:
    case Activation::elu:
    case Activation::selu:
    case Activation::hard_sigmoid:
    case Activation::softsign:
      return true;
    default:
      return false;
  }
}

RegularizerPtr l1_l2() {
  return Regularizer::registry().make({"L1L2", {{"l1", 0.02}, {"l2", 0.03}}});
}

LayerPtr dense_with(DenseOptions options, std::int64_t units, kernels::Activation activation) {
  options.units = units;
  options.activation = activation;
  return dense(std::move(options));
}

}  // namespace

TEST_CASE("Dense passes the harness at odd shapes") {
  using kernels::Activation;
  check_layer({"1 to 1", dense(1), Shape{1}, 1});
  check_layer({"7 to 17", dense(17), Shape{7}, 5});
  check_layer({"17 to 1", dense(1, "sigmoid"), Shape{17}, 3});
  check_layer({"31 to 33", dense(33, "tanh"), Shape{31}, 2});
  check_layer({"15 to 16", dense(16, "softmax"), Shape{15}, 7});
  check_layer({"(2, 3, 5) to (2, 3, 7)", dense(7, "gelu"), Shape{2, 3, 5}, 3});
  check_layer({"no bias", dense_with({.use_bias = false}, 5, Activation::mish), Shape{6}, 4});
}

TEST_CASE("Dense passes the harness with each activation") {
  for (const std::string_view name : kernels::activation_names()) {
    const kernels::Activation activation = *kernels::activation_named(name);
    check_layer({"Dense " + std::string(name), dense(5, name), Shape{3}, 2, has_kinks(activation)});
  }
}

TEST_CASE("Dense passes the harness with an activity regularizer") {
  using kernels::Activation;
  for (const Activation activation : {Activation::linear, Activation::tanh, Activation::gelu}) {
    check_layer(
        {"activity", dense_with({.activity_regularizer = l1_l2()}, 5, activation), Shape{4}, 3, true});
  }
}

TEST_CASE("Activation passes the harness with each activation") {
  for (const std::string_view name : kernels::activation_names()) {
    const bool kinks = has_kinks(*kernels::activation_named(name));
    for (const std::size_t columns : {1U, 17U, 31U}) {
      check_layer({std::string(name), activation(name), Shape{columns}, 3, kinks});
    }
    check_layer({std::string(name) + " of (2, 3, 5)", activation(name), Shape{2, 3, 5}, 2, kinks});
  }
}

TEST_CASE("LeakyReLU, ELU and Softmax pass the harness") {
  check_layer({"LeakyReLU", leaky_relu(), Shape{33}, 3, true});
  check_layer({"LeakyReLU 0", leaky_relu(0), Shape{7}, 3, true});
  check_layer({"ELU", elu(), Shape{33}, 3, true});
  check_layer({"ELU 0.3", elu(0.3), Shape{2, 7}, 3, true});
  check_layer({"Softmax", softmax(), Shape{17}, 3});
  check_layer({"Softmax of (3, 7)", softmax({.axis = 2}), Shape{3, 7}, 2});
}

TEST_CASE("Dropout and GaussianNoise pass the harness") {
  for (const std::size_t columns : {1U, 13U, 65U}) {
    check_layer({"Dropout", dropout(0.4), Shape{columns}, 7});
    check_layer({"Dropout with a seed", dropout({.rate = 0.4, .seed = 3}), Shape{columns}, 7});
    check_layer({"GaussianNoise", gaussian_noise(0.3), Shape{columns}, 5});
  }
  check_layer({"Dropout 0", dropout(0.0), Shape{5}});
  check_layer({"Dropout 1", dropout(1.0), Shape{2, 3}});
  check_layer({"GaussianNoise 0", gaussian_noise(0.0), Shape{5}});
}

TEST_CASE("BatchNormalization passes the harness") {
  for (const std::size_t channels : {1U, 7U, 17U, 33U}) {
    check_layer({"BatchNormalization", batch_normalization(), Shape{channels}, 17});
  }
  check_layer({"of (3, 5)", batch_normalization({.axis = 2}), Shape{3, 5}, 7});
  check_layer({"masked", batch_normalization(), Shape{5}, 11, false, true});
  check_layer({"masked (3, 5)", batch_normalization(), Shape{3, 5}, 7, false, true});
  check_layer({"no beta", batch_normalization({.center = false}), Shape{5}, 7});
  check_layer({"no gamma", batch_normalization({.scale = false}), Shape{5}, 7});
  check_layer({"neither", batch_normalization({.center = false, .scale = false}), Shape{5}, 7});
}

TEST_CASE("LayerNormalization passes the harness") {
  for (const std::size_t columns : {1U, 7U, 17U, 33U}) {
    check_layer({"LayerNormalization", layer_normalization(), Shape{columns}, 5});
  }
  check_layer({"last of (3, 5)", layer_normalization(), Shape{3, 5}, 3});
  check_layer({"both of (3, 5)", layer_normalization({.axis = {1, 2}}), Shape{3, 5}, 3});
  check_layer({"last two of (2, 3, 5)", layer_normalization({.axis = {-2, -1}}), Shape{2, 3, 5}, 3});
  check_layer({"no beta", layer_normalization({.center = false}), Shape{5}, 7});
  check_layer({"no gamma", layer_normalization({.scale = false}), Shape{5}, 7});
  check_layer({"neither", layer_normalization({.center = false, .scale = false}), Shape{5}, 7});
}

TEST_CASE("Layers without parameters pass the harness") {
  check_layer({"Input", input({3, 5}), Shape{3, 5}});
  check_layer({"Flatten", flatten(), Shape{3, 5}});
  check_layer({"Flatten of numbers", flatten(), Shape{}});
  check_layer({"Reshape", reshape({5, -1, 1}), Shape{3, 5}});
  check_layer({"Rescaling", rescaling(0.3, -1.5), Shape{17}});
  check_layer(
      {"ActivityRegularization", activity_regularization({.l1 = 0.02, .l2 = 0.03}), Shape{17}, 3, true});
  check_layer({"ActivityRegularization 0", activity_regularization(), Shape{2, 3}});
}

}  // namespace lamina::test
