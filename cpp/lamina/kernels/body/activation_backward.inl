// The gradients of elementwise activations over arrays: d_x (+)= d_y f'(x), from y or x as
// kernels/activation.h says. (Those of softmax and log_softmax are in rows_backward.inl.)

// d_x = g(d_y, saved) for `kind`, given to `apply` as a callable.
template <class Apply>
inline void with_gradient(ActivationSpec spec, Apply&& apply) {
  const Floats alpha = broadcast(spec.alpha);
  switch (spec.kind) {
    case Activation::linear:
      return apply([](Floats d, Floats) { return d; });
    case Activation::relu:
      return apply([](Floats d, Floats y) { return relu_gradient(d, y); });
    case Activation::relu6:
      return apply([](Floats d, Floats y) { return ((y > 0.0F) & (y < 6.0F)) ? d : Floats{}; });
    case Activation::leaky_relu:
      return apply([=](Floats d, Floats y) { return y > 0.0F ? d : d * alpha; });
    case Activation::elu:
      return apply([=](Floats d, Floats y) { return y > 0.0F ? d : d * (y + alpha); });
    case Activation::selu:
      return apply(
          [](Floats d, Floats y) { return d * (y > 0.0F ? broadcast(kSeluScale) : y + kSeluScaleAlpha); });
    case Activation::gelu:
      return apply([](Floats d, Floats x) { return d * gelu_slope(x); });
    case Activation::silu:
      return apply([](Floats d, Floats x) { return d * silu_slope(x); });
    case Activation::sigmoid:
      return apply([](Floats d, Floats y) { return d * (y * (1.0F - y)); });
    case Activation::hard_sigmoid:
      return apply([](Floats d, Floats y) { return ((y > 0.0F) & (y < 1.0F)) ? d / 6.0F : Floats{}; });
    case Activation::tanh:
      return apply([](Floats d, Floats y) { return d * ((1.0F - y) * (1.0F + y)); });
    case Activation::softplus:
      return apply([](Floats d, Floats y) { return -(d * expm1(-y)); });
    case Activation::softsign:
      return apply([](Floats d, Floats x) { return d * softsign_slope(x); });
    case Activation::exponential:
      return apply([](Floats d, Floats y) { return d * y; });
    case Activation::mish:
      return apply([](Floats d, Floats x) { return d * mish_slope(x); });
    case Activation::softmax:
    case Activation::log_softmax:
      return;  // row-wise: rows.inl
  }
}

void activation_backward(ActivationSpec spec, const float* d_y, const float* saved, float* d_x, std::size_t n,
                         bool accumulate) {
  with_gradient(spec, [=](auto g) {
    over_lanes(n, [=](std::size_t i, auto lanes) {
      Floats d = g(load(d_y + i, lanes), load(saved + i, lanes));
      if (accumulate) d = d + load(d_x + i, lanes);
      store(d_x + i, d, lanes);
    });
  });
}
