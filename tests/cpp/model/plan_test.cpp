// Plans of graphs that are no chains, against the same graphs computed in float64 and their numeric
// gradients.
#include "lamina/model/plan.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "allocation.h"
#include "lamina/kernels/dispatch.h"
#include "lamina/layers/dense.h"
#include "lamina/layers/flatten.h"
#include "lamina/layers/reshape.h"
#include "model/graph_layers.h"

using namespace lamina;
using namespace lamina::test;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
using Floats = std::vector<float>;

// Builds a graph call by call.
struct Sketch {
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();

  Edge input(const Shape& shape) { return {graph->add_input({shape}), 0}; }
  std::size_t layer(LayerPtr made) { return graph->add_layer(std::move(made)); }
  Edge call(std::size_t layer_index, std::vector<Edge> inputs) {
    return {graph->add_call(layer_index, std::move(inputs)), 0};
  }
  Edge call(LayerPtr made, std::vector<Edge> inputs) {
    return call(layer(std::move(made)), std::move(inputs));
  }
  Edge dense(std::int64_t units, const Edge& edge) { return call(lamina::dense(units, "tanh"), {edge}); }
};

Edge second(const Edge& edge) {
  return {edge.node, 1};
}

// One graph, its numbers, and a loss that is the sum of `direction` * output.
class PlanCheck {
 public:
  PlanCheck(std::shared_ptr<Graph> graph, std::size_t max_rows)
      : graph_(std::move(graph)), max_rows_(max_rows) {
    graph_->build();
    parameters_ = random_floats(graph_->parameter_count, 3, 0.7);
    for (const std::size_t input : graph_->inputs) {
      const std::size_t floats = graph_->nodes[input].spec.outputs[0].shape.elements() * max_rows;
      inputs_.push_back(random_floats(floats, 10 + input));
    }
    for (std::size_t i = 0; i < graph_->outputs.size(); ++i) {
      directions_.push_back(random_floats(output_floats(i) * max_rows, 20 + i));
    }
  }

  // Everything that must hold, for full batches, for smaller ones, and again for full ones.
  void run() {
    Plan plan(*graph_, {.max_rows = max_rows_, .mode = Mode::training, .backward = true, .emit_logits = {}});
    arena_ = last_aligned_block();
    if (counts_allocations()) REQUIRE(arena_.floats * sizeof(float) >= plan.arena_bytes());
    for (const std::size_t rows : {max_rows_, max_rows_ / 2, std::size_t{1}, max_rows_}) {
      CAPTURE(rows);
      const std::vector<Floats> outputs = check_forward(plan, rows);
      const Floats gradient = check_backward(plan, rows);
      check_redirected(plan, rows, outputs, gradient);
      check_inference(rows, outputs);
      check_accumulation(plan, rows, gradient);
    }
  }

 private:
  std::size_t output_floats(std::size_t index) const {
    return graph_->spec_of(graph_->outputs[index]).shape.elements();
  }

  // What is left in the arena must not matter: the caller's numbers for a NaN would show.
  void poison() const {
    if (counts_allocations()) std::fill_n(arena_.data, arena_.floats, kNaN);
  }

  PlanRun make_run(std::size_t rows) {
    input_pointers_.clear();
    for (const Floats& input : inputs_) input_pointers_.push_back(input.data());
    PlanRun run;
    run.rows = rows;
    run.inputs = input_pointers_;
    run.parameters = parameters_.data();
    run.executor = &serial_executor();
    run.training_kernels = &kernels::training_table();
    return run;
  }

