// What a layer is.
//
// A layer is immutable hyperparameters plus, for each place where it stands in a model, what build()
// declares: outputs, parameters, persistent state, saved values and scratch. The model owns the numbers; a
// layer computes on what its context hands it, so forward and backward are const and one layer can be used by
// many threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/core/config.h"
#include "lamina/core/operations.h"
#include "lamina/core/tensor.h"
#include "lamina/core/thread_pool.h"
#include "lamina/parameters/constraints.h"
#include "lamina/parameters/initializers.h"
#include "lamina/parameters/regularizers.h"

namespace lamina {

namespace kernels {
struct TrainingTable;
}

// A tensor between layers: the shape of one row, without the batch.
struct TensorSpec {
  Shape shape;
  DType dtype = DType::f32;
  friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

// A trainable tensor.
struct ParameterSpec {
  std::string name;  // "kernel", "bias", "gamma", ...
  Shape shape;
  InitializerPtr initializer;
  RegularizerPtr regularizer = nullptr;
  ConstraintPtr constraint = nullptr;
};

// A persistent tensor that training writes by rule, not by gradient (moving averages).
struct StateSpec {
  std::string name;
  Shape shape;
  InitializerPtr initializer;
};

// Memory for a batch: per_row * rows + fixed floats.
struct MemorySpec {
  std::size_t per_row = 0;
  std::size_t fixed = 0;
  std::size_t floats(std::size_t rows) const { return per_row * rows + fixed; }
};

// What a layer declares for given inputs.
struct LayerSpec {
  std::vector<TensorSpec> outputs;
  std::vector<ParameterSpec> parameters;
  std::vector<StateSpec> state;
  std::vector<MemorySpec> saved;      // written by forward in training, read by backward
  bool backward_reads_inputs = true;  // which tensors must live until backward
  bool backward_reads_outputs = true;
};

enum class Mode : std::uint8_t { inference, training };

struct ForwardContext {
  std::size_t rows = 0;  // of this run; at most what the plan was laid out for
  Mode mode = Mode::inference;
  std::span<const ConstView> inputs;  // shapes with the batch: (rows, ...)
  std::span<const View> outputs;
  std::span<const float* const> parameters;
  // Persistent state. `state_out` is empty unless the layer may update it (a training step of a layer that is
  // not frozen).
  std::span<const float* const> state;
  std::span<float* const> state_out;
  std::span<float* const> saved;  // empty when no backward follows (whatever the mode)
  float* scratch = nullptr;       // what forward_scratch() asked for; 64-byte aligned
  // For a layer that ends in a softmax or sigmoid: write what goes into it (the loss does the rest).
  bool emit_logits = false;
  const float* mask = nullptr;      // (rows), 0 for rows that don't count; null for none
  std::uint64_t random_key = 0;     // this node's random numbers in this step
  double* activity_loss = nullptr;  // activity penalties are added here, when not null
  Executor* executor = nullptr;
  const kernels::TrainingTable* training_kernels = nullptr;  // in training: see kernels/kernels.h
  bool skips_zeros = false;  // in training: products may leave out zeros of the inputs
};

// How a parameter moves. Where one is handed to backward(), nothing else needs that parameter's gradient, and
// the layer may run the optimizer on it while it is in the cache instead of writing it; it then sets `done`.
// Whatever else backward() computes from the parameter must come first.
struct ParameterUpdate {
  OptimizerKind kind = OptimizerKind::sgd;
  OptimizerPass pass = {};  // of all its elements; no gradient
  bool allowed = false;
  bool done = false;
};

struct BackwardContext {
  std::size_t rows = 0;
  Mode mode = Mode::training;
  std::span<const ConstView> inputs;  // null data where spec says backward doesn't read them
  std::span<const ConstView> outputs;
  std::span<const float* const> parameters;
  std::span<const float* const> state;
  std::span<float* const> saved;
  std::span<const ConstView> d_outputs;
  // Gradients to compute: null data where none is needed. An accumulating one is added to, another is
  // overwritten.
  std::span<const View> d_inputs;
  std::span<const bool> accumulate_d_inputs;
  std::span<float* const> d_parameters;
  std::span<const bool> accumulate_d_parameters;
  std::span<ParameterUpdate* const>
      updates;               // one for each parameter, null where the gradient itself is wanted
  float* scratch = nullptr;  // what backward_scratch() asked for
  bool emit_logits = false;  // d_outputs are gradients of what goes into the final activation
  // Not linear: d_inputs[0] is wanted with respect to what went into this activation, whose output is
  // inputs[0]. Only where takes_derivative().
  ActivationKind input_activation = ActivationKind::linear;
  const float* mask = nullptr;
  std::uint64_t random_key = 0;
  float activity_scale = 1.0F;  // factor of the gradients of activity penalties
  Executor* executor = nullptr;
  const kernels::TrainingTable* training_kernels = nullptr;
  bool skips_zeros = false;  // as in ForwardContext
};

class Layer : public Describable {
 public:
  static const Registry<Layer>& registry();

