// Losses of numbers against numbers. A row's loss is the mean over its columns; error = prediction - target.
#pragma once

#include <memory>

#include "lamina/losses/element_loss.h"

namespace lamina {

// error^2
class MeanSquaredError final : public ElementLossOf<MeanSquaredError> {
 public:
  static constexpr const char* kType = "MeanSquaredError";
  static constexpr const char* kDoc = "Mean of the squared errors: mean((y_pred - y_true)^2).";
  static constexpr const char* kAliases[] = {"mean_squared_error", "mse", "MSE"};
  static void fields(Fields<LossOptions>& field) { reduction_field(field); }
  using DescribedLoss::DescribedLoss;

 private:
  void elements(const LossPiece& piece) const override;
};

// |error|; its derivative is sign(error), with sign(0) = 0.
class MeanAbsoluteError final : public ElementLossOf<MeanAbsoluteError> {
 public:
  static constexpr const char* kType = "MeanAbsoluteError";
  static constexpr const char* kDoc = "Mean of the absolute errors: `mean(|y_pred - y_true|)`.";
  static constexpr const char* kAliases[] = {"mean_absolute_error", "mae", "MAE"};
  static void fields(Fields<LossOptions>& field) { reduction_field(field); }
  using DescribedLoss::DescribedLoss;

 private:
  void elements(const LossPiece& piece) const override;
};

struct HuberOptions {
  double delta = 1.0;
  std::optional<std::string> reduction = kSumOverBatchSize;
};

// error^2 / 2 up to |error| = delta, from there on the line delta * |error| - delta^2 / 2.
class Huber final : public ElementLossOf<Huber, HuberOptions> {
 public:
  static constexpr const char* kType = "Huber";
  static constexpr const char* kDoc =
      "Squared error / 2 where `|y_pred - y_true| <= delta`, and a line from there on: outliers pull less.";
  static constexpr const char* kAliases[] = {"huber", "huber_loss"};
  static void fields(Fields<HuberOptions>& field) {
    field("delta", &HuberOptions::delta, "Where the loss turns from quadratic to linear.", positive());
    reduction_field(field);
  }
  using DescribedLoss::DescribedLoss;

 private:
  void elements(const LossPiece& piece) const override;
};

// log(cosh(error)): near error^2 / 2 for small errors, near |error| - log 2 for large ones.
class LogCosh final : public ElementLossOf<LogCosh> {
 public:
  static constexpr const char* kType = "LogCosh";
  static constexpr const char* kDoc =
      "Logarithm of the hyperbolic cosine of the error: mean(log(cosh(error))).";
  static constexpr const char* kAliases[] = {"log_cosh", "logcosh"};
  static void fields(Fields<LossOptions>& field) { reduction_field(field); }
  using DescribedLoss::DescribedLoss;

 private:
  void elements(const LossPiece& piece) const override;
};

// prediction - target * log(prediction + 1e-7). Predictions are rates; negative ones give NaN, as in Keras.
class Poisson final : public ElementLossOf<Poisson> {
 public:
  static constexpr const char* kType = "Poisson";
  static constexpr const char* kDoc = "Poisson loss of counts: mean(y_pred - y_true * log(y_pred + 1e-7)).";
  static constexpr const char* kAliases[] = {"poisson"};
  static void fields(Fields<LossOptions>& field) { reduction_field(field); }
  using DescribedLoss::DescribedLoss;

 private:
  void elements(const LossPiece& piece) const override;
};

LossPtr mean_squared_error(LossOptions options = {});
LossPtr mean_absolute_error(LossOptions options = {});
LossPtr huber(HuberOptions options = {});
LossPtr log_cosh(LossOptions options = {});
LossPtr poisson(LossOptions options = {});

}  // namespace lamina
