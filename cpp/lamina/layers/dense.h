#pragma once

#include <string_view>

#include "lamina/layers/helpers.h"
#include "lamina/layers/layer.h"

namespace lamina {

struct DenseOptions {
  std::int64_t units = 0;  // required, at least 1
  ActivationChoice activation = "linear";
  bool use_bias = true;
  InitializerPtr kernel_initializer = initializer_named("glorot_uniform");
  InitializerPtr bias_initializer = initializer_named("zeros");
  RegularizerPtr kernel_regularizer = nullptr;
  RegularizerPtr bias_regularizer = nullptr;
  RegularizerPtr activity_regularizer = nullptr;
  ConstraintPtr kernel_constraint = nullptr;
  ConstraintPtr bias_constraint = nullptr;
  bool trainable = true;
  std::string name = {};
};

// y = activation(x kernel + bias) along the last axis: (batch, ..., in) to (batch, ..., units). Parameters:
// kernel (in, units), and with use_bias bias (units,).
class Dense final : public DescribedLayer<Dense, DenseOptions> {
 public:
  static constexpr const char* kType = "Dense";
  static constexpr const char* kDoc = "Fully connected: activation(x kernel + bias).";
  static void fields(Fields<DenseOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  std::size_t forward_scratch(std::span<const TensorSpec> inputs, std::size_t rows) const override;
  std::size_t backward_scratch(std::span<const TensorSpec> inputs, std::size_t rows) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;
  // None with an activity regularizer: that one needs the activation's output.
  std::optional<ActivationKind> final_activation() const override;
  bool takes_derivative() const override { return true; }

 private:
  std::size_t units() const { return static_cast<std::size_t>(options_.units); }
  ActivityPenalty activity_penalty() const;
  const float* logit_gradient(const BackwardContext& context, std::size_t rows, float* d_z) const;
};

// ArgumentError for bad options or an unknown activation.
LayerPtr dense(DenseOptions options);
LayerPtr dense(std::int64_t units, std::string_view activation = "linear");

}  // namespace lamina
