#include "lamina/metrics/auc.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "lamina/metrics/class_of.h"
#include "lamina/metrics/mean_metric.h"

namespace lamina {

namespace {

double ratio(double part, double whole) {
  return whole == 0 ? 0.0 : part / whole;
}

// The counts at one threshold.
struct Confusion {
  double true_positives = 0, false_positives = 0;
};

// The area under the precision-recall curve between two thresholds; between them true positives are taken to
// be linear in all positives.
double interpolated_pr_area(const Confusion& low, const Confusion& high, double positives) {
  const double found_low = low.true_positives + low.false_positives;
  const double found_high = high.true_positives + high.false_positives;
  const double d_true = low.true_positives - high.true_positives;
  const double slope = ratio(d_true, found_low - found_high);
  const double intercept = high.true_positives - slope * found_high;
  const double log_ratio = found_low > 0 && found_high > 0 ? std::log(found_low / found_high) : 0.0;
  return ratio(slope * (d_true + intercept * log_ratio), positives);
}

}  // namespace

void AUC::fields(Fields<AUCOptions>& field) {
  field("num_thresholds", &AUCOptions::num_thresholds, "How many thresholds the curve has.",
        in_closed_range(2, 1e8));
  field("curve", &AUCOptions::curve, "'ROC', or 'PR' for precision against recall.", one_of({"ROC", "PR"}));
  field("summation_method", &AUCOptions::summation_method,
        "How the curve is summed: 'interpolation', 'minoring' (from below) or 'majoring' (from above).",
        one_of({"interpolation", "minoring", "majoring"}));
  field("name", &AUCOptions::name, kMetricNameDoc);
}

void AUC::reset(std::size_t columns, TargetKind targets) {
  if (targets == TargetKind::labels && columns > 2) {
    throw ArgumentError(name() + ": expected predictions of at most 2 columns for integer labels, got " +
                        std::to_string(columns) + "; use one-hot targets to pool the classes.");
  }
  positives_.assign(static_cast<std::size_t>(options_.num_thresholds), 0);
  negatives_.assign(static_cast<std::size_t>(options_.num_thresholds), 0);
}

void AUC::count(float prediction, bool positive) {
  const float clipped = prediction > 0.0F ? std::min(prediction, 1.0F) : 0.0F;  // NaN counts as 0
  const float scaled = std::ceil(clipped * static_cast<float>(options_.num_thresholds - 1)) - 1.0F;
  const std::size_t bucket =
      std::min(static_cast<std::size_t>(std::max(scaled, 0.0F)), positives_.size() - 1);
  ++(positive ? positives_ : negatives_)[bucket];
}

void AUC::update(const MetricBatch& batch) {
  for (std::size_t row = 0; row < batch.rows; ++row) {
    const float* prediction = batch.prediction + row * batch.columns;
    if (batch.labels != nullptr) {
      count(prediction[batch.columns - 1], batch.labels[row] == 1);
      continue;
    }
    for (std::size_t column = 0; column < batch.columns; ++column) {
      count(prediction[column], target_value(batch, row, column) > 0.0F);
    }
  }
}

double AUC::result() const {
  double positives = 0, negatives = 0;
  for (std::size_t i = 0; i < positives_.size(); ++i) {
    positives += static_cast<double>(positives_[i]);
    negatives += static_cast<double>(negatives_[i]);
  }
  if (positives + negatives == 0) return std::numeric_limits<double>::quiet_NaN();

  const bool roc = options_.curve == "ROC";
  const bool interpolate = options_.summation_method == "interpolation";
  // From the highest threshold down: x is the false positive rate or recall, y recall or precision.
  const auto x_of = [&](const Confusion& at) {
    return roc ? ratio(at.false_positives, negatives) : ratio(at.true_positives, positives);
  };
  const auto y_of = [&](const Confusion& at) {
    return roc ? ratio(at.true_positives, positives)
               : ratio(at.true_positives, at.true_positives + at.false_positives);
  };
  double area = 0;
  Confusion high{static_cast<double>(positives_.back()), static_cast<double>(negatives_.back())};
  for (std::size_t i = positives_.size() - 1; i-- > 0;) {
    const Confusion low{high.true_positives + static_cast<double>(positives_[i]),
                        high.false_positives + static_cast<double>(negatives_[i])};
    if (interpolate && !roc) {
      area += interpolated_pr_area(low, high, positives);
    } else {
      const double y_low = y_of(low), y_high = y_of(high);
      const double height = interpolate                               ? (y_low + y_high) / 2
                            : options_.summation_method == "minoring" ? std::min(y_low, y_high)
                                                                      : std::max(y_low, y_high);
      area += (x_of(low) - x_of(high)) * height;
    }
    high = low;
  }
  return area;
}

namespace metrics {

MetricPtr auc(AUCOptions options) {
  return std::make_shared<AUC>(std::move(options));
}

}  // namespace metrics

}  // namespace lamina
