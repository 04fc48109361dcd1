// The base of losses that are a mean (or sum) over the columns of a function of one prediction and one
// target.
#pragma once

#include <cstddef>

#include "lamina/losses/loss_options.h"

namespace lamina {

// A contiguous piece of a batch, at most ElementLoss::kPiece elements.
struct LossPiece {
  std::size_t count = 0;
  const float* prediction = nullptr;
  const float* target = nullptr;
  bool fused_logits = false;
  bool all_binary = false;  // every target of the batch is 0 or 1; set only when asks_all_binary()
  float* loss = nullptr;
  float* gradient = nullptr;   // d loss / d prediction, or null
  float* activated = nullptr;  // or null
};

// Derives evaluate() from elements(), the function and its derivative over a piece.
class ElementLoss : public Loss {
 public:
  static constexpr std::size_t kPiece = 1024;

  TargetKind target_kind() const override { return TargetKind::values; }
  std::size_t scratch(std::size_t rows, std::size_t columns) const override;
  LossValue evaluate(const LossBatch& batch, float scale, const LossOutputs& outputs, float* scratch,
                     Executor& executor) const override;

 protected:
  virtual void elements(const LossPiece& piece) const = 0;
  // Whether a row's loss is the mean over its columns, else the sum.
  virtual bool is_mean() const { return true; }
  virtual bool asks_all_binary() const { return false; }

 private:
  void rows(const LossBatch& batch, float scale, const LossOutputs& outputs, bool all_binary,
            float* row_losses, std::size_t first, std::size_t last) const;
};

template <class Self, class Options = LossOptions>
using ElementLossOf = DescribedLoss<Self, ElementLoss, Options>;

}  // namespace lamina
