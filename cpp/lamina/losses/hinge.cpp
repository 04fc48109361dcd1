#include "lamina/losses/hinge.h"

namespace lamina {

namespace {

// The target as -1 or 1.
float sign_of(const LossPiece& piece, std::size_t i) {
  return piece.all_binary ? 2.0F * piece.target[i] - 1.0F : piece.target[i];
}

float margin_error(const LossPiece& piece, std::size_t i) {
  const float error = 1.0F - sign_of(piece, i) * piece.prediction[i];
  return error < 0.0F ? 0.0F : error;
}

}  // namespace

void Hinge::elements(const LossPiece& piece) const {
  for (std::size_t i = 0; i < piece.count; ++i) piece.loss[i] = margin_error(piece, i);
  if (piece.gradient == nullptr) return;
  for (std::size_t i = 0; i < piece.count; ++i) {
    piece.gradient[i] = piece.loss[i] > 0.0F ? -sign_of(piece, i) : 0.0F;
  }
}

void SquaredHinge::elements(const LossPiece& piece) const {
  for (std::size_t i = 0; i < piece.count; ++i) {
    const float error = margin_error(piece, i);
    piece.loss[i] = error * error;
  }
  if (piece.gradient == nullptr) return;
  for (std::size_t i = 0; i < piece.count; ++i) {
    piece.gradient[i] = -2.0F * sign_of(piece, i) * margin_error(piece, i);
  }
}

LossPtr hinge(LossOptions options) {
  return std::make_shared<const Hinge>(std::move(options));
}

LossPtr squared_hinge(LossOptions options) {
  return std::make_shared<const SquaredHinge>(std::move(options));
}

}  // namespace lamina
