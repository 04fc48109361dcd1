#include "lamina/losses/kl_divergence.h"

#include "lamina/kernels/dispatch.h"
#include "lamina/losses/loss_rows.h"

namespace lamina {

namespace {

float clip(float p) {
  return p < kLossEpsilon ? kLossEpsilon : (p > 1.0F ? 1.0F : p);
}

}  // namespace

void KLDivergence::elements(const LossPiece& piece) const {
  for (std::size_t i = 0; i < piece.count; ++i) {
    piece.loss[i] = clip(piece.target[i]) / clip(piece.prediction[i]);
  }
  kernels::training_table().map(kernels::Unary::log, piece.loss, piece.loss, piece.count);
  for (std::size_t i = 0; i < piece.count; ++i) piece.loss[i] *= clip(piece.target[i]);
  if (piece.gradient == nullptr) return;
  for (std::size_t i = 0; i < piece.count; ++i) {
    const float p = piece.prediction[i];
    const bool clipped = !(p >= kLossEpsilon && p <= 1.0F);
    piece.gradient[i] = clipped ? 0.0F : -clip(piece.target[i]) / p;
  }
}

LossPtr kl_divergence(LossOptions options) {
  return std::make_shared<const KLDivergence>(std::move(options));
}

}  // namespace lamina
