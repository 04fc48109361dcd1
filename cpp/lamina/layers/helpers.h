// What several layers share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lamina/layers/layer.h"

namespace lamina {

// The input of a layer that takes one. ShapeError when there are several or none, or when it has fewer
// dimensions (without the batch) than `min_rank`.
const TensorSpec& single_input(std::span<const TensorSpec> inputs, std::string_view type,
                               const std::string& name, std::size_t min_rank = 0);

// "Dense 'dense_2': expected `expected`, got `got`." as a ShapeError.
[[noreturn]] void throw_shape(std::string_view type, const std::string& name, const std::string& expected,
                              const std::string& got);

// Index of an axis of a tensor of `rank` dimensions, the batch among them; negative axes count from the end.
// ShapeError when there is no such axis.
std::size_t resolve_axis(std::int64_t axis, std::size_t rank, std::string_view type, const std::string& name);

// One output like the input, nothing kept for backward.
LayerSpec spec_like(const TensorSpec& input);

// "glorot_uniform", ... with its defaults.
InitializerPtr initializer_named(std::string_view name);

// For a field that may not be None: `what` is what it has to be.
Check not_none(std::string what);

// A key for the random numbers of a layer: the step's key of this node, and the user's seed if there is one.
std::uint64_t layer_key(std::uint64_t random_key, const std::optional<std::int64_t>& seed);

// Work of fewer elements than this stays on the calling thread: handing it over costs some microseconds.
inline constexpr std::size_t kChunk = 16384;

// Calls work(begin, end) for chunks that cover [0, n), on the executor's threads. Every chunk but the last
// has `chunk` elements, so chunks begin at multiples of it.
template <class Work>
void for_chunks(std::size_t n, std::size_t chunk, Executor& executor, Work&& work) {
  if (n <= chunk) {
    if (n > 0) work(std::size_t{0}, n);
    return;
  }
  executor.run((n + chunk - 1) / chunk,
               [&](std::size_t task) { work(task * chunk, std::min(n, (task + 1) * chunk)); });
}

// y = x.
void copy_values(const float* x, float* y, std::size_t n, Executor& executor);

// d_input (+)= d_output: the backward pass of an identity. Does nothing where d_input has null data.
void pass_gradient(const BackwardContext& context);

// y = x for the forward pass of an identity.
void pass_values(const ForwardContext& context);

// A penalty on a layer's output, l1 * sum|y| + l2 * sum y^2 over the batch: the plain sum, which the
// training step divides as it sees fit. Masked rows count too, as in Keras.
struct ActivityPenalty {
  double l1 = 0;
  double l2 = 0;

  bool active() const { return l1 != 0 || l2 != 0; }
  // Adds the penalty to *loss, when not null.
  void add_loss(const float* y, std::size_t n, double* loss) const;
  // d_y += context.activity_scale * (l1 * sign(y) + 2 * l2 * y).
  void add_gradient(const float* y, float* d_y, std::size_t n, const BackwardContext& context) const;
};

}  // namespace lamina
