#include "lamina/model/predictor.h"

#include <algorithm>
#include <array>

#include "lamina/core/error.h"
#include "lamina/kernels/dispatch.h"
#include "lamina/model/graph.h"
#include "lamina/model/plan.h"

namespace lamina {

struct Predictor::Impl {
  Model source;
  Model snapshot;
  Plan plan;
  std::size_t max_rows, input_size, output_size;

  Impl(const Model& model, std::size_t rows)
      : source(model),
        snapshot(model.clone()),
        plan(snapshot.graph(),
             {.max_rows = rows, .mode = Mode::inference, .backward = false, .emit_logits = {}}),
        max_rows(rows),
        input_size(model.input_shape().elements()),
        output_size(model.output_shape().elements()) {}
};

namespace {

const Model& checked(const Model& model, const PredictorOptions& options) {
  if (!model.built()) throw StateError("Predictor: expected a built model, got one without an input shape.");
  if (model.graph().inputs.size() != 1 || model.graph().outputs.size() != 1) {
    throw ArgumentError("Predictor: expected a model with one input and one output.");
  }
  if (options.max_batch == 0) throw ArgumentError("Predictor: expected max_batch to be at least 1, got 0.");
  model.flat_parameters();  // draws the weights where there are none
  return model;
}

}  // namespace

Predictor::Predictor(const Model& model, PredictorOptions options)
    : impl_(std::make_unique<Impl>(checked(model, options), options.max_batch)) {
  // One prediction now, so that none later is the first to touch memory, to pick kernels, or to fail at that.
  kernels::table();
  const Buffer input(impl_->max_rows * impl_->input_size);
  Buffer output(impl_->max_rows * impl_->output_size);
  predict(input.span(), output.span());
}
Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

std::size_t Predictor::input_size() const noexcept {
  return impl_->input_size;
}
std::size_t Predictor::output_size() const noexcept {
  return impl_->output_size;
}

Status Predictor::predict(std::span<const float> input, std::span<float> output) noexcept {
  Impl& impl = *impl_;
  if (impl.input_size == 0 || input.empty() || input.size() % impl.input_size != 0)
    return Status::wrong_input_size;
  const std::size_t rows = input.size() / impl.input_size;
  if (rows > impl.max_rows) return Status::wrong_input_size;
  if (output.size() != rows * impl.output_size) return Status::wrong_output_size;
  const std::array<const float*, 1> inputs{input.data()};
  const std::array<float*, 1> outputs{output.data()};
  Graph& graph = impl.snapshot.graph();
  PlanRun run;
  run.rows = rows;
  run.inputs = inputs;
  run.outputs = outputs;
  run.parameters = graph.parameter_values.data();
  run.state = graph.state_values.data();
  run.executor = &serial_executor();
  impl.plan.forward(run);
  return Status::ok;
}

void Predictor::refresh() {
  const Graph& from = impl_->source.graph();
  Graph& to = impl_->snapshot.graph();
  std::copy_n(from.parameter_values.data(), from.parameter_values.size(), to.parameter_values.data());
  std::copy_n(from.state_values.data(), from.state_values.size(), to.state_values.data());
}

}  // namespace lamina
