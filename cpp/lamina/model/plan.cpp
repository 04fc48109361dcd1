#include "lamina/model/plan.h"

#include <cstring>
#include <utility>

#include "lamina/model/plan_impl.h"

namespace lamina {

inline void Plan::Impl::resolve(const PlanRun& run) {
  for (std::size_t i = 0; i < storages.size(); ++i) {
    const Storage& storage = storages[i];
    if (storage.input != kNone) {
      pointers[i] = const_cast<float*>(run.inputs[storage.input]);  // only ever read
    } else if (storage.output != kNone && !run.outputs.empty() && run.outputs[storage.output] != nullptr) {
      pointers[i] = run.outputs[storage.output];
    } else {
      pointers[i] = arena.data() + items[storage.item].offset;
    }
  }
}

inline void Plan::Impl::bind(Call& call, const PlanRun& run) {
  for (std::size_t i = 0; i < call.inputs.size(); ++i)
    set(call.inputs[i], pointers[call.input_storage[i]], run.rows);
  for (std::size_t i = 0; i < call.outputs.size(); ++i) {
    set(call.outputs[i], pointers[call.output_storage[i]], run.rows);
    set(call.outputs_read[i], pointers[call.output_storage[i]], run.rows);
  }
  for (std::size_t i = 0; i < call.parameters.size(); ++i)
    call.parameters[i] = run.parameters + call.parameter_offsets[i];
  for (std::size_t i = 0; i < call.state.size(); ++i) {
    call.state[i] = run.state + call.state_offsets[i];
    call.state_out[i] = run.state + call.state_offsets[i];
  }
}

inline void Plan::Impl::forward_call(Call& call, const PlanRun& run, double* activity_loss) {
  ForwardContext context;
  context.rows = run.rows;
  context.mode = call.mode;
  context.inputs = call.inputs;
  context.outputs = call.outputs;
  context.parameters = call.parameters;
  context.state = call.state;
  if (run.update_state && call.updates_state) context.state_out = call.state_out;
  context.saved = call.saved;
  context.scratch = arena.data() + scratch_offset;
  context.emit_logits = call.emit_logits;
  context.random_key = random_key(call, run);
  context.activity_loss = activity_loss;
  context.executor = run.executor;
  context.training_kernels = run.training_kernels;
  context.skips_zeros = run.skips_zeros;
  call.layer->forward(context);
}

Plan::Plan(const Graph& graph, PlanOptions options)
    : impl_(std::make_unique<Impl>(graph, std::move(options))) {}
Plan::~Plan() = default;

const PlanOptions& Plan::options() const {
  return impl_->options;
}
std::uint64_t Plan::layout_version() const {
  return impl_->layout_version;
}
std::size_t Plan::arena_bytes() const {
  return impl_->arena.size() * sizeof(float);
}
bool Plan::emits_logits(std::size_t index) const {
  return impl_->fuses(index);
}

double Plan::forward(const PlanRun& run) {
  Impl& plan = *impl_;
  plan.resolve(run);
  double activity_loss = 0;
  for (PlanCall& call : plan.calls) {
    plan.bind(call, run);
    if (call.runs_forward) plan.forward_call(call, run, run.penalties ? &activity_loss : nullptr);
  }
  if (run.outputs.empty()) return activity_loss;
  for (const std::size_t index : plan.copied_outputs) {
    if (run.outputs[index] == nullptr) continue;
    const std::size_t floats = plan.graph.spec_of(plan.graph.outputs[index]).shape.elements() * run.rows;
    std::memcpy(run.outputs[index], output(index), floats * sizeof(float));
  }
  return activity_loss;
}

const float* Plan::output(std::size_t index) const {
  const Edge& edge = impl_->graph.outputs[index];
  return impl_->pointers[impl_->value_of[edge.node][edge.output]];
}

float* Plan::d_output(std::size_t index) {
  return impl_->pointers[impl_->loss_gradient_of[index]];
}

}  // namespace lamina
