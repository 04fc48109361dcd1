// What kernels compute, by name: functions, activations, the rules of optimizers.
//
// Plain types that layers, optimizers and kernels speak. The files of each ISA see this header, so it
// includes nothing that defines inline functions (see kernels/kernels.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace lamina {

// Elementwise functions of one float, right over the whole float32 range (no NaN or overflow where the true
// value is finite). Bounds in ulp against float64 are stated and tested in tests/cpp/kernels.
enum class Unary : std::uint8_t {
  exp,
  expm1,
  log,
  log1p,
  tanh,
  erf,
  sigmoid,
  softplus,
  sqrt,
  rsqrt,
  square,
  abs
};

// Elementwise functions of two floats. The larger or smaller of two is NaN where one of them is, as in NumPy.
enum class Binary : std::uint8_t { add, subtract, multiply, divide, minimum, maximum };

// Activations, as Keras 3 defines them. leaky_relu has `alpha` for its negative slope, elu for its scale.
// gelu is the exact one (erf).
enum class ActivationKind : std::uint8_t {
  linear,
  relu,
  relu6,
  leaky_relu,
  elu,
  selu,
  gelu,
  silu,
  sigmoid,
  hard_sigmoid,
  tanh,
  softplus,
  softsign,
  exponential,
  mish,
  softmax,
  log_softmax
};

struct ActivationSpec {
  ActivationKind kind = ActivationKind::linear;
  float alpha = 0.0F;
};

enum class OptimizerKind : std::uint8_t { sgd, rmsprop, adam, adamax, nadam, adagrad, lion };

// One pass of an optimizer over `rows` rows of n consecutive parameters w. In this order, for each of them:
//
//   g = gradient * gradient_scale + l1 * sign(w) + 2 * l2 * w
//   g = clamp(g, -clip_value, clip_value)      where clip_value is finite
//   w = w - weight_decay * w                   decoupled: the caller has multiplied in the learning rate
//   w, slots = the rule of the kind, below
//   ema = ema_momentum * ema + (1 - ema_momentum) * w      where ema is not null
//
// The caller computes the constants for the step in float64, the complements 1 - beta too. Numbers below the
// normal range of float32 (1.2e-38) count as 0.
//
// sgd: velocity, null without momentum; c0 = 1 - dampening
//   velocity = beta1 * velocity + c0 * g
//   w -= learning_rate * (nesterov ? beta1 * velocity + c0 * g : velocity), or learning_rate * g without
// rmsprop: velocity; momentum, null without; average, null unless centered
//   velocity = beta2 * velocity + (1 - beta2) * g^2
//   average = beta2 * average + (1 - beta2) * g
//   momentum = beta1 * momentum + learning_rate * g / sqrt(velocity [- average^2] + epsilon)
//   w -= momentum
// adam: m; v; v_hat, null unless amsgrad; c0 = learning_rate * sqrt(1 - beta2^t) / (1 - beta1^t)
//   m += (g - m) * (1 - beta1)
//   v += (g^2 - v) * (1 - beta2)
//   v_hat = max(v_hat, v)
//   w -= c0 * m / (sqrt(v or v_hat) + epsilon)
// adamax: m; u; c0 = learning_rate / (1 - beta1^t)
//   m as adam, u = max(beta2 * u, |g|), w -= c0 * m / (u + epsilon)
// nadam: m; v; c0 and c1 hold the learning rate and the products of momenta, c2 = 1 / (1 - beta2^t)
//   m and v as adam, w -= (c0 * m + c1 * g) / (sqrt(v * c2) + epsilon)
// adagrad: accumulator
//   accumulator += g^2, w -= learning_rate * g / sqrt(accumulator + epsilon)
// lion: m
//   w -= learning_rate * sign(beta1 * m + (1 - beta1) * g), m = beta2 * m + (1 - beta2) * g
struct OptimizerPass {
  float* w;
  const float* gradient;
  float* slots[3];  // in the order above
  float* ema;
  std::size_t n;
  std::size_t rows = 1;
  std::size_t row = 0;           // from one row to the next, of w, slots and ema
  std::size_t gradient_row = 0;  // and of the gradient
  float gradient_scale, l1, l2, clip_value, weight_decay, ema_momentum;
  float learning_rate, beta1, one_minus_beta1, beta2, one_minus_beta2, epsilon, c0, c1, c2;
  bool nesterov;
};

// Under these names kernels know them.
namespace kernels {
using Activation = ActivationKind;
using lamina::ActivationSpec;
using lamina::Binary;
using lamina::OptimizerKind;
using lamina::OptimizerPass;
using lamina::Unary;
}  // namespace kernels

}  // namespace lamina
