// Elementwise activations over arrays: y = f(x). (softmax and log_softmax are in rows.inl.)

// y = f(x, lanes' worth) for `kind`, given to `apply` as a callable: one switch for all loops over it.
template <class Apply>
inline void with_activation(ActivationSpec spec, Apply&& apply) {
  const Floats alpha = broadcast(spec.alpha);
  switch (spec.kind) {
    case Activation::linear:
      return apply([](Floats x) { return x; });
    case Activation::relu:
      return apply([](Floats x) { return relu_of(x); });
    case Activation::relu6:
      return apply([](Floats x) { return clamp_to_6(x); });
    case Activation::leaky_relu:
      return apply([=](Floats x) { return x > 0.0F ? x : x * alpha; });
    case Activation::elu:
      return apply([=](Floats x) { return x > 0.0F ? x : alpha * expm1(x); });
    case Activation::selu:
      return apply([](Floats x) { return x > 0.0F ? x * kSeluScale : expm1(x) * kSeluScaleAlpha; });
    case Activation::gelu:
      return apply([](Floats x) { return gelu(x); });
    case Activation::silu:
      return apply([](Floats x) { return silu(x); });
    case Activation::sigmoid:
      return apply([](Floats x) { return sigmoid(x); });
    case Activation::hard_sigmoid:
      return apply([](Floats x) { return clamp_to_6(x + 3.0F) / 6.0F; });
    case Activation::tanh:
      return apply([](Floats x) { return tanh(x); });
    case Activation::softplus:
      return apply([](Floats x) { return softplus(x); });
    case Activation::softsign:
      return apply([](Floats x) { return softsign(x); });
    case Activation::exponential:
      return apply([](Floats x) { return exp(x); });
    case Activation::mish:
      return apply([](Floats x) { return mish(x); });
    case Activation::softmax:
    case Activation::log_softmax:
      return;  // row-wise: rows.inl
  }
}

void activation_forward(ActivationSpec spec, const float* x, float* y, std::size_t n) {
  with_activation(spec, [&](auto f) {
    over_some_lanes(n, [&](std::size_t i, auto lanes) { store(y + i, f(load(x + i, lanes)), lanes); });
  });
}
