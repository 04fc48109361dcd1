// Activations over rows: the elementwise kernels and the two row-wise ones behind one pair of functions.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "lamina/core/thread_pool.h"
#include "lamina/kernels/kernels.h"

namespace lamina::kernels {

// Keras's name of an activation ("relu"), and back. Empty when there is none of that name.
std::string_view name_of(Activation activation);
std::optional<Activation> activation_named(std::string_view name);
std::span<const std::string_view> activation_names();

// leaky_relu 0.2 (Keras's negative_slope), elu 1, others 0.
ActivationSpec with_default_alpha(Activation activation);

// Whether activation_backward wants the activation's input (else its output) as `saved`.
bool needs_input(Activation activation);
// Whether it works on each element by itself (all but softmax and log_softmax).
bool is_elementwise(Activation activation);

// y = activation(x) over rows x cols; in place allowed.
void activation_forward(ActivationSpec spec, const float* x, float* y, std::size_t rows, std::size_t cols,
                        Executor& executor);
// d_x (+)= the gradient; `saved` as needs_input() says.
void activation_backward(const TrainingTable& kernels, ActivationSpec spec, const float* d_y,
                         const float* saved, float* d_x, std::size_t rows, std::size_t cols, bool accumulate,
                         Executor& executor);

}  // namespace lamina::kernels
