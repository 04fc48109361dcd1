// The area under a curve over all thresholds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/metrics/metric.h"

namespace lamina {

struct AUCOptions {
  std::int64_t num_thresholds = 200;
  std::string curve = "ROC";                       // "ROC" or "PR"
  std::string summation_method = "interpolation";  // or "minoring", "majoring"
  std::string name = "auc";
};

// As Keras's AUC: predictions in [0, 1] (others are clipped) are counted in num_thresholds - 1 even buckets,
// and the Riemann sum is taken over the bucket limits; for PR with interpolation the precision is
// interpolated (Davis and Goadrich, "The Relationship Between Precision-Recall and ROC Curves", ICML 2006). A
// target is positive above 0.
//
// Several columns are pooled, each against its own target, as in Keras. With integer labels there must be one
// column, or two, of which the second is the prediction; ArgumentError otherwise. 0 while a class is missing.
class AUC final : public Described<AUC, Metric, AUCOptions> {
 public:
  static constexpr const char* kType = "AUC";
  static constexpr const char* kDoc =
      "Area under the ROC or precision-recall curve, over num_thresholds even thresholds.";
  static constexpr const char* kAliases[] = {"auc"};
  static void fields(Fields<AUCOptions>& field);
  using Described::Described;

  std::string name() const override { return options_.name; }
  void reset(std::size_t columns, TargetKind targets) override;
  void update(const MetricBatch& batch) override;
  double result() const override;

 private:
  void count(float prediction, bool positive);

  // Positives and negatives whose prediction lies above threshold i, but not above i + 1.
  std::vector<std::uint64_t> positives_, negatives_;
};

namespace metrics {
MetricPtr auc(AUCOptions options = {});
}  // namespace metrics

}  // namespace lamina
