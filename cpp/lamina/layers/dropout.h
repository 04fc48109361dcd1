#pragma once

#include "lamina/layers/layer.h"

namespace lamina {

struct DropoutOptions {
  double rate = 0.5;
  std::optional<std::int64_t> seed = {};
  bool trainable = true;
  std::string name = {};
};

// Inverted dropout (Srivastava et al., JMLR 15, 2014): in training y = x / (1 - rate) with probability
// 1 - rate and 0 otherwise, so that the expected sum stays; in inference y = x. rate 0 is the identity, 1
// gives zeros. The mask is never stored: backward draws it again from the step's key.
class Dropout final : public DescribedLayer<Dropout, DropoutOptions> {
 public:
  static constexpr const char* kType = "Dropout";
  static constexpr const char* kDoc = "Sets each input to zero with probability `rate` while training.";
  static void fields(Fields<DropoutOptions>& field);
  using DescribedLayer::DescribedLayer;

  LayerSpec build(std::span<const TensorSpec> inputs, const std::string& name) const override;
  void forward(const ForwardContext& context) const override;
  void backward(const BackwardContext& context) const override;
  bool depends_on_mode() const override { return options_.rate > 0; }

 private:
  template <class Context>
  void mask(const Context& context, const float* x, float* y, std::size_t n, bool accumulate) const;
};

LayerPtr dropout(DropoutOptions options);
LayerPtr dropout(double rate);

}  // namespace lamina
