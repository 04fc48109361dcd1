// What layers declare and refuse: options, shapes, names.
#include <doctest/doctest.h>

#include <string>

#include "lamina/core/error.h"
#include "lamina/layers/registered.h"

namespace lamina::test {

namespace {

LayerSpec build(const LayerPtr& layer, const Shape& input, const std::string& name = "tested") {
  const TensorSpec inputs[] = {{input}};
  return layer->build(inputs, name);
}

template <class Exception, class Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

std::vector<std::string> field_names(const std::string& type) {
  std::vector<std::string> names;
  for (const auto& entry : Layer::registry().entries()) {
    if (entry.schema.type != type) continue;
    for (const FieldInfo& field : entry.schema.fields) names.push_back(field.name);
  }
  return names;
}

}  // namespace

TEST_CASE("Layers have Keras's fields in Keras's order") {
  using Names = std::vector<std::string>;
  CHECK(field_names("Dense") == Names{"units", "activation", "use_bias", "kernel_initializer",
                                      "bias_initializer", "kernel_regularizer", "bias_regularizer",
                                      "activity_regularizer", "kernel_constraint", "bias_constraint",
                                      "trainable", "name"});
  CHECK(field_names("BatchNormalization") ==
        Names{"axis", "momentum", "epsilon", "center", "scale", "beta_initializer", "gamma_initializer",
              "moving_mean_initializer", "moving_variance_initializer", "beta_regularizer",
              "gamma_regularizer", "beta_constraint", "gamma_constraint", "trainable", "name"});
  CHECK(field_names("LayerNormalization") == Names{"axis", "epsilon", "center", "scale", "beta_initializer",
                                                   "gamma_initializer", "beta_regularizer",
                                                   "gamma_regularizer", "beta_constraint", "gamma_constraint",
                                                   "trainable", "name"});
  CHECK(field_names("Dropout") == Names{"rate", "seed", "trainable", "name"});
  for (const auto& entry : Layer::registry().entries()) {
    const auto& fields = entry.schema.fields;
    REQUIRE(fields.size() >= 2);
    CHECK(fields[fields.size() - 2].name == "trainable");
    CHECK(fields.back().name == "name");
  }
  CHECK(Layer::registry().entries().size() == 14);
}

TEST_CASE("A layer shows its hyperparameters and can be made from a description") {
  CHECK(leaky_relu()->repr() == "LeakyReLU(negative_slope=0.3, trainable=True, name='')");
  CHECK(dropout(0.2F)->repr() == "Dropout(rate=0.2, seed=None, trainable=True, name='')");
  CHECK(layer_normalization({.axis = {1, 2}})->config().find("axis")->str() == "(1, 2)");
  CHECK(layer_normalization()->config().find("axis")->str() == "-1");
  const LayerPtr made =
      Layer::registry().make({"Dense", {{"units", 3}, {"activation", "relu"}, {"name", "out"}}});
  CHECK(made->given_name() == "out");
  CHECK(made->initially_trainable());
  CHECK(made->config() ==
        dense({.units = 3, .activation = kernels::Activation::relu, .name = "out"})->config());
  const LayerPtr none = Layer::registry().make({"Dense", {{"units", 3}, {"activation", Value()}}});
  CHECK(none->config() == dense(3)->config());
  CHECK_FALSE(flatten({.trainable = false})->initially_trainable());
}

TEST_CASE("Hyperparameters are checked when a layer is made") {
  CHECK(message_of<ArgumentError>([] { dense(0); }) ==
        "Dense: expected units to be a whole number of at least 1, got 0.");
  CHECK(message_of<ArgumentError>([] { dense(3, "rleu"); }) ==
        "Unknown activation 'rleu'; did you mean 'relu'?");
  CHECK(message_of<ArgumentError>([] { dropout(1.5); }) ==
        "Dropout: expected rate to be a number in [0, 1], got 1.5.");
  CHECK(message_of<ArgumentError>([] { leaky_relu(-0.1); }) ==
        "LeakyReLU: expected negative_slope to be a non-negative number, got -0.1.");
  CHECK(message_of<ArgumentError>([] { dense({.units = 3, .kernel_initializer = nullptr}); }) ==
        "Dense: expected kernel_initializer to be an initializer, got None.");
  CHECK(message_of<ArgumentError>([] { reshape({-1, -1}); }) ==
        "Reshape: expected target_shape to be at most 7 positive extents, at most one of them -1, got (-1, "
        "-1).");
  CHECK(
      message_of<ArgumentError>([] { reshape({1, 1, 1, 1, 1, 1, 1, 1}); }).starts_with("Reshape: expected"));
  CHECK(message_of<ArgumentError>([] { input({0}); }).starts_with("Input: expected shape to be"));
  CHECK(message_of<ArgumentError>([] { batch_normalization({.momentum = 1.5}); }).find("momentum") !=
        std::string::npos);
  CHECK(message_of<ArgumentError>([] {
          layer_normalization({.axis = Axes(std::vector<std::int64_t>{})});
        }).starts_with("LayerNormalization: expected axis to be"));
  CHECK(message_of<ArgumentError>([] { Layer::registry().make(Config{"Dropout", {}}); }) ==
        "Dropout: expected the argument 'rate', got none.");
  CHECK(message_of<ArgumentError>([] {
          Layer::registry().make({"Dense", {{"units", 3}, {"activation", 7}}});
        }) == "Dense: activation: expected the name of an activation, got 7.");
}

TEST_CASE("A layer refuses inputs that don't fit, by its name") {
  CHECK(message_of<ShapeError>([] { build(dense(3), Shape{}, "dense_2"); }) ==
        "Dense 'dense_2': expected input of at least 2 dimensions, got (batch,).");
  CHECK(message_of<ShapeError>([] { dense(3)->build({}, "dense_2"); }) ==
        "Dense 'dense_2': expected one input, got 0.");
  CHECK(message_of<ShapeError>([] { build(input({3}), Shape{4}, "in"); }) ==
        "Input 'in': expected input of shape (batch, 3), got (batch, 4).");
  CHECK(message_of<ShapeError>([] { build(reshape({4, -1}), Shape{6}, "r"); }) ==
        "Reshape 'r': expected rows whose elements fill the target shape (4, -1), got input of shape (batch, "
        "6).");
  CHECK(message_of<ShapeError>([] {
          build(reshape({4}), Shape{6}, "r");
        }).starts_with("Reshape 'r': expected"));
  CHECK(message_of<ShapeError>([] { build(softmax({.axis = 1}), Shape{2, 3}, "s"); }) ==
        "Softmax 's': expected the last axis (-1), got axis 1.");
  CHECK(message_of<ShapeError>([] { build(softmax({.axis = 5}), Shape{2, 3}, "s"); }) ==
        "Softmax 's': expected axis between -3 and 2, got 5.");
  CHECK(message_of<ShapeError>([] { build(batch_normalization({.axis = 1}), Shape{2, 3}, "b"); }) ==
        "BatchNormalization 'b': expected the last axis (-1), got axis 1.");
  CHECK(message_of<ShapeError>([] { build(layer_normalization({.axis = 1}), Shape{2, 3}, "l"); }) ==
        "LayerNormalization 'l': expected the last axes in order, without the batch, got axis 1 for input of "
        "shape "
        "(batch, 2, 3).");
  CHECK(message_of<ShapeError>([] {
          build(layer_normalization({.axis = {0, 1}}), Shape{2}, "l");
        }).starts_with("LayerNormalization 'l': expected the last axes"));
  CHECK(message_of<ShapeError>([] {
          build(layer_normalization({.axis = {2, 1}}), Shape{2, 3}, "l");
        }).starts_with("LayerNormalization 'l': expected the last axes"));
  CHECK(message_of<ShapeError>([] { build(activation("softmax"), Shape{}, "a"); }) ==
        "Activation 'a': expected input of at least 2 dimensions, got (batch,).");
  CHECK_THROWS_AS(build(dense(std::int64_t{1} << 62), Shape{std::size_t{1} << 10}), ShapeError);
}

TEST_CASE("Layers that change shapes say what comes out") {
  CHECK(build(flatten(), Shape{2, 3, 5}).outputs[0].shape == Shape{30});
  CHECK(build(flatten(), Shape{}).outputs[0].shape == Shape{1});
  CHECK(build(reshape({3, -1}), Shape{2, 3, 5}).outputs[0].shape == Shape{3, 10});
  CHECK(build(reshape({6, 5}), Shape{2, 3, 5}).outputs[0].shape == Shape{6, 5});
  CHECK(input({4, 2})->build({}, "in").outputs[0].shape == Shape{4, 2});
  for (const LayerPtr& layer : {flatten(), reshape({-1}), input({30})}) CHECK(layer->is_view());
  CHECK_FALSE(dense(3)->is_view());
}

}  // namespace lamina::test
