// Elementwise activations over arrays: y = f(x). (softmax and log_softmax are in rows.inl.)

// Gives y = f(x) as a callable to `small` where it takes few instructions, else to `large`.
template <class Small, class Large>
inline void with_activation(ActivationSpec spec, Small&& small, Large&& large) {
  const Floats alpha = broadcast(spec.alpha);
  switch (spec.kind) {
    case Activation::linear:
      return small([](Floats x) { return x; });
    case Activation::relu:
      return small([](Floats x) { return relu_of(x); });
    case Activation::relu6:
      return small([](Floats x) { return clamp_to_6(x); });
    case Activation::leaky_relu:
      return small([=](Floats x) { return x > 0.0F ? x : x * alpha; });
    case Activation::elu:
      return large([=](Floats x) { return x > 0.0F ? x : alpha * expm1(x); });
    case Activation::selu:
      return large([](Floats x) { return x > 0.0F ? x * kSeluScale : expm1(x) * kSeluScaleAlpha; });
    case Activation::gelu:
      return large([](Floats x) { return gelu(x); });
    case Activation::silu:
      return large([](Floats x) { return silu(x); });
    case Activation::sigmoid:
      return large([](Floats x) { return sigmoid(x); });
    case Activation::hard_sigmoid:
      return small([](Floats x) { return clamp_to_6(x + 3.0F) / 6.0F; });
    case Activation::tanh:
      return large([](Floats x) { return tanh(x); });
    case Activation::softplus:
      return large([](Floats x) { return softplus(x); });
    case Activation::softsign:
      return small([](Floats x) { return softsign(x); });
    case Activation::exponential:
      return large([](Floats x) { return exp(x); });
    case Activation::mish:
      return large([](Floats x) { return mish(x); });
    case Activation::softmax:
    case Activation::log_softmax:
      return;  // row-wise: rows.inl
  }
}

void activation_forward(ActivationSpec spec, const float* x, float* y, std::size_t n) {
  // By value: a pointer captured by reference would be read again after each store.
  const auto small = [=](auto f) {
    over_lanes(n, [=](std::size_t i, auto lanes) { store(y + i, f(load(x + i, lanes)), lanes); });
  };
  const auto large = [=](auto f) {
    over_some_lanes(n, [=](std::size_t i, auto lanes) { store(y + i, f(load(x + i, lanes)), lanes); });
  };
  with_activation(spec, small, large);
}
