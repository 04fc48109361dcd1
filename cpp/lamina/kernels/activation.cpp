#include "lamina/kernels/activation.h"

#include <algorithm>
#include <array>

#include "lamina/kernels/dispatch.h"

namespace lamina::kernels {

namespace {

// In the order of Activation.
constexpr std::array<std::string_view, 17> kNames = {
    "linear",   "relu",        "relu6",   "leaky_relu",   "elu",        "selu",
    "gelu",     "silu",        "sigmoid", "hard_sigmoid", "tanh",       "softplus",
    "softsign", "exponential", "mish",    "softmax",      "log_softmax"};

// Below this many elements a thread's wake-up costs more than it saves.
constexpr std::size_t kChunk = 16384;

// Calls f(begin, count) over `total` items in chunks of about `chunk`, on the executor when there is more
// than one.
template <class F>
void in_chunks(std::size_t total, std::size_t chunk, Executor& executor, F&& f) {
  const std::size_t chunks = (total + chunk - 1) / chunk;
  if (chunks <= 1 || executor.threads() == 1) {
    if (total > 0) f(std::size_t{0}, total);
    return;
  }
  executor.run(chunks, [&](std::size_t i) { f(i * chunk, std::min(chunk, total - i * chunk)); });
}

std::size_t rows_per_chunk(std::size_t cols) {
  return std::max<std::size_t>(1, kChunk / std::max<std::size_t>(1, cols));
}

}  // namespace

std::string_view name_of(Activation activation) {
  return kNames[static_cast<std::size_t>(activation)];
}

std::optional<Activation> activation_named(std::string_view name) {
  const auto* found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Activation>(found - kNames.begin());
}

std::span<const std::string_view> activation_names() {
  return kNames;
}

ActivationSpec with_default_alpha(Activation activation) {
  switch (activation) {
    case Activation::leaky_relu:
      return {activation, 0.2F};
    case Activation::elu:
      return {activation, 1.0F};
    default:
      return {activation, 0.0F};
  }
}

bool needs_input(Activation activation) {
  return activation == Activation::gelu || activation == Activation::silu || activation == Activation::mish ||
         activation == Activation::softsign;
}

bool is_elementwise(Activation activation) {
  return activation != Activation::softmax && activation != Activation::log_softmax;
}

void activation_forward(ActivationSpec spec, const float* x, float* y, std::size_t rows, std::size_t cols,
                        Executor& executor) {
  const Table& kernels = table();
  if (is_elementwise(spec.kind)) {
    in_chunks(rows * cols, kChunk, executor, [&](std::size_t begin, std::size_t count) {
      kernels.activation_forward(spec, x + begin, y + begin, count);
    });
    return;
  }
  in_chunks(rows, rows_per_chunk(cols), executor, [&](std::size_t row, std::size_t count) {
    const std::size_t begin = row * cols;
    if (spec.kind == Activation::softmax) {
      kernels.softmax(x + begin, y + begin, count, cols);
    } else {
      kernels.log_softmax(x + begin, y + begin, count, cols);
    }
  });
}

void activation_backward(const TrainingTable& kernels, ActivationSpec spec, const float* d_y,
                         const float* saved, float* d_x, std::size_t rows, std::size_t cols, bool accumulate,
                         Executor& executor) {
  if (is_elementwise(spec.kind)) {
    in_chunks(rows * cols, kChunk, executor, [&](std::size_t begin, std::size_t count) {
      kernels.activation_backward(spec, d_y + begin, saved + begin, d_x + begin, count, accumulate);
    });
    return;
  }
  const auto backward =
      spec.kind == Activation::softmax ? kernels.softmax_backward : kernels.log_softmax_backward;
  in_chunks(rows, rows_per_chunk(cols), executor, [&](std::size_t row, std::size_t count) {
    const std::size_t begin = row * cols;
    backward(d_y + begin, saved + begin, d_x + begin, count, cols, accumulate);
  });
}

}  // namespace lamina::kernels