  std::vector<std::vector<double>> reference(std::size_t rows, const std::vector<double>& parameters) const {
    std::vector<std::vector<double>> inputs;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const std::size_t floats = graph_->nodes[graph_->inputs[i]].spec.outputs[0].shape.elements() * rows;
      inputs.emplace_back(inputs_[i].begin(), inputs_[i].begin() + static_cast<std::ptrdiff_t>(floats));
    }
    return reference_outputs(*graph_, parameters, inputs, rows);
  }

  double loss(std::size_t rows, const std::vector<double>& parameters) const {
    const auto outputs = reference(rows, parameters);
    double sum = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      for (std::size_t j = 0; j < outputs[i].size(); ++j)
        sum += static_cast<double>(directions_[i][j]) * outputs[i][j];
    }
    return sum;
  }

  std::vector<Floats> check_forward(Plan& plan, std::size_t rows) {
    poison();
    plan.forward(make_run(rows));
    const auto expected = reference(rows, to_double(parameters_));
    std::vector<Floats> outputs;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      outputs.emplace_back(plan.output(i), plan.output(i) + expected[i].size());
      for (std::size_t j = 0; j < expected[i].size(); ++j) {
        REQUIRE(outputs[i][j] == doctest::Approx(expected[i][j]).epsilon(1e-5));
      }
    }
    return outputs;
  }

  Floats run_backward(Plan& plan, PlanRun run, float before) {
    for (std::size_t i = 0; i < directions_.size(); ++i) {
      std::memcpy(plan.d_output(i), directions_[i].data(), output_floats(i) * run.rows * sizeof(float));
    }
    Floats gradient(graph_->parameter_count, before);
    run.gradient = gradient.data();
    plan.backward(run);
    return gradient;
  }

  bool frozen(std::size_t index) const {
    for (const Parameter& parameter : graph_->parameters) {
      if (index >= parameter.offset && index < parameter.offset + parameter.size) {
        return !graph_->layers[parameter.layer].trainable;
      }
    }
    return false;
  }

  Floats check_backward(Plan& plan, std::size_t rows) {
    const Floats gradient = run_backward(plan, make_run(rows), kNaN);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      if (frozen(i)) {
        REQUIRE(std::isnan(gradient[i]));  // untouched
        continue;
      }
      // Central differences in float64: an error of h^2 and of 1e-16 / h.
      constexpr double kStep = 1e-5;
      std::vector<double> moved = to_double(parameters_);
      const double at = moved[i];
      moved[i] = at + kStep;
      const double above = loss(rows, moved);
      moved[i] = at - kStep;
      const double numeric = (above - loss(rows, moved)) / (2 * kStep);
      CAPTURE(i);
      REQUIRE(std::abs(gradient[i] - numeric) <= 2e-5 * (1 + std::abs(numeric)));
    }
    return gradient;
  }

  // Outputs in the caller's memory: the same bits there, and the same gradient.
  void check_redirected(Plan& plan, std::size_t rows, const std::vector<Floats>& expected,
                        const Floats& gradient) {
    std::vector<Floats> memory;
    std::vector<float*> pointers;
    for (std::size_t i = 0; i < expected.size(); ++i) memory.emplace_back(expected[i].size(), kNaN);
    for (Floats& output : memory) pointers.push_back(output.data());
    PlanRun run = make_run(rows);
    run.outputs = pointers;
    poison();
    plan.forward(run);
    CHECK(memory == expected);
    const Floats again = run_backward(plan, run, kNaN);
    CHECK(std::memcmp(again.data(), gradient.data(), gradient.size() * sizeof(float)) == 0);
  }

  void check_inference(std::size_t rows, const std::vector<Floats>& expected) {
    Plan plan(*graph_,
              {.max_rows = max_rows_, .mode = Mode::inference, .backward = false, .emit_logits = {}});
    const Block arena = last_aligned_block();
    if (counts_allocations()) std::fill_n(arena.data, arena.floats, kNaN);
    plan.forward(make_run(rows));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(std::memcmp(plan.output(i), expected[i].data(), expected[i].size() * sizeof(float)) == 0);
    }
  }

  void check_accumulation(Plan& plan, std::size_t rows, const Floats& gradient) {
    PlanRun run = make_run(rows);
    run.accumulate_gradient = true;
    plan.forward(run);
    const Floats sum = run_backward(plan, run, 5.0F);
    for (std::size_t i = 0; i < sum.size(); ++i) {
      if (frozen(i)) {
        REQUIRE(sum[i] == 5.0F);
      } else {
        REQUIRE(sum[i] == doctest::Approx(5.0F + gradient[i]).epsilon(1e-5));
      }
    }
  }

  std::shared_ptr<Graph> graph_;
  std::size_t max_rows_;
  Floats parameters_;
  std::vector<Floats> inputs_, directions_;
  std::vector<const float*> input_pointers_;
  Block arena_;
};

