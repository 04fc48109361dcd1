// The backward pass of a plan. Apart from the forward one, which alone programs need that predict.
#include <cstring>

#include "lamina/kernels/dispatch.h"
#include "lamina/model/plan_impl.h"

namespace lamina {

void Plan::Impl::add_repeated_outputs(const PlanRun& run) {
  for (std::size_t index = 0; index < graph.outputs.size(); ++index) {
    const Edge& edge = graph.outputs[index];
    float* sum = pointers[gradient_of[edge.node][edge.output]];
    const float* own = pointers[loss_gradient_of[index]];
    if (own != sum) kernels::table().add(sum, own, sum, graph.spec_of(edge).shape.elements() * run.rows);
  }
}

void Plan::Impl::backward_call(Call& call, const PlanRun& run) {
  // Here and not earlier: until now the memory may have been another tensor's.
  for (const std::size_t storage : call.zero_d_outputs) {
    std::memset(pointers[storage], 0, items[storages[storage].item].floats * sizeof(float));
  }
  const LayerEntry& entry = entry_of(call.node);
  const bool frozen = !entry.trainable;
  for (std::size_t i = 0; i < call.d_outputs.size(); ++i)
    set(call.d_outputs[i], pointers[call.d_output_storage[i]], run.rows);
  for (std::size_t i = 0; i < call.d_inputs.size(); ++i) {
    const std::size_t storage = call.d_input_storage[i];
    set(call.d_inputs[i], storage == kNone ? nullptr : pointers[storage], run.rows);
  }
  for (std::size_t i = 0; i < call.d_parameters.size(); ++i) {
    call.d_parameters[i] = frozen ? nullptr : run.gradient + call.parameter_offsets[i];
    call.accumulate_d_parameters[i] = run.accumulate_gradient || !call.first_writer_of_parameters;
    ParameterUpdate* update = run.updates.empty() ? nullptr : &run.updates[entry.parameters[i]];
    call.updates[i] = update != nullptr && update->allowed && call.only_call ? update : nullptr;
  }
  BackwardContext context;
  context.rows = run.rows;
  context.mode = call.mode;
  context.inputs = call.inputs;
  context.outputs = call.outputs_read;
  context.parameters = call.parameters;
  context.state = call.state;
  context.saved = call.saved;
  context.d_outputs = call.d_outputs;
  context.d_inputs = call.d_inputs;
  context.accumulate_d_inputs = {call.accumulate_d_inputs.get(), call.d_inputs.size()};
  context.d_parameters = call.d_parameters;
  context.accumulate_d_parameters = {call.accumulate_d_parameters.get(), call.d_parameters.size()};
  context.updates = call.updates;
  context.scratch = arena.data() + scratch_offset;
  context.emit_logits = call.takes_logit_gradients;
  context.input_activation = call.input_activation;
  context.random_key = random_key(call, run);
  context.activity_scale = run.activity_scale;
  context.executor = run.executor;
  context.training_kernels = run.training_kernels;
  context.skips_zeros = run.skips_zeros;
  call.layer->backward(context);
}

void Plan::backward(const PlanRun& run) {
  Impl& plan = *impl_;
  plan.add_repeated_outputs(run);
  for (std::size_t index = plan.calls.size(); index-- > 0;) {
    PlanCall& call = plan.calls[index];
    if (call.runs_backward) plan.backward_call(call, run);
  }
}

}  // namespace lamina
