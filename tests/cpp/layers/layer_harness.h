// Runs one layer without a model, and the checks that every layer has to pass.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/layers/layer.h"

namespace lamina::test {

// A layer, the shape of one row of its input, and how many rows.
struct LayerCase {
  std::string label;
  LayerPtr layer;
  Shape input;
  std::size_t rows = 5;
  // The function has kinks (relu), near which differences say nothing.
  bool has_kinks = false;
  // Every third row is masked.
  bool masked = false;
};

// n numbers, uniform in [low, high); the same for the same seed.
std::vector<float> uniform(std::size_t n, double low, double high, std::uint64_t seed);

struct RunSettings {
  Mode mode = Mode::training;
  bool emit_logits = false;
  bool update_state = false;
  bool keeps_saved = true;  // a backward follows
  std::uint64_t random_key = 0x0123456789ABCDEFULL;
  const float* mask = nullptr;
  Executor* executor = &serial_executor();
};

// Which gradients to compute, and how.
struct GradientSettings {
  bool input = true;
  bool parameters = true;
  bool accumulate = false;
  float activity_scale = 0.7F;
};

// Owns the numbers of a layer at one place. Scratch and saved values start as NaN and end in guards, so that
// reading what was never written, or writing beyond what was asked for, shows.
class LayerRunner {
 public:
  LayerRunner(LayerPtr layer, const Shape& input, std::size_t rows, std::uint64_t seed = 1);

  // Computes y; returns the activity penalty.
  double forward(const RunSettings& settings);
  // Computes d_x and d_parameters from d_y. Tensors that the spec says backward doesn't read are withheld.
  void backward(const RunSettings& settings, const GradientSettings& wanted = {});
  // sum(d_y * y) + activity_scale * penalty, in float64: the function whose gradient backward() computes.
  double functional(const RunSettings& settings, const GradientSettings& wanted);

  LayerPtr layer;
  LayerSpec spec;
  std::size_t rows;
  Shape x_shape, y_shape;  // with the batch
  std::vector<float> x, y, d_y, d_x;
  std::vector<std::vector<float>> parameters, d_parameters, state;

 private:
  void check_guards() const;
  std::vector<TensorSpec> input_specs_;
  std::vector<std::vector<float>> saved_;
  std::vector<float> forward_scratch_, backward_scratch_;
};

// Each is one CHECK or more; together they are what "the layer is right" means.
void check_gradients(const LayerCase& test, Mode mode, bool emit_logits);
void check_accumulation(const LayerCase& test);
void check_skipped_gradients(const LayerCase& test);
void check_what_backward_reads(const LayerCase& test);
void check_rows_are_independent(const LayerCase& test);
void check_threads(const LayerCase& test);
void check_modes(const LayerCase& test);
void check_config(const LayerCase& test);
// All of the above.
void check_layer(const LayerCase& test);

}  // namespace lamina::test
