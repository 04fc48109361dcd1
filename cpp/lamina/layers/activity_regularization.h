#pragma once

#include "lamina/layers/layer.h"

namespace lamina {

struct ActivityRegularizationOptions {
  double l1 = 0.0;
  double l2 = 0.0;
  bool trainable = true;
  std::string name = {};
};

// The identity; adds l1 * sum|x| + l2 * sum x^2 over the batch to the activity loss.
class ActivityRegularization final
    : public DescribedLayer<ActivityRegularization, ActivityRegularizationOptions> {
 public:
  static constexpr const char* kType = "ActivityRegularization";
  static constexpr const char* kDoc = "Passes its inputs on and adds a penalty on their size to the loss.";
  static void fields(Fields<ActivityRegularizationOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;
};

LayerPtr activity_regularization(ActivityRegularizationOptions options = {});

}  // namespace lamina
