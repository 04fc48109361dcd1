#include "lamina/model/model.h"

#include <doctest/doctest.h>

#include <cstring>
#include <thread>

#include "lamina/core/error.h"
#include "lamina/layers/activation.h"
#include "lamina/layers/batch_normalization.h"
#include "lamina/layers/dense.h"
#include "lamina/layers/dropout.h"
#include "lamina/layers/flatten.h"
#include "lamina/layers/input.h"
#include "lamina/model/graph.h"
#include "model/graph_layers.h"

using namespace lamina;
using namespace lamina::test;

namespace {

Model small_model(std::optional<std::uint64_t> seed = 4) {
  return sequential({input({7}), dense(33, "gelu"), batch_normalization(), dropout(0.5), dense(17, "relu"),
                     dense(5, "softmax")},
                    seed);
}

std::vector<float> predict(const Model& model, const ArrayView& x, std::size_t batch_size) {
  std::vector<float> output(x.rows() * 5, -1.0F);
  model.predict(x, {output.data(), Shape{x.rows(), 5}}, batch_size);
  return output;
}

}  // namespace

TEST_CASE("names are numbered by type, as in Keras") {
  const Model model = sequential({dense(1), batch_normalization(), dense(1), activation("relu"),
                                  dense({.units = 2, .name = "head"}), dense(1), batch_normalization()});
  std::vector<std::string> names;
  for (std::size_t i = 0; i < model.num_layers(); ++i) names.push_back(model.layer_name(i));
  CHECK(names == std::vector<std::string>{"dense", "batch_normalization", "dense_1", "activation", "head",
                                          "dense_2", "batch_normalization_1"});
  CHECK(sequential({dense({.units = 1, .name = "dense"}), dense(1)}).layer_name(1) == "dense_1");
}

TEST_CASE("what can't be a Sequential") {
  const LayerPtr layer = dense(2);
  CHECK_THROWS_WITH_AS(sequential({}), "Sequential: expected at least one layer, got none.", ArgumentError);
  CHECK_THROWS_AS(sequential({input({2})}), ArgumentError);
  CHECK_THROWS_WITH_AS(sequential({dense(2), nullptr}), "Sequential: expected layers, got null at index 1.",
                       ArgumentError);
  CHECK_THROWS_AS(sequential({layer, layer}), ArgumentError);
  CHECK_THROWS_WITH_AS(sequential({dense(2), input({2})}),
                       "Sequential: expected Input as the first layer only, got one at index 1.",
                       ArgumentError);
  CHECK_THROWS_AS(sequential({dense({.units = 1, .name = "a"}), dense({.units = 1, .name = "a"})}),
                  ArgumentError);
  CHECK_THROWS_AS(sequential({dense({.units = 1, .name = "a/b"})}), ArgumentError);
  CHECK_THROWS_AS(sequential({input({}), dense(2)}), ShapeError);
}

TEST_CASE("a lazy model knows nothing until it is built") {
  Model model = sequential({flatten(), dense(3), batch_normalization()});
  CHECK_FALSE(model.built());
  CHECK_THROWS_AS(model.count_params(), StateError);
  CHECK_THROWS_AS(model.flat_parameters(), StateError);
  CHECK_THROWS_AS(model.input_shape(), StateError);
  const std::vector<float> x(12);
  CHECK_THROWS_AS(model.predict(ArrayView(x.data(), Shape{2, 6})), StateError);

  CHECK_THROWS_AS(model.build(Shape{0, 6}), ShapeError);
  CHECK_FALSE(model.built());
  model.build(Shape{2, 3});
  CHECK(model.built());
  CHECK(model.input_shape() == Shape{2, 3});
  CHECK(model.output_shape() == Shape{3});
  CHECK(model.count_params() == 6 * 3 + 3 + 4 * 3);
  CHECK(model.count_trainable_params() == 6 * 3 + 3 + 2 * 3);
  model.set_trainable(1, false);
  CHECK(model.count_trainable_params() == 2 * 3);
  model.build(Shape{2, 3});  // again, the same
  CHECK_THROWS_WITH_AS(model.build(Shape{6}),
                       "Model: expected the input shape (batch, 2, 3) that it is built with, got (batch, 6).",
                       StateError);
}

TEST_CASE("a seed gives the same weights, another gives others") {
  const auto weights = [](std::optional<std::uint64_t> seed) {
    Model model = small_model(seed);
    const auto flat = model.flat_parameters();
    return std::vector<float>(flat.begin(), flat.end());
  };
  CHECK(weights(4) == weights(4));
  CHECK_FALSE(weights(4) == weights(5));
  CHECK_FALSE(weights(std::nullopt) == weights(std::nullopt));
}

