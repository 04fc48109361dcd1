#include "lamina/losses/binary_crossentropy.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "lamina/kernels/dispatch.h"
#include "lamina/losses/loss_rows.h"

namespace lamina {

using kernels::Activation;
using kernels::Unary;

namespace {

constexpr const char* kFromLogitsDoc = "Whether predictions are logits, not probabilities.";
constexpr const char* kSmoothingDoc =
    "In [0, 1]: moves every target towards 1/2, from t to t * (1 - s) + s / 2.";

struct Smoothing {
  explicit Smoothing(double s) : keep(static_cast<float>(1.0 - s)), add(static_cast<float>(0.5 * s)) {}
  float operator()(float target) const { return target * keep + add; }
  float keep, add;
};

// What the target leaves of |x|: 1 - t for x >= 0, t below. Written without branches, exact for both.
float wrong_share(float x, float t) {
  const float positive = x >= 0.0F ? 1.0F : 0.0F;
  return positive + (1.0F - 2.0F * positive) * t;
}

// With e = exp(-|x|): sigmoid(x) is 1 / (1 + e) for x >= 0 and e / (1 + e) below, and the loss is
// |x| * wrong_share + log(1 + e). Nothing overflows, and nothing cancels for targets 0 and 1.
// `e` receives exp(-|x|), piece.loss the loss.
void crossentropy_of_logits(const LossPiece& piece, Smoothing smooth, float* e) {
  const kernels::TrainingTable& table = kernels::training_table();
  const float* x = piece.prediction;
  for (std::size_t i = 0; i < piece.count; ++i) e[i] = -std::fabs(x[i]);
  table.map(Unary::exp, e, e, piece.count);
  table.map(Unary::log1p, e, piece.loss, piece.count);
  for (std::size_t i = 0; i < piece.count; ++i) {
    piece.loss[i] += std::fabs(x[i]) * wrong_share(x[i], smooth(piece.target[i]));
  }
  if (piece.activated == nullptr) return;
  for (std::size_t i = 0; i < piece.count; ++i) {
    const float numerator = x[i] >= 0.0F ? 1.0F : e[i];
    piece.activated[i] = numerator / (1.0F + e[i]);
  }
}

// sigmoid(x) - t, from e = exp(-|x|).
float logit_gradient(float x, float e, float t) {
  const float sign = x >= 0.0F ? 1.0F : -1.0F;
  return sign * (wrong_share(x, t) - e / (1.0F + e));
}

// -(t log c + (1 - t) log(1 - c)) with c the clipped prediction, into piece.loss.
void crossentropy_of_probabilities(const LossPiece& piece, Smoothing smooth) {
  const kernels::TrainingTable& table = kernels::training_table();
  alignas(64) std::array<float, ElementLoss::kPiece> of_zero;
  for (std::size_t i = 0; i < piece.count; ++i) {
    const float c = clip_probability(piece.prediction[i]);
    piece.loss[i] = c;
    of_zero[i] = -c;
  }
  table.map(Unary::log, piece.loss, piece.loss, piece.count);
  table.map(Unary::log1p, of_zero.data(), of_zero.data(), piece.count);
  for (std::size_t i = 0; i < piece.count; ++i) {
    const float t = smooth(piece.target[i]);
    piece.loss[i] = -(t * piece.loss[i] + (1.0F - t) * of_zero[i]);
  }
}

float probability_gradient(float p, float t) {
  return is_clipped(p) ? 0.0F : (p - t) / (p * (1.0F - p));
}

// m^gamma, where m = 1 - p_t.
float focus(float m, float gamma) {
  return gamma == 2.0F ? m * m : std::pow(m, gamma);
}

// d m^gamma / d m.
float focus_slope(float m, float gamma) {
  if (gamma == 2.0F) return 2.0F * m;
  if (gamma == 0.0F) return 0.0F;
  return gamma * std::pow(gamma < 1.0F ? std::max(m, kLossEpsilon) : m, gamma - 1.0F);
}

}  // namespace

void BinaryCrossentropy::fields(Fields<BinaryCrossentropyOptions>& field) {
  field("from_logits", &BinaryCrossentropyOptions::from_logits, kFromLogitsDoc);
  field("label_smoothing", &BinaryCrossentropyOptions::label_smoothing, kSmoothingDoc, in_closed_range(0, 1));
  reduction_field(field);
}

std::optional<Activation> BinaryCrossentropy::fused_activation() const {
  return options_.from_logits ? std::nullopt : std::optional(Activation::sigmoid);
}

void BinaryCrossentropy::elements(const LossPiece& piece) const {
  const Smoothing smooth(options_.label_smoothing);
  const float* prediction = piece.prediction;
  if (options_.from_logits || piece.fused_logits) {
    alignas(64) std::array<float, kPiece> e;
    crossentropy_of_logits(piece, smooth, e.data());
    if (piece.gradient == nullptr) return;
    for (std::size_t i = 0; i < piece.count; ++i) {
      piece.gradient[i] = logit_gradient(prediction[i], e[i], smooth(piece.target[i]));
    }
    return;
  }
  crossentropy_of_probabilities(piece, smooth);
  if (piece.gradient == nullptr) return;
  for (std::size_t i = 0; i < piece.count; ++i) {
    piece.gradient[i] = probability_gradient(prediction[i], smooth(piece.target[i]));
  }
}

void BinaryFocalCrossentropy::fields(Fields<BinaryFocalCrossentropyOptions>& field) {
  using Options = BinaryFocalCrossentropyOptions;
  field("apply_class_balancing", &Options::apply_class_balancing,
        "Whether to weight targets 1 by alpha and targets 0 by 1 - alpha.");
  field("alpha", &Options::alpha, "Weight of target 1 when balancing.", in_closed_range(0, 1));
  field("gamma", &Options::gamma, "Exponent of the focal factor; 0 leaves the plain cross-entropy.",
        non_negative());
  field("from_logits", &Options::from_logits, kFromLogitsDoc);
  field("label_smoothing", &Options::label_smoothing, kSmoothingDoc, in_closed_range(0, 1));
  reduction_field(field);
}

std::optional<Activation> BinaryFocalCrossentropy::fused_activation() const {
  return options_.from_logits ? std::nullopt : std::optional(Activation::sigmoid);
}

// loss = balance * m^gamma * crossentropy with m = 1 - p_t = t (1 - p) + (1 - t) p, so dm/dp = 1 - 2t.
void BinaryFocalCrossentropy::elements(const LossPiece& piece) const {
  const Smoothing smooth(options_.label_smoothing);
  const float gamma = static_cast<float>(options_.gamma);
  const float alpha = static_cast<float>(options_.alpha);
  const bool logits = options_.from_logits || piece.fused_logits;
  alignas(64) std::array<float, kPiece> e;
  if (logits) {
    crossentropy_of_logits(piece, smooth, e.data());
  } else {
    crossentropy_of_probabilities(piece, smooth);
  }
  for (std::size_t i = 0; i < piece.count; ++i) {
    const float x = piece.prediction[i];
    const float t = smooth(piece.target[i]);
    const float balance = options_.apply_class_balancing ? t * alpha + (1.0F - t) * (1.0F - alpha) : 1.0F;
    const float crossentropy = piece.loss[i];
    const float small = logits ? e[i] / (1.0F + e[i]) : 0.0F;  // the smaller of p and 1 - p
    const float large = logits ? 1.0F / (1.0F + e[i]) : 0.0F;
    const float p = logits ? (x >= 0.0F ? large : small) : x;
    const float q = logits ? (x >= 0.0F ? small : large) : 1.0F - x;
    const float m = t * q + (1.0F - t) * p;
    const float factor = focus(m, gamma);
    piece.loss[i] = balance * factor * crossentropy;
    if (piece.gradient == nullptr) continue;
    if (logits) {
      // dp/dx = p q; written with p q / m <= 1 so that m^(gamma - 1) can't overflow.
      const float slope = m == 0.0F ? 0.0F : gamma * factor * (p * q / m) * (1.0F - 2.0F * t);
      piece.gradient[i] = balance * (factor * logit_gradient(x, e[i], t) + slope * crossentropy);
    } else {
      const float slope = focus_slope(m, gamma) * (1.0F - 2.0F * t);
      piece.gradient[i] = balance * (factor * probability_gradient(x, t) + slope * crossentropy);
    }
  }
}

LossPtr binary_crossentropy(BinaryCrossentropyOptions options) {
  return std::make_shared<const BinaryCrossentropy>(std::move(options));
}

LossPtr binary_focal_crossentropy(BinaryFocalCrossentropyOptions options) {
  return std::make_shared<const BinaryFocalCrossentropy>(std::move(options));
}

}  // namespace lamina
