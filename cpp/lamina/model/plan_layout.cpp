// How a plan lays out its memory: which tensors there are, when each is alive, and what each call is handed.
#include <utility>

#include "lamina/kernels/activation.h"
#include "lamina/model/plan_impl.h"

namespace lamina {

Plan::Impl::Impl(const Graph& source, PlanOptions plan_options)
    : graph(source),
      options(std::move(plan_options)),
      layout_version(source.layout_version),
      num_nodes(source.nodes.size()) {
  options.emit_logits.resize(graph.outputs.size(), false);
  place_values();
  if (options.backward) place_gradients();
  make_calls();
  const std::size_t floats = lay_out(items);
  std::size_t scratch = 0;
  for (const Call& call : calls) scratch = std::max(scratch, scratch_of(call));
  scratch_offset = floats;
  arena = Buffer(floats + scratch);
  pointers.resize(storages.size(), nullptr);
  wire_saved();
}

std::size_t Plan::Impl::new_item(std::size_t floats, std::size_t first, std::size_t last) {
  items.push_back({floats, first, last, 0});
  return items.size() - 1;
}
std::size_t Plan::Impl::new_storage(const Storage& storage) {
  storages.push_back(storage);
  return storages.size() - 1;
}
void Plan::Impl::extend(std::size_t storage, std::size_t time) {
  const std::size_t item = storages[storage].item;
  if (item != kNone) items[item].last = std::max(items[item].last, time);
}

void Plan::Impl::place_values() {
  value_of.resize(num_nodes);
  needs_gradient.assign(num_nodes, false);
  for (std::size_t index = 0; index < num_nodes; ++index) {
    const Node& node = graph.nodes[index];
    for (std::size_t output = 0; output < node.spec.outputs.size(); ++output) {
      Storage storage;
      if (node.is_input()) {
        storage.input = static_cast<std::size_t>(std::find(graph.inputs.begin(), graph.inputs.end(), index) -
                                                 graph.inputs.begin());
      } else if (is_view(index)) {
        value_of[index].push_back(value_of[node.inputs[0].node][node.inputs[0].output]);
        continue;
      } else {
        storage.item = new_item(node.spec.outputs[output].shape.elements() * options.max_rows, index, index);
      }
      value_of[index].push_back(new_storage(storage));
    }
    if (node.is_input()) continue;
    const LayerEntry& entry = entry_of(index);
    bool needed = entry.trainable && !entry.parameters.empty();
    for (const Edge& edge : node.inputs) needed = needed || needs_gradient[edge.node];
    needs_gradient[index] = needed;
    const bool reads_later = options.backward && needed && !is_view(index);
    for (const Edge& edge : node.inputs) {
      extend(value_of[edge.node][edge.output], index);
      if (reads_later && node.spec.backward_reads_inputs)
        extend(value_of[edge.node][edge.output], backward_time(index));
    }
    if (reads_later && node.spec.backward_reads_outputs) {
      for (const std::size_t storage : value_of[index]) extend(storage, backward_time(index));
    }
  }
  for (std::size_t index = 0; index < graph.outputs.size(); ++index) {
    const std::size_t storage = value_of[graph.outputs[index].node][graph.outputs[index].output];
    extend(storage, loss_time());
    if (storages[storage].item != kNone && storages[storage].output == kNone) {
      storages[storage].output = index;
    } else {
      copied_outputs.push_back(index);
    }
  }
}

// A view's input can take its gradient where the view's output has it, when nobody else adds to it.
bool Plan::Impl::shares_gradient(std::size_t node) const {
  if (!is_view(node)) return false;
  const Edge& edge = graph.nodes[node].inputs[0];
  return needs_gradient[edge.node] && consumers(edge) == 1 && !is_graph_output(edge);
}

void Plan::Impl::place_gradients() {
  gradient_of.resize(num_nodes);
  for (std::size_t index = 0; index < num_nodes; ++index) {
    gradient_of[index].assign(graph.nodes[index].spec.outputs.size(), kNone);
  }
  for (std::size_t index = num_nodes; index-- > 0;) {
    const Node& node = graph.nodes[index];
    for (std::size_t output = 0; output < node.spec.outputs.size(); ++output) {
      const bool is_output = is_graph_output({index, output});
      if (!needs_gradient[index] && !is_output) continue;
      if (gradient_of[index][output] != kNone) continue;  // shared by a view behind it
      std::size_t first = is_output ? loss_time() : backward_time(index);
      for (std::size_t consumer = index + 1; consumer < num_nodes; ++consumer) {
        const auto& edges = graph.nodes[consumer].inputs;
        if (std::find(edges.begin(), edges.end(), Edge{index, output}) == edges.end()) continue;
        first = std::min(first, backward_time(consumer));
      }
      Storage storage;
      storage.item = new_item(node.spec.outputs[output].shape.elements() * options.max_rows, first,
                              backward_time(index));
      gradient_of[index][output] = new_storage(storage);
    }
    if (!node.is_input() && shares_gradient(index)) {
      const Edge& edge = node.inputs[0];
      gradient_of[edge.node][edge.output] = gradient_of[index][0];
      extend(gradient_of[index][0], backward_time(edge.node));
    }
  }
  place_loss_gradients();
}

// An output that the graph names twice has two losses: the second writes beside the first, and is added to
// it.
void Plan::Impl::place_loss_gradients() {
  for (std::size_t index = 0; index < graph.outputs.size(); ++index) {
    const Edge& edge = graph.outputs[index];
    const auto first = std::find(graph.outputs.begin(), graph.outputs.end(), edge);
    loss_gradient_of.push_back(gradient_of[edge.node][edge.output]);
    if (first == graph.outputs.begin() + static_cast<std::ptrdiff_t>(index)) continue;
    Storage storage;
    storage.item =
        new_item(graph.spec_of(edge).shape.elements() * options.max_rows, loss_time(), loss_time());
    loss_gradient_of.back() = new_storage(storage);
  }
}

// Whether this output ends in an activation that the loss takes over.
bool Plan::Impl::fuses(std::size_t output) const {
  const Edge& edge = graph.outputs[output];
  if (!options.emit_logits[output] || graph.nodes[edge.node].is_input()) return false;
  return entry_of(edge.node).layer->final_activation().has_value() && consumers(edge) == 0 &&
         std::count(graph.outputs.begin(), graph.outputs.end(), edge) == 1;
}

// The activation that ends the node before `edge`, where `node`, its only reader, can multiply by its
// derivative as it writes the gradient; else linear.
ActivationKind Plan::Impl::derivative_taken(std::size_t node, const Edge& edge) const {
  constexpr auto none = kernels::Activation::linear;
  if (!options.backward || graph.nodes[edge.node].is_input() || !needs_gradient[edge.node]) return none;
  if (!entry_of(node).layer->takes_derivative() || !graph.nodes[node].spec.backward_reads_inputs) return none;
  if (consumers(edge) != 1 || is_graph_output(edge)) return none;
  const auto activation = entry_of(edge.node).layer->final_activation();
  if (!activation || !kernels::is_elementwise(*activation) || kernels::needs_input(*activation)) return none;
  return *activation;
}

void Plan::Impl::make_calls() {
  std::vector<bool> layer_written(graph.layers.size(), false);
  std::vector<bool> written(storages.size(),
                            false);  // gradients that an earlier backward (or the loss) has set
  if (options.backward) {
    for (const Edge& edge : graph.outputs) written[gradient_of[edge.node][edge.output]] = true;
  }
  std::vector<Call> reversed;
  for (std::size_t index = num_nodes; index-- > 0;) {
    if (graph.nodes[index].is_input()) continue;
    reversed.push_back(make_call(index));
    if (reversed.back().runs_backward) set_accumulation(reversed.back(), written, layer_written);
  }
  calls.assign(std::make_move_iterator(reversed.rbegin()), std::make_move_iterator(reversed.rend()));
}

PlanCall Plan::Impl::make_call(std::size_t index) {
  const Node& node = graph.nodes[index];
  const LayerEntry& entry = entry_of(index);
  Call call;
  call.layer = entry.layer.get();
  call.node = index;
  call.runs_forward = !entry.layer->is_view();
  call.runs_backward = options.backward && needs_gradient[index] && !shares_gradient(index);
  call.mode = !entry.trainable && entry.layer->inference_when_frozen() ? Mode::inference : options.mode;
  call.updates_state = entry.trainable && call.mode == Mode::training;
  call.draws_random = entry.layer->depends_on_mode() && call.mode == Mode::training;
  for (std::size_t output = 0; output < graph.outputs.size(); ++output) {
    if (graph.outputs[output].node == index && fuses(output)) call.emit_logits = true;
  }
  call.takes_logit_gradients = call.emit_logits;
  for (std::size_t reader = index + 1; reader < num_nodes; ++reader) {
    for (const Edge& edge : graph.nodes[reader].inputs) {
      if (edge.node == index && derivative_taken(reader, edge) != kernels::Activation::linear)
        call.takes_logit_gradients = true;
    }
  }
  if (!node.inputs.empty()) call.input_activation = derivative_taken(index, node.inputs[0]);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Edge& edge = node.inputs[i];
    const Shape shape = node.input_specs[i].shape.with_batch(options.max_rows);
    call.input_storage.push_back(value_of[edge.node][edge.output]);
    const bool wanted = call.runs_backward && needs_gradient[edge.node];
    call.d_input_storage.push_back(wanted ? gradient_of[edge.node][edge.output] : kNone);
    call.inputs.push_back({nullptr, shape});
    call.d_inputs.push_back({nullptr, shape});
  }
  for (std::size_t i = 0; i < node.spec.outputs.size(); ++i) {
    const Shape shape = node.spec.outputs[i].shape.with_batch(options.max_rows);
    call.output_storage.push_back(value_of[index][i]);
    call.d_output_storage.push_back(call.runs_backward ? gradient_of[index][i] : kNone);
    call.outputs.push_back({nullptr, shape});
    call.outputs_read.push_back({nullptr, shape});
    call.d_outputs.push_back({nullptr, shape});
  }
  if (options.backward) {
    for (const MemorySpec& saved : node.spec.saved) {
      call.saved_items.push_back(new_item(saved.floats(options.max_rows), index, backward_time(index)));
    }
  }
  for (const std::size_t parameter : entry.parameters)
    call.parameter_offsets.push_back(graph.parameters[parameter].offset);
  for (const std::size_t state : entry.state) call.state_offsets.push_back(graph.state[state].offset);
  call.parameters.resize(entry.parameters.size());
  call.d_parameters.resize(entry.parameters.size());
  call.updates.resize(entry.parameters.size());
  call.only_call = std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                 [&](const Node& other) { return other.layer == node.layer; }) == 1;
  call.state.resize(entry.state.size());
  call.state_out.resize(entry.state.size());
  call.saved.resize(call.saved_items.size());
  call.accumulate_d_inputs = std::make_unique<bool[]>(std::max<std::size_t>(1, node.inputs.size()));
  call.accumulate_d_parameters = std::make_unique<bool[]>(std::max<std::size_t>(1, entry.parameters.size()));
  return call;
}