void check(Sketch& sketch, std::vector<Edge> outputs) {
  sketch.graph->outputs = std::move(outputs);
  PlanCheck(sketch.graph, 7).run();
}

}  // namespace

TEST_CASE("plan: a chain") {
  Sketch sketch;
  const Edge x = sketch.input({5});
  check(sketch, {sketch.dense(3, sketch.call(exponential(), {sketch.dense(4, sketch.dense(6, x))}))});
}

TEST_CASE("plan: a diamond") {
  Sketch sketch;
  const Edge x = sketch.input({5});
  const Edge top = sketch.dense(4, x);
  const Edge left = sketch.dense(6, top);
  const Edge right = sketch.dense(6, sketch.call(exponential(), {top}));
  check(sketch, {sketch.dense(2, sketch.call(multiply(), {left, right}))});
}

TEST_CASE("plan: a residual tower") {
  Sketch sketch;
  Edge edge = sketch.dense(4, sketch.input({3}));
  for (int i = 0; i < 4; ++i) edge = sketch.call(add(), {edge, sketch.dense(4, sketch.dense(9, edge))});
  check(sketch, {edge});
}

TEST_CASE("plan: a layer called three times adds its gradients") {
  Sketch sketch;
  const std::size_t shared = sketch.layer(dense(4, "tanh"));
  const Edge x = sketch.input({4});
  const Edge y = sketch.input({4});
  const Edge once = sketch.call(shared, {x});
  check(sketch, {sketch.call(multiply(), {sketch.call(shared, {once}), sketch.call(shared, {y})})});
}

TEST_CASE("plan: several inputs and outputs") {
  Sketch sketch;
  const Edge a = sketch.input({3});
  const Edge b = sketch.input({2, 2});
  const Edge left = sketch.dense(4, a);
  const Edge right = sketch.call(flatten(), {sketch.dense(2, b)});
  const Edge sum = sketch.call(add(), {left, right});
  check(sketch, {sketch.dense(3, sum), sketch.call(multiply(), {left, right}), sketch.dense(1, right)});
}

TEST_CASE("plan: an output that is also consumed") {
  Sketch sketch;
  const Edge hidden = sketch.dense(4, sketch.input({3}));
  const Edge product = sketch.call(multiply(), {hidden, hidden});
  check(sketch, {hidden, sketch.dense(2, product), product});
}

TEST_CASE("plan: an input that is an output") {
  Sketch sketch;
  const Edge x = sketch.input({3});
  check(sketch, {x, sketch.dense(2, x), sketch.call(flatten(), {x})});
}

TEST_CASE("plan: an output that stands twice gets both gradients") {
  Sketch sketch;
  const Edge y = sketch.dense(4, sketch.input({3}));
  check(sketch, {y, sketch.dense(2, y), y});
}

TEST_CASE("plan: the same edge twice into one layer") {
  Sketch sketch;
  const Edge hidden = sketch.dense(4, sketch.input({3}));
  const Edge doubled = sketch.call(add(), {hidden, hidden});
  check(sketch, {sketch.dense(2, sketch.call(multiply(), {doubled, doubled}))});
}

TEST_CASE("plan: views at the start, in the middle, at the end") {
  Sketch sketch;
  const Edge start = sketch.call(flatten(), {sketch.input({2, 3})});
  const Edge middle = sketch.call(reshape({2, 2}), {sketch.dense(4, start)});
  const Edge chain = sketch.call(flatten(), {sketch.call(reshape({4, 1}), {middle})});
  check(sketch, {sketch.call(reshape({3, 2}), {sketch.dense(6, chain)})});
}

TEST_CASE("plan: views whose input has other consumers") {
  Sketch sketch;
  const Edge hidden = sketch.dense(4, sketch.input({3}));
  const Edge view = sketch.call(reshape({2, 2}), {hidden});
  const Edge back = sketch.call(flatten(), {sketch.dense(2, view)});
  const Edge again = sketch.call(flatten(), {view});
  check(sketch, {sketch.call(add(), {back, sketch.call(multiply(), {hidden, again})}), view, hidden});
}

