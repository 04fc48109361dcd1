// The inside of a plan: plan_layout.cpp makes it, plan.cpp and plan_backward.cpp run it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "lamina/core/operations.h"
#include "lamina/core/random.h"
#include "lamina/model/arena.h"
#include "lamina/model/plan.h"

namespace lamina {

inline constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

// Where a tensor lies: in the arena, or in the caller's memory as input `index` of the graph.
struct PlanStorage {
  std::size_t item = kNone;    // of the arena
  std::size_t input = kNone;   // of the graph
  std::size_t output = kNone;  // of the graph, when the caller may say where it goes
};

// Everything that is handed to one node's layer; the vectors keep their size, a run only changes pointers and
// rows.
struct PlanCall {
  const Layer* layer = nullptr;
  std::size_t node = 0;
  bool runs_forward = false;
  bool runs_backward = false;
  bool updates_state = false;
  bool emit_logits = false;
  bool takes_logit_gradients = false;  // whoever writes d_outputs has seen to the final activation
  ActivationKind input_activation = ActivationKind::linear;  // whose derivative backward takes over
  bool draws_random = false;
  Mode mode = Mode::inference;

  std::vector<std::size_t> input_storage, output_storage;      // of values
  std::vector<std::size_t> d_input_storage, d_output_storage;  // of gradients; kNone where none is needed
  std::vector<std::size_t> zero_d_outputs;                     // among them, those that nobody else writes
  std::vector<std::size_t> saved_items;
  std::vector<std::size_t> parameter_offsets, state_offsets;
  bool first_writer_of_parameters = true;
  bool only_call = true;  // of its layer: gradients are whole after it

  std::vector<ConstView> inputs, outputs_read, d_outputs;
  std::vector<View> outputs, d_inputs;
  std::vector<const float*> parameters, state;
  std::vector<float*> state_out, saved, d_parameters;
  std::vector<ParameterUpdate*> updates;
  std::unique_ptr<bool[]> accumulate_d_inputs, accumulate_d_parameters;
};

struct Plan::Impl {
  using Storage = PlanStorage;
  using Call = PlanCall;

  const Graph& graph;
  PlanOptions options;
  std::uint64_t layout_version;
  std::size_t num_nodes;

  std::vector<Storage> storages;
  std::vector<std::vector<std::size_t>> value_of, gradient_of;  // storage of (node, output)
  std::vector<bool> needs_gradient;                             // node: its output's gradient is needed
  std::vector<ArenaItem> items;
  std::vector<Call> calls;
  std::vector<std::size_t> copied_outputs;    // outputs that can't be redirected
  std::vector<std::size_t> loss_gradient_of;  // storage, for each output of the graph
  Buffer arena;
  std::size_t scratch_offset = 0;
  std::vector<float*> pointers;  // of each storage, in this run

  Impl(const Graph& source, PlanOptions plan_options);

  // ---- time: forward of node i at i, the losses at num_nodes, backward of node i mirrored
  std::size_t loss_time() const { return num_nodes; }
  std::size_t backward_time(std::size_t node) const { return 2 * num_nodes - node; }

  const LayerEntry& entry_of(std::size_t node) const { return graph.layers[graph.nodes[node].layer]; }
  bool is_view(std::size_t node) const {
    return !graph.nodes[node].is_input() && entry_of(node).layer->is_view();
  }
  bool is_graph_output(const Edge& edge) const {
    return std::find(graph.outputs.begin(), graph.outputs.end(), edge) != graph.outputs.end();
  }
  std::size_t consumers(const Edge& edge) const {
    std::size_t count = 0;
    for (const Node& node : graph.nodes)
      count += static_cast<std::size_t>(std::count(node.inputs.begin(), node.inputs.end(), edge));
    return count;
  }

  bool fuses(std::size_t output) const;  // whether it ends in an activation that the loss takes over

  // ---- layout
  std::size_t new_item(std::size_t floats, std::size_t first, std::size_t last);
  std::size_t new_storage(const Storage& storage);
  void extend(std::size_t storage, std::size_t time);
  void place_values();
  bool shares_gradient(std::size_t node) const;
  void place_gradients();
  void place_loss_gradients();
  ActivationKind derivative_taken(std::size_t node, const Edge& edge) const;
  void make_calls();
  Call make_call(std::size_t index);
  void set_accumulation(Call& call, std::vector<bool>& written, std::vector<bool>& layer_written);
  std::size_t scratch_of(const Call& call) const;
  void wire_saved();

  // ---- running
  static void set(ConstView& view, const float* data, std::size_t rows) {
    view.data = data;
    view.shape[0] = rows;
  }
  static void set(View& view, float* data, std::size_t rows) {
    view.data = data;
    view.shape[0] = rows;
  }
  std::uint64_t random_key(const Call& call, const PlanRun& run) const {
    return call.draws_random ? RandomStream(run.seed, RandomUse::layer, call.node, run.step).key() : 0;
  }
  void resolve(const PlanRun& run);
  void bind(Call& call, const PlanRun& run);
  void forward_call(Call& call, const PlanRun& run, double* activity_loss);
  void add_repeated_outputs(const PlanRun& run);
  void backward_call(Call& call, const PlanRun& run);
};

}  // namespace lamina
