// Values and gradients that Keras 3.15.1 computes on its JAX backend (jax.grad of the loss with reduction
// "sum").
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

#include "lamina/losses/registered.h"

using namespace lamina;

namespace {

using Six = std::array<float, 6>;

constexpr Six kTargets{1, 0, 0, 0.2F, 0.3F, 0.9F};
constexpr Six kBinary{1, 0, 0, 0, 1, 1};
constexpr Six kProbabilities{0.7F, 0.2F, 0.4F, 0, 1e-9F, 1};
// Exactly at the upper bound of a clip, 1 here, JAX halves the derivative; we count it as inside.
constexpr Six kBelowOne{0.7F, 0.2F, 0.4F, 0, 1e-9F, 0.95F};
constexpr Six kLogits{2, -1, 0.5F, 80, -80, 0};
constexpr std::array<std::int32_t, 2> kLabels{0, 2};

struct Golden {
  LossPtr loss;
  Six target, prediction;
  std::array<double, 2> values;
  std::array<double, 6> gradient;
};

const std::vector<Golden> kGolden{
    {categorical_crossentropy(),
     kTargets,
     kProbabilities,
     {0.61903918, 8.0590477},
     {-0.65934068, 0.76923078, 0.76923078, 0.0, 0.0, 0.0}},
    {categorical_crossentropy({.from_logits = true}),
     kTargets,
     kLogits,
     {0.24131133, 120.0},
     {-0.21440297, 0.039112572, 0.17529039, 1.1999999, -0.30000001, -0.89999998}},
    {binary_crossentropy(),
     kTargets,
     kProbabilities,
     {0.36354804, 3.2177625},
     {-0.47619051, 0.41666669, 0.55555552, 0.0, 0.0, 0.0}},
    {binary_crossentropy({.from_logits = true}),
     kTargets,
     kLogits,
     {0.47142226, 29.564383},
     {-0.039734304, 0.089647137, 0.20748645, 0.26666668, -0.10000001, -0.13333334}},
    {binary_focal_crossentropy({.apply_class_balancing = true, .alpha = 0.3, .gamma = 1.5}),
     kTargets,
     kProbabilities,
     {0.040671382, 0.21891312},
     {-0.05277767, 0.061014943, 0.21145803, 0.26814622, 0.3072229, -0.068563417}},
    {categorical_crossentropy({.label_smoothing = 0.1}),
     kTargets,
     kProbabilities,
     {0.67945182, 8.3276825},
     {-0.56410247, 0.6025641, 0.68589747, 0.0, 0.0, 0.0}},
    {categorical_crossentropy({.from_logits = true, .label_smoothing = 0.1}),
     kTargets,
     kLogits,
     {0.39131135, 116.0},
     {-0.14773631, 0.0057792366, 0.14195706, 1.1466665, -0.30333334, -0.8433333}},
    {binary_crossentropy({.label_smoothing = 0.1}),
     kTargets,
     kProbabilities,
     {0.40753233, 3.6989622},
     {-0.39682537, 0.31249997, 0.48611107, 0.0, 0.0, 0.0}},
    {binary_crossentropy({.from_logits = true, .label_smoothing = 0.1}),
     kTargets,
     kLogits,
     {0.51308894, 29.297714},
     {-0.023067635, 0.072980471, 0.19081978, 0.25666666, -0.10666668, -0.11999999}},
    {binary_focal_crossentropy(
         {.apply_class_balancing = true, .alpha = 0.3, .gamma = 1.5, .label_smoothing = 0.1}),
     kTargets,
     kProbabilities,
     {0.046620838, 0.2747654},
     {-0.055491861, 0.066358596, 0.19084129, 0.29185882, 0.30040497, -0.10702816}},
    {sparse_categorical_crossentropy(),
     kTargets,
     kProbabilities,
     {0.61903918, 1.1920929e-07},
     {-0.65934068, 0.76923078, 0.76923078, 0.0, 0.0, 0.0}},
    {mean_squared_error(),
     kTargets,
     kLogits,
     {0.75, 4272.3135},
     {0.66666669, -0.66666669, 0.33333334, 53.200005, -53.533337, -0.60000002}},
    {mean_absolute_error(),
     kTargets,
     kLogits,
     {0.83333337, 53.666668},
     {0.33333334, -0.33333334, 0.33333334, 0.33333334, -0.33333334, -0.33333334}},
    {huber({.delta = 0.75}),
     kTargets,
     kLogits,
     {0.35416669, 39.968754},
     {0.25, -0.25, 0.16666667, 0.25, -0.25, -0.25}},
    {log_cosh(),
     kTargets,
     kLogits,
     {0.32922542, 53.024517},
     {0.25386474, -0.25386468, 0.15403907, 0.33333334, -0.33333334, -0.23876598}},
    {poisson(),
     kTargets,
     kProbabilities,
     {0.55222499, 3.0186877},
     {-0.14285707, 0.33333334, 0.33333334, -666666.38, -990098.81, 0.033333361}},
    {kl_divergence(),
     kTargets,
     kBelowOne,
     {0.35667199, 7.3273077},
     {-1.4285713, -4.9999994e-07, -2.4999997e-07, 0.0, 0.0, -0.94736844}},
    {cosine_similarity(),
     kTargets,
     kLogits,
     {-0.87287158, 0.072932497},
     {-0.10391328, -0.16626126, 0.083130628, -0.0022791408, -0.0022791408, -0.0082049062}},
    {hinge(), kTargets, kLogits, {0.66666669, 8.666667}, {0.0, 0.0, 0.0, 0.0, -0.10000001, -0.30000001}},
    {squared_hinge(), kBinary, kLogits, {0.75, 4374.3335}, {0.0, 0.0, 1.0, 54.0, -54.0, -0.66666669}},
};

}  // namespace

TEST_CASE("losses agree with Keras") {
  for (const Golden& golden : kGolden) {
    CAPTURE(golden.loss->repr());
    LossBatch batch;
    batch.rows = 2;
    batch.columns = 3;
    batch.prediction = golden.prediction.data();
    batch.target = golden.target.data();
    batch.labels = kLabels.data();
    std::array<float, 2> row_losses{};
    Six gradient{};
    std::vector<float> scratch(golden.loss->scratch(2, 3));
    golden.loss->evaluate(batch, 1.0F, {.d_prediction = gradient.data(), .row_losses = row_losses.data()},
                          scratch.data(), serial_executor());
    // Both are float32; Keras's own rounding is a few parts in 1e7 of the largest term.
    const auto near = [](float got, double expected) {
      return std::fabs(static_cast<double>(got) - expected) <= 1e-6 + 2e-6 * std::fabs(expected);
    };
    for (std::size_t i = 0; i < 2; ++i) CHECK_MESSAGE(near(row_losses[i], golden.values[i]), row_losses[i]);
    for (std::size_t i = 0; i < 6; ++i) {
      CAPTURE(i);
      CHECK_MESSAGE(near(gradient[i], golden.gradient[i]), gradient[i], " for ", golden.gradient[i]);
    }
  }
}