TEST_CASE("plan: a view of an output is an output") {
  Sketch sketch;
  const Edge hidden = sketch.dense(4, sketch.input({3}));
  check(sketch, {sketch.call(reshape({2, 2}), {hidden}), hidden, sketch.call(reshape({1, 4}), {hidden})});
}

TEST_CASE("plan: two outputs of a layer") {
  Sketch sketch;
  const Edge halves = sketch.call(split(), {sketch.dense(6, sketch.input({3}))});
  const Edge left = sketch.dense(4, halves);
  const Edge right = sketch.dense(4, second(halves));
  check(sketch, {sketch.call(multiply(), {left, right}), second(halves)});
}

TEST_CASE("plan: an output of a layer that nobody consumes has the gradient 0") {
  Sketch sketch;
  const Edge hidden = sketch.call(exponential(), {sketch.dense(8, sketch.input({3}))});
  const Edge halves = sketch.call(split(), {hidden});
  SUBCASE("the second") {
    check(sketch, {sketch.dense(4, sketch.call(exponential(), {halves}))});
  }
  SUBCASE("the first, behind a view") {
    const Edge view = sketch.call(reshape({2, 2}), {second(halves)});
    check(sketch, {sketch.call(flatten(), {sketch.dense(4, sketch.call(exponential(), {view}))})});
  }
  SUBCASE("of the last layer") {
    check(sketch, {second(halves)});
  }
}

TEST_CASE("plan: a branch that leads nowhere") {
  Sketch sketch;
  const Edge hidden = sketch.dense(4, sketch.input({3}));
  const Edge dead = sketch.dense(5, hidden);
  sketch.call(exponential(), {sketch.call(reshape({5, 1}), {dead})});
  check(sketch, {sketch.dense(2, hidden)});
}

TEST_CASE("plan: frozen layers pass gradients on, and their own is left alone") {
  Sketch sketch;
  const Edge x = sketch.input({3});
  const Edge first = sketch.dense(4, x);
  const Edge middle = sketch.dense(5, first);
  const Edge last = sketch.dense(2, sketch.call(same(), {middle}));
  SUBCASE("the first") {
    sketch.graph->layers[0].trainable = false;
  }
  SUBCASE("the middle") {
    sketch.graph->layers[1].trainable = false;
  }
  SUBCASE("the last") {
    sketch.graph->layers[3].trainable = false;
  }
  SUBCASE("all") {
    for (LayerEntry& entry : sketch.graph->layers) entry.trainable = false;
  }
  check(sketch, {last, first});
}

TEST_CASE("plan: the largest tensors of a deep chain share memory") {
  Sketch sketch;
  Edge edge = sketch.input({64});
  for (int i = 0; i < 20; ++i) edge = sketch.call(same(), {edge});
  sketch.graph->outputs = {edge};
  sketch.graph->build();
  const Plan plan(*sketch.graph,
                  {.max_rows = 10, .mode = Mode::inference, .backward = false, .emit_logits = {}});
  CHECK(plan.arena_bytes() <= 2 * 64 * 10 * sizeof(float));
}

TEST_CASE("plan: running allocates nothing") {
  if (!counts_allocations()) return;
  Sketch sketch;
  const Edge hidden = sketch.call(exponential(), {sketch.dense(40, sketch.input({30}))});
  const Edge halves = sketch.call(split(), {hidden});
  sketch.graph->outputs = {sketch.dense(4, halves), sketch.call(reshape({20, 1}), {second(halves)})};
  sketch.graph->build();
  Plan plan(*sketch.graph, {.max_rows = 9, .mode = Mode::training, .backward = true, .emit_logits = {}});
  const Floats input = random_floats(9 * 30, 1);
  Floats gradient(sketch.graph->parameter_count);
  const float* inputs[] = {input.data()};
  PlanRun run;
  run.inputs = inputs;
  run.parameters = sketch.graph->parameter_values.data();
  run.gradient = gradient.data();
  run.executor = &thread_pool();
  run.training_kernels = &kernels::training_table();
  run.rows = 9;
  plan.forward(run);
  const AllocationCount allocated;
  for (const std::size_t rows : {9U, 4U, 1U}) {
    run.rows = rows;
    plan.forward(run);
    plan.backward(run);
  }
  CHECK(allocated.count() == 0);
}
