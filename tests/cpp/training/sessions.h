// Sessions and data for the tests of training.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "lamina/layers/batch_normalization.h"
#include "lamina/layers/dense.h"
#include "lamina/layers/dropout.h"
#include "lamina/layers/input.h"
#include "lamina/losses/crossentropy.h"
#include "lamina/losses/regression.h"
#include "lamina/model/graph.h"
#include "lamina/optimizers/adam.h"
#include "lamina/optimizers/sgd.h"
#include "lamina/training/session.h"

namespace lamina::test {

// Rows of 5 numbers, one of 3 labels each, a target of 3 numbers, and a weight.
struct Samples {
  std::vector<float> x, values, weights;
  std::vector<std::int32_t> labels;
  std::size_t rows;

  explicit Samples(std::size_t count, std::uint64_t seed = 1) : rows(count) {
    std::mt19937_64 generator(seed);
    std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < 5; ++i) x.push_back(uniform(generator));
      for (std::size_t i = 0; i < 3; ++i) values.push_back(uniform(generator));
      weights.push_back(1.5F + uniform(generator));
      labels.push_back(static_cast<std::int32_t>(generator() % 3));
    }
  }
  Dataset with_labels(std::size_t first = 0, std::size_t count = SIZE_MAX) const {
    count = std::min(count, rows - first);
    Dataset data;
    data.inputs = {ArrayView(x.data() + first * 5, Shape{count, 5})};
    data.targets = {ArrayView(labels.data() + first, Shape{count})};
    return data;
  }
  Dataset with_values(std::size_t first = 0, std::size_t count = SIZE_MAX) const {
    Dataset data = with_labels(first, count);
    data.targets = {ArrayView(values.data() + first * 3, Shape{data.rows(), 3})};
    return data;
  }
};

// Everything that training has: batch statistics, dropout, penalties on weights and activities, a constraint.
inline Model busy_model(std::uint64_t seed = 3) {
  DenseOptions first;
  first.units = 16;
  first.activation = kernels::Activation::relu;
  first.kernel_regularizer = l1_l2({.l1 = 1e-3, .l2 = 1e-2});
  first.activity_regularizer = l2({.l2 = 1e-3});
  DenseOptions second;
  second.units = 8;
  second.activation = kernels::Activation::gelu;
  second.kernel_constraint = max_norm({.max_value = 1.5});
  return sequential(
      {input({5}), dense(first), batch_normalization(), dropout(0.3), dense(second), dense(3, "softmax")},
      seed);
}

// The same without what makes rows depend on each other, or draws.
inline Model plain_model(std::uint64_t seed = 3) {
  return sequential({input({5}), dense(7, "tanh"), dense(3)}, seed);
}

inline std::unique_ptr<TrainingSession> make_session(Model model, OptimizerPtr optimizer, LossPtr loss,
                                                     std::vector<std::string> metrics = {}) {
  SessionOptions options;
  options.optimizer = std::move(optimizer);
  options.heads.push_back({std::move(loss), {}, std::move(metrics)});
  options.seed = 11;
  return std::make_unique<TrainingSession>(std::move(model), std::move(options));
}

// All that a step may move. Compared as bits.
struct Numbers {
  std::vector<float> weights, statistics;
  TrainingSession::State state;

  friend bool operator==(const Numbers& a, const Numbers& b) {
    return same(a.weights, b.weights) && same(a.statistics, b.statistics) && a.state.seed == b.state.seed &&
           a.state.step == b.state.step && a.state.updates == b.state.updates &&
           a.state.accumulated_batches == b.state.accumulated_batches &&
           a.state.accumulated_weight == b.state.accumulated_weight &&
           a.state.optimizer_memory == b.state.optimizer_memory &&
           a.state.tensors.size() == b.state.tensors.size() &&
           std::equal(
               a.state.tensors.begin(), a.state.tensors.end(), b.state.tensors.begin(),
               [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); });
  }
  static bool same(const std::vector<float>& a, const std::vector<float>& b) {
    if (a.empty() || b.empty()) return a.size() == b.size();
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  }
};

inline Numbers numbers_of(TrainingSession& session) {
  const Graph& graph = session.model().graph();
  const auto copy = [](const Buffer& buffer) {
    return std::vector<float>(buffer.span().begin(), buffer.span().end());
  };
  return {copy(graph.parameter_values), copy(graph.state_values), session.state()};
}

}  // namespace lamina::test