  // Declares everything for these inputs. ShapeError (with `name` in it) when they don't fit.
  virtual LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const = 0;
  // Scratch for a batch of `rows`, in floats. Inputs as given to build().
  virtual std::size_t forward_scratch(std::span<const TensorSpec>, std::size_t /*rows*/) const { return 0; }
  virtual std::size_t backward_scratch(std::span<const TensorSpec>, std::size_t /*rows*/) const { return 0; }

  virtual void forward(const ForwardContext& context) const = 0;
  virtual void backward(const BackwardContext& context) const = 0;

  // The activation that the layer ends with, when it can leave it to the loss (emit_logits).
  virtual std::optional<ActivationKind> final_activation() const { return std::nullopt; }
  // Whether backward() can multiply d_inputs[0] by the derivative of an activation that stands before it.
  virtual bool takes_derivative() const { return false; }
  // The output is the input under another shape: the plan then lets them share memory, and forward() is not
  // called.
  virtual bool is_view() const { return false; }
  // It does something in training that it doesn't in inference (Dropout, noise), or the reverse.
  virtual bool depends_on_mode() const { return false; }
  // Frozen BatchNormalization runs in inference mode, as in Keras.
  virtual bool inference_when_frozen() const { return false; }

  // The name the user gave, or "" for one that the model numbers.
  virtual std::string given_name() const = 0;
  // Whether the user left it trainable at construction.
  virtual bool initially_trainable() const = 0;
};

using LayerPtr = std::shared_ptr<const Layer>;

// Options that every layer has; options structs of layers derive nothing, they hold these two last:
//   std::string name; bool trainable = true;
// and their fields() ends with layer_fields(field).
template <class Options>
void layer_fields(Fields<Options>& field) {
  field("trainable", &Options::trainable,
        "False freezes the layer: its parameters and statistics don't move.");
  field("name", &Options::name, "Name within the model; numbered by type when empty.");
}

// Described, and the two common options.
template <class Self, class Options>
class DescribedLayer : public Described<Self, Layer, Options> {
 public:
  using Described<Self, Layer, Options>::Described;
  std::string given_name() const override { return this->options_.name; }
  bool initially_trainable() const override { return this->options_.trainable; }
};

// An activation as an option: by Keras's name of it ("relu"), or by its kind. ArgumentError for an unknown
// name.
struct ActivationChoice {
  ActivationKind kind = ActivationKind::linear;

  ActivationChoice() = default;
  ActivationChoice(ActivationKind chosen) : kind(chosen) {}
  ActivationChoice(std::string_view name);
  ActivationChoice(const char* name) : ActivationChoice(std::string_view(name)) {}
  ActivationChoice(const std::string& name) : ActivationChoice(std::string_view(name)) {}
  operator ActivationKind() const { return kind; }
};

// None is linear.
template <>
struct FieldType<ActivationChoice> {
  static std::string kind() { return "activation?"; }
  static Value to(ActivationChoice value);
  static ActivationChoice from(const Value& value);
};

}  // namespace lamina
