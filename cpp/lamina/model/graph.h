// The inside of a model: layers, the graph of their calls, and the numbers.
//
// Parameters belong to layers and calls to nodes, so one layer can be called at several nodes. All parameters
// lie in one flat buffer, all persistent state in another, in layer order.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lamina/core/tensor.h"
#include "lamina/layers/layer.h"

namespace lamina {

struct InferencePlan;

// Output `output` of node `node`.
struct Edge {
  std::size_t node = 0;
  std::size_t output = 0;
  friend bool operator==(const Edge&, const Edge&) = default;
};

// A call of a layer; or, without a layer, an input of the model.
struct Node {
  static constexpr std::size_t kInput = static_cast<std::size_t>(-1);
  std::size_t layer = kInput;  // index into Graph::layers
  std::vector<Edge> inputs;
  // After build:
  std::vector<TensorSpec> input_specs;
  LayerSpec spec;
  bool is_input() const { return layer == kInput; }
};

// A named range of the flat parameters (or of the flat state).
struct NamedRange {
  std::string name;  // "dense_1/kernel"
  Shape shape;
  std::size_t offset = 0;
  std::size_t size = 0;
  std::size_t layer = 0;
};

struct Parameter : NamedRange {
  InitializerPtr initializer;
  RegularizerPtr regularizer;
  ConstraintPtr constraint;
};

struct StateRange : NamedRange {
  InitializerPtr initializer;
};

struct LayerEntry {
  LayerPtr layer;
  std::string name;
  bool trainable = true;
  std::vector<std::size_t> parameters;  // indices into Graph::parameters
  std::vector<std::size_t> state;       // indices into Graph::state
};

struct Graph {
  std::vector<LayerEntry> layers;
  std::vector<Node> nodes;          // in an order in which inputs come before their consumers
  std::vector<std::size_t> inputs;  // nodes that are inputs
  std::vector<Edge> outputs;

  bool built = false;
  std::atomic<bool> weights_ready{false};  // drawn, set or loaded
  std::mutex weights_mutex;                // held while they are drawn
  std::optional<std::uint64_t> seed;       // for the weights; nothing means entropy
  std::vector<Parameter> parameters;
  std::vector<StateRange> state;
  std::size_t parameter_count = 0;  // floats
  std::size_t state_count = 0;
  Buffer parameter_values;
  Buffer state_values;
  std::uint64_t layout_version =
      0;  // changes when a layer is frozen or thawed: plans for training are then laid out anew

  // Inference plans that are not in use right now (see Model::predict). Guarded by the mutex.
  mutable std::mutex plans_mutex;
  mutable std::vector<std::unique_ptr<InferencePlan>> idle_plans;

  Graph();
  ~Graph();
  // A copy that shares the layers, which are immutable, and nothing else.
  std::shared_ptr<Graph> clone() const;

  // Appends a layer with a name of its own; ArgumentError when the name is taken.
  std::size_t add_layer(LayerPtr layer);
  // Appends a layer under a name that the caller knows to be free.
  std::size_t add_layer(LayerPtr layer, std::string name, bool trainable);
  std::size_t add_input(const TensorSpec& spec);
  std::size_t add_call(std::size_t layer, std::vector<Edge> inputs);

  // Lets every layer declare itself: specs, parameters, state and their counts; allocates no weights.
  // Changes nothing when a layer throws.
  void declare();
  // declare(), and the buffers.
  void build();
  // Takes back a lazy build of a chain: no inputs, calls, parameters.
  void unbuild();
  // Draws the weights unless they are ready. `fallback_seed` is for a graph without a seed of its own.
  void ensure_weights(std::optional<std::uint64_t> fallback_seed = std::nullopt);
  const TensorSpec& spec_of(const Edge& edge) const { return nodes[edge.node].spec.outputs[edge.output]; }
  // l1 * sum|w| + l2 * sum w^2 over all regularised parameters, read from `values`.
  double penalty(const float* values) const;
  bool has_regularizers() const;
};

}  // namespace lamina
