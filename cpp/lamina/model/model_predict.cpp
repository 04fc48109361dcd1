// Predictions of any number of rows, on all threads. Apart from the rest of Model, which programs link that
// predict by a Predictor alone.
#include <algorithm>
#include <array>
#include <mutex>

#include "lamina/core/error.h"
#include "lamina/data/dataset.h"
#include "lamina/model/graph.h"
#include "lamina/model/inference_plan.h"
#include "lamina/model/model.h"
#include "lamina/model/model_checks.h"

namespace lamina {
namespace {

// Plans are laid out for few sizes, so that idle ones fit again: one row, a few, a full chunk.
constexpr std::size_t kSmallRows = 16;
constexpr std::size_t kChunkRows = 256;

std::unique_ptr<InferencePlan> take_plan(const Graph& graph, std::size_t max_rows) {
  {
    const std::lock_guard lock(graph.plans_mutex);
    for (auto& idle : graph.idle_plans) {
      if (idle->plan.options().max_rows != max_rows) continue;
      std::swap(idle, graph.idle_plans.back());
      auto plan = std::move(graph.idle_plans.back());
      graph.idle_plans.pop_back();
      return plan;
    }
  }
  return std::make_unique<InferencePlan>(graph, max_rows);
}

void give_back(const Graph& graph, std::unique_ptr<InferencePlan> plan) {
  constexpr std::size_t kMaxIdle = 16;
  const std::lock_guard lock(graph.plans_mutex);
  if (graph.idle_plans.size() < kMaxIdle) graph.idle_plans.push_back(std::move(plan));
}

}  // namespace

void InferencePlan::run(const Graph& graph, const ArrayView& input, std::size_t first, std::size_t count,
                        float* output) {
  const std::size_t row_floats = input.row_elements();
  const bool in_place =
      input.dtype == DType::f32 &&
      (count == 1 || input.row_stride == static_cast<std::ptrdiff_t>(row_floats * sizeof(float)));
  std::array<const float*, 1> inputs{};
  if (in_place) {
    inputs[0] = static_cast<const float*>(input.row(first));
  } else {
    if (gathered.size() == 0) gathered = Buffer(row_floats * plan.options().max_rows);
    gather(input, {nullptr, first, count}, gathered.data(), false, "x", thread_pool());
    inputs[0] = gathered.data();
  }
  const std::array<float*, 1> outputs{output};
  PlanRun pass;
  pass.rows = count;
  pass.inputs = inputs;
  pass.outputs = outputs;
  pass.parameters = graph.parameter_values.data();
  pass.state = const_cast<float*>(graph.state_values.data());  // update_state is off: only read
  pass.executor = &thread_pool();
  plan.forward(pass);
}

void Model::predict(const ArrayView& input, View output, std::size_t batch_size) const {
  const Graph& graph = *graph_;
  require_built(graph, "predict");
  if (!graph.weights_ready) graph_->ensure_weights();
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1) {
    throw ArgumentError("Model: predict(input, output) expected one input and one output, got a model with " +
                        std::to_string(graph.inputs.size()) + " and " + std::to_string(graph.outputs.size()) +
                        ".");
  }
  const Shape& expected = graph.nodes[graph.inputs[0]].spec.outputs[0].shape;
  check_input(input, expected, "x");
  const std::size_t rows = input.rows();
  const Shape& row_shape = graph.spec_of(graph.outputs[0]).shape;
  if (output.elements() != rows * row_shape.elements()) {
    throw ShapeError("Model: expected room for predictions of shape " + row_shape.with_batch(rows).str() +
                     ", got " + output.shape.str() + ".");
  }
  if (rows == 0) return;
  // Never laid out for many more rows than there are, however large the batch size.
  const std::size_t most = std::min(std::max<std::size_t>(1, batch_size), std::max(rows, kChunkRows));
  const std::size_t chunk = rows == 1 ? 1 : rows <= kSmallRows ? kSmallRows : most;
  auto plan = take_plan(graph, chunk);
  const std::size_t row_floats = row_shape.elements();
  for (std::size_t first = 0; first < rows; first += chunk) {
    plan->run(graph, input, first, std::min(chunk, rows - first), output.data + first * row_floats);
  }
  give_back(graph, std::move(plan));
}

std::vector<float> Model::predict(const ArrayView& input) const {
  require_built(*graph_, "predict");
  const Shape shape = output_shape().with_batch(input.rows());
  std::vector<float> output(shape.elements());
  predict(input, {output.data(), shape});
  return output;
}

}  // namespace lamina
