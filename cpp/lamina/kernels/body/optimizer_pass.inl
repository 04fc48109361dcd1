// What both the optimizers and the matrix product ask of a pass.

// Whether there is nothing but the rule: no clipping, penalty, decay or moving average.
inline bool is_plain(const OptimizerPass& pass) {
  return pass.gradient_scale == 1.0F && pass.l1 == 0.0F && pass.l2 == 0.0F &&
         !(pass.clip_value < kInfinity) && pass.weight_decay == 0.0F && pass.ema == nullptr;
}