// The first backward to reach a gradient writes it, the others add.
void Plan::Impl::set_accumulation(Call& call, std::vector<bool>& written, std::vector<bool>& layer_written) {
  for (const std::size_t storage : call.d_output_storage) {
    if (!written[storage]) call.zero_d_outputs.push_back(storage);
  }
  for (std::size_t i = 0; i < call.d_input_storage.size(); ++i) {
    const std::size_t storage = call.d_input_storage[i];
    if (storage == kNone) continue;
    call.accumulate_d_inputs[i] = written[storage];
    written[storage] = true;
  }
  const std::size_t layer = graph.nodes[call.node].layer;
  call.first_writer_of_parameters = !layer_written[layer];
  layer_written[layer] = true;
}

std::size_t Plan::Impl::scratch_of(const Call& call) const {
  const auto& specs = graph.nodes[call.node].input_specs;
  const std::size_t forward = call.runs_forward ? call.layer->forward_scratch(specs, options.max_rows) : 0;
  return std::max(forward, call.runs_backward ? call.layer->backward_scratch(specs, options.max_rows) : 0);
}

void Plan::Impl::wire_saved() {
  for (Call& call : calls) {
    for (std::size_t i = 0; i < call.saved.size(); ++i)
      call.saved[i] = arena.data() + items[call.saved_items[i]].offset;
  }
}

}  // namespace lamina
