// A model: a graph of layers and its weights. Model is a handle: copies share one model; clone() makes
// another.
//
// Reading (predict, save) may happen on many threads at once; nothing may be written (weights set, training)
// meanwhile.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lamina/core/tensor.h"
#include "lamina/layers/layer.h"

namespace lamina {

struct Graph;

class Model {
 public:
  explicit Model(std::shared_ptr<Graph> graph) : graph_(std::move(graph)) {}

  bool built() const;
  // Gives a lazily built chain its input shape (one row), lays out parameters. StateError when the model is
  // built with another.
  void build(const Shape& input_shape);
  std::size_t num_layers() const;
  std::size_t count_params() const;  // parameters and state together, as Keras counts them
  std::size_t count_trainable_params() const;
  Shape input_shape(std::size_t index = 0) const;  // of one row
  Shape output_shape(std::size_t index = 0) const;

  // All parameters, in layer order: one flat range of the model's memory, valid while the model lives. Draws
  // the weights first if need be.
  std::span<float> flat_parameters();
  std::span<const float> flat_parameters() const;

  // Predicts rows of any array of shape (rows, ...): `output` receives (rows, ...) float32, contiguous.
  // ShapeError when the extents don't fit.
  // Rows run in chunks of at most `batch_size`, which changes speed and memory but no bit of the result.
  void predict(const ArrayView& input, View output, std::size_t batch_size = 256) const;
  std::vector<float> predict(const ArrayView& input) const;

  // Freezes or thaws a layer by index.
  void set_trainable(std::size_t layer, bool trainable);
  bool trainable(std::size_t layer) const;
  const std::string& layer_name(std::size_t layer) const;

  Model clone() const;
  Graph& graph() { return *graph_; }
  const Graph& graph() const { return *graph_; }

 private:
  std::shared_ptr<Graph> graph_;
};

// A chain of layers. Built at once when the first is Input, else at first sight of data. The same layer
// object may not stand twice (ArgumentError).
Model sequential(std::vector<LayerPtr> layers, std::optional<std::uint64_t> seed = std::nullopt);

}  // namespace lamina
