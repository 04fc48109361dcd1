#include "lamina/losses/regression.h"

#include <array>
#include <cmath>

#include "lamina/kernels/dispatch.h"
#include "lamina/losses/loss_rows.h"

namespace lamina {

using kernels::Unary;

void MeanSquaredError::elements(const LossPiece& piece) const {
  for (std::size_t i = 0; i < piece.count; ++i) {
    const float error = piece.prediction[i] - piece.target[i];
    piece.loss[i] = error * error;
  }
  if (piece.gradient == nullptr) return;
  for (std::size_t i = 0; i < piece.count; ++i) {
    piece.gradient[i] = 2.0F * (piece.prediction[i] - piece.target[i]);
  }
}

void MeanAbsoluteError::elements(const LossPiece& piece) const {
  for (std::size_t i = 0; i < piece.count; ++i) {
    piece.loss[i] = std::fabs(piece.prediction[i] - piece.target[i]);
  }
  if (piece.gradient == nullptr) return;
  for (std::size_t i = 0; i < piece.count; ++i) {
    const float error = piece.prediction[i] - piece.target[i];
    piece.gradient[i] = error > 0.0F ? 1.0F : (error < 0.0F ? -1.0F : error);  // error: 0 or NaN
  }
}

void Huber::elements(const LossPiece& piece) const {
  const float delta = static_cast<float>(options_.delta);
  for (std::size_t i = 0; i < piece.count; ++i) {
    const float error = std::fabs(piece.prediction[i] - piece.target[i]);
    piece.loss[i] = error <= delta ? 0.5F * error * error : delta * (error - 0.5F * delta);
  }
  if (piece.gradient == nullptr) return;
  for (std::size_t i = 0; i < piece.count; ++i) {
    const float error = piece.prediction[i] - piece.target[i];
    piece.gradient[i] = error > delta ? delta : (error < -delta ? -delta : error);
  }
}

// log(cosh(e)) = |e| + log((1 + exp(-2|e|)) / 2), which can't overflow and is right to 1e-7 |e| near 0.
void LogCosh::elements(const LossPiece& piece) const {
  const kernels::TrainingTable& table = kernels::training_table();
  const std::size_t n = piece.count;
  alignas(64) std::array<float, kPiece> size;
  for (std::size_t i = 0; i < n; ++i) {
    size[i] = std::fabs(piece.prediction[i] - piece.target[i]);
    piece.loss[i] = -2.0F * size[i];
  }
  table.map(Unary::expm1, piece.loss, piece.loss, n);
  for (std::size_t i = 0; i < n; ++i) piece.loss[i] *= 0.5F;
  table.map(Unary::log1p, piece.loss, piece.loss, n);
  for (std::size_t i = 0; i < n; ++i) piece.loss[i] += size[i];
  if (piece.gradient == nullptr) return;
  for (std::size_t i = 0; i < n; ++i) piece.gradient[i] = piece.prediction[i] - piece.target[i];
  table.map(Unary::tanh, piece.gradient, piece.gradient, n);
}

void Poisson::elements(const LossPiece& piece) const {
  const std::size_t n = piece.count;
  for (std::size_t i = 0; i < n; ++i) piece.loss[i] = piece.prediction[i] + kLossEpsilon;
  kernels::training_table().map(Unary::log, piece.loss, piece.loss, n);
  for (std::size_t i = 0; i < n; ++i) {
    piece.loss[i] = piece.prediction[i] - piece.target[i] * piece.loss[i];
  }
  if (piece.gradient == nullptr) return;
  for (std::size_t i = 0; i < n; ++i) {
    piece.gradient[i] = 1.0F - piece.target[i] / (piece.prediction[i] + kLossEpsilon);
  }
}

LossPtr mean_squared_error(LossOptions options) {
  return std::make_shared<const MeanSquaredError>(std::move(options));
}

LossPtr mean_absolute_error(LossOptions options) {
  return std::make_shared<const MeanAbsoluteError>(std::move(options));
}

LossPtr huber(HuberOptions options) {
  return std::make_shared<const Huber>(std::move(options));
}

LossPtr log_cosh(LossOptions options) {
  return std::make_shared<const LogCosh>(std::move(options));
}

LossPtr poisson(LossOptions options) {
  return std::make_shared<const Poisson>(std::move(options));
}

}  // namespace lamina
