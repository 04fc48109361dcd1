#include "lamina/model/predictor.h"

#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <thread>

#include "allocation.h"
#include "lamina/core/error.h"
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

Model small_model() {
  return sequential(
      {input({2, 3}), flatten(), dense(20, "relu"), batch_normalization(), dropout(0.5), dense(4, "softmax")},
      4);
}

}  // namespace

TEST_CASE("a predictor predicts as the model does") {
  const Model model = small_model();
  Predictor predictor(model, {.max_batch = 9});
  CHECK(predictor.input_size() == 6);
  CHECK(predictor.output_size() == 4);
  const std::vector<float> x = random_floats(9 * 6, 1);
  for (const std::size_t rows : {9U, 1U, 4U}) {
    std::vector<float> output(rows * 4);
    CHECK(predictor.predict({x.data(), rows * 6}, output) == Status::ok);
    CHECK(output == model.predict(ArrayView(x.data(), Shape{rows, 2, 3})));
  }
}

TEST_CASE("a predictor says what is wrong and touches nothing") {
  Predictor predictor(small_model(), {.max_batch = 3});
  const std::vector<float> x = random_floats(100, 1);
  std::vector<float> output(100, 7.0F);
  const auto status = [&](std::size_t in, std::size_t out) {
    return predictor.predict({x.data(), in}, {output.data(), out});
  };
  for (const std::size_t in : {0U, 1U, 5U, 7U, 17U, 24U, 60U})
    CHECK(status(in, 4) == Status::wrong_input_size);
  for (const std::size_t out : {0U, 3U, 5U, 8U, 100U}) CHECK(status(6, out) == Status::wrong_output_size);
  CHECK(status(18, 11) == Status::wrong_output_size);
  CHECK(output == std::vector<float>(100, 7.0F));
  CHECK(status(18, 12) == Status::ok);
  CHECK(output[11] != 7.0F);
  CHECK(output[12] == 7.0F);
}

TEST_CASE("a predictor holds a snapshot until it is refreshed") {
  Model model = small_model();
  Predictor predictor(model);
  const std::vector<float> x = random_floats(6, 1);
  const auto predict = [&] {
    std::vector<float> output(4);
    CHECK(predictor.predict(x, output) == Status::ok);
    return output;
  };
  const std::vector<float> before = predict();
  for (float& weight : model.flat_parameters()) weight *= 1.5F;
  model.graph().state_values.data()[0] += 0.5F;
  CHECK(predict() == before);
  predictor.refresh();
  CHECK_FALSE(predict() == before);
  CHECK(predict() == model.predict(ArrayView(x.data(), Shape{1, 2, 3})));
  Predictor moved = std::move(predictor);
  predictor = std::move(moved);
  predict();
}

TEST_CASE("a predictor allocates nothing after its construction") {
  if (!counts_allocations()) return;
  Predictor predictor(small_model(), {.max_batch = 5});
  const std::vector<float> x = random_floats(30, 1);
  std::vector<float> output(20);
  const AllocationCount allocated;
  predictor.predict({x.data(), 6}, {output.data(), 4});
  predictor.predict(x, output);
  predictor.predict(x, {output.data(), 3});
  predictor.refresh();
  CHECK(allocated.count() == 0);
}

TEST_CASE("predictors of many threads share a model") {
  const Model model = small_model();
  const std::vector<float> x = random_floats(64 * 6, 1);
  const std::vector<float> expected = model.predict(ArrayView(x, {64, 2, 3}));
  std::vector<std::vector<float>> got(4, std::vector<float>(64 * 4));
  std::vector<std::thread> threads;
  for (auto& output : got) {
    threads.emplace_back([&model, &x, &output] {
      Predictor predictor(model, {.max_batch = 2});
      for (std::size_t row = 0; row < 64; row += 2)
        predictor.predict({x.data() + row * 6, 12}, {output.data() + row * 4, 8});
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& output : got) CHECK(output == expected);
}

TEST_CASE("what no predictor is made of") {
  CHECK_THROWS_AS(Predictor(sequential({dense(2)})), StateError);
  CHECK_THROWS_AS(Predictor(small_model(), {.max_batch = 0}), ArgumentError);
  auto graph = std::make_shared<Graph>();
  const Edge x{graph->add_input({Shape{2}}), 0};
  graph->outputs = {x, {graph->add_call(graph->add_layer(dense(2)), {x}), 0}};
  graph->build();
  CHECK_THROWS_AS(Predictor(Model(graph)), ArgumentError);
}