TEST_CASE("a row's prediction depends on neither its neighbours nor the batch size") {
  const Model model = small_model();
  constexpr std::size_t kRows = 301;
  const std::vector<float> x = random_floats(kRows * 7, 1);
  const ArrayView view(x.data(), Shape{kRows, 7});
  const std::vector<float> expected = predict(model, view, 256);
  for (const std::size_t batch_size : {0U, 1U, 2U, 3U, 7U, 16U, 17U, 64U, 300U, 301U, 1000U}) {
    CAPTURE(batch_size);
    CHECK(predict(model, view, batch_size) == expected);
  }
  for (std::size_t rows = 1; rows < 20; ++rows) {
    const std::vector<float> some = predict(model, ArrayView(x.data(), Shape{rows, 7}), 256);
    CHECK(std::memcmp(some.data(), expected.data(), some.size() * sizeof(float)) == 0);
  }
  CHECK(predict(model, ArrayView(x.data(), Shape{0, 7}), 256).empty());
}

TEST_CASE("predictions from other types and strides are those of the same numbers") {
  const Model model = small_model();
  std::vector<std::int16_t> whole(40 * 7);
  for (std::size_t i = 0; i < whole.size(); ++i) whole[i] = static_cast<std::int16_t>(i % 5);
  const std::vector<float> plain(whole.begin(), whole.end());
  const std::vector<float> expected = predict(model, ArrayView(plain.data(), Shape{40, 7}), 256);
  CHECK(predict(model, ArrayView(whole.data(), Shape{40, 7}), 256) == expected);
  // Upside down.
  std::vector<float> reversed =
      predict(model, ArrayView(plain.data() + 39 * 7, DType::f32, Shape{40, 7}, -28), 6);
  for (std::size_t row = 0; row < 40; ++row) {
    CHECK(std::memcmp(&reversed[row * 5], &expected[(39 - row) * 5], 5 * sizeof(float)) == 0);
  }
}

TEST_CASE("predict refuses what doesn't fit") {
  const Model model = small_model();
  const std::vector<float> x(14);
  std::vector<float> output(10);
  const View room{output.data(), Shape{2, 5}};
  CHECK_THROWS_WITH_AS(model.predict(ArrayView(x.data(), Shape{2, 6}), room),
                       "Model: expected x of shape (batch, 7), got (2, 6).", ShapeError);
  CHECK_THROWS_AS(model.predict(ArrayView(x.data(), Shape{2, 7, 1}), room), ShapeError);
  CHECK_THROWS_AS(model.predict(ArrayView(x), room), ShapeError);
  CHECK_THROWS_AS(model.predict(ArrayView(), room), ShapeError);
  CHECK_THROWS_AS(model.predict(ArrayView(x.data(), Shape{2, 7}), {output.data(), Shape{1, 5}}), ShapeError);
}

TEST_CASE("four threads predict with one model") {
  // Its weights are not drawn yet: the threads meet there too.
  const Model model = small_model(std::nullopt);
  constexpr std::size_t kRows = 100;
  const std::vector<float> x = random_floats(kRows * 7, 1);
  std::vector<std::vector<float>> results(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (std::size_t round = 0; round < 30; ++round) {
        std::vector<float> result = predict(model, ArrayView(x.data(), Shape{kRows, 7}), 10 + i);
        if (round == 0) results[i] = result;
        if (result != results[i]) results[i].clear();  // fails below
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<float> expected = predict(model, ArrayView(x.data(), Shape{kRows, 7}), 256);
  for (const auto& result : results) CHECK(result == expected);
}

TEST_CASE("a clone is the same model with numbers of its own") {
  Model model = small_model();
  const std::vector<float> x = random_floats(30 * 7, 1);
  const ArrayView view(x.data(), Shape{30, 7});
  const std::vector<float> expected = predict(model, view, 256);
  Model copy = model;  // a handle
  Model clone = model.clone();
  CHECK(predict(clone, view, 256) == expected);
  clone.flat_parameters()[0] += 1.0F;
  clone.set_trainable(0, false);
  CHECK(predict(model, view, 256) == expected);
  CHECK(model.trainable(0));
  CHECK_FALSE(predict(clone, view, 256) == expected);
  copy.flat_parameters()[0] += 1.0F;
  CHECK(predict(model, view, 256) == predict(clone, view, 256));
}
