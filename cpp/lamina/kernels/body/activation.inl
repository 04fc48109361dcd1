// Elementwise activations and their derivatives (softmax and log_softmax are in rows.inl).
//
// forward(kind) is y = f(x); backward(kind) is d_x = d_y f'(x), from y or x as kernels/activation.h says. At
// a kink the derivative is the one of Keras: 0 for relu, relu6 and hard_sigmoid, alpha for leaky_relu.

constexpr float kSeluScale = 1.05070098735548049342F;
constexpr float kSeluScaleAlpha = 1.05070098735548049342F * 1.67326324235437728482F;
constexpr float kInverseSqrtTwoPi = 0.398942280F;

// Below this, gelu and silu are 0 in float32, and x may be -infinity.
constexpr float kGeluFloor = -14.5F;
constexpr float kSiluFloor = -110.0F;

inline Floats gelu(Floats x) {
  const Floats tail = normal_tail(at_most(magnitude(x), -kGeluFloor)).tail;
  return x < 0.0F ? at_least(x, kGeluFloor) * tail : x * (1.0F - tail);
}

// gelu' = Phi(x) + x phi(x)
inline Floats gelu_slope(Floats x) {
  const Floats a = at_most(magnitude(x), -kGeluFloor);
  const NormalTail q = normal_tail(a);
  const Floats phi = q.exponential * kInverseSqrtTwoPi;
  const Floats cumulative = x < 0.0F ? q.tail : 1.0F - q.tail;
  return multiply_add(with_sign_of(a, x), phi, cumulative);
}

inline Floats silu(Floats x) {
  const Floats e = exp(-magnitude(x));
  return (x < 0.0F ? at_least(x, kSiluFloor) * e : x) / (e + 1.0F);
}

// silu' = s + x s (1 - s), s = sigmoid(x); s (1 - s) = e / (1 + e)^2 with e = e^-|x|.
inline Floats silu_slope(Floats x) {
  const Floats a = magnitude(x);
  const Floats e = exp(-a);
  const Floats r = 1.0F / (e + 1.0F);
  const Floats s = (x < 0.0F ? e : broadcast(1.0F)) * r;
  return multiply_add(with_sign_of(at_most(a, -kSiluFloor), x), e * r * r, s);
}

// mish = x t, t = tanh(softplus(x)) = (u^2 - 1) / (u^2 + 1) with u = 1 + e^x. With w = e^-|x|:
//   x >= 0: t = (1 + 2w) / (1 + 2w + 2w^2)        x < 0: t = w (w + 2) / (w (w + 2) + 2)
struct MishParts {
  Floats w, numerator, denominator;
};

inline MishParts mish_parts(Floats x) {
  const Floats w = exp(-magnitude(x));
  const Floats below = w * (w + 2.0F);
  const Floats above = multiply_add(w, 2.0F, 1.0F);
  const Ints negative = x < 0.0F;
  return {w, negative ? below : above, negative ? below + 2.0F : multiply_add(w * w, 2.0F, above)};
}

inline Floats mish(Floats x) {
  const MishParts q = mish_parts(x);
  return at_least(x, kSiluFloor) * q.numerator / q.denominator;
}

// mish' = t + x sigmoid(x) (1 - t^2); sigmoid(x) (1 - t^2) = 4 w (1 + w) / denominator^2, times w where x >=
// 0.
inline Floats mish_slope(Floats x) {
  const MishParts q = mish_parts(x);
  const Floats r = 1.0F / q.denominator;
  const Floats w_once = 4.0F * q.w * (q.w + 1.0F);
  const Floats product = (x < 0.0F ? w_once : w_once * q.w) * r * r;
  const Floats bounded = with_sign_of(at_most(magnitude(x), -kSiluFloor), x);
  return multiply_add(bounded, product, q.numerator * r);
}

inline Floats softsign(Floats x) {
  const Floats a = at_most(magnitude(x), kLargest);
  return with_sign_of(a / (a + 1.0F), x);
}

inline Floats softsign_slope(Floats x) {
  const Floats r = 1.0F / (magnitude(x) + 1.0F);
  return r * r;
}

inline Floats clamp_to_6(Floats x) {
  return at_most(at_least(x, 0.0F), 6.0F);
}

inline Floats relu_of(Floats x) {
  return at_least(x, 0.0F);
}
inline Floats relu_gradient(Floats d, Floats y) {
  return y > 0.0F ? d : Floats{};
}

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
    over_lanes(n, [&](std::size_t i, auto lanes) { store(y + i, f(load(x + i, lanes)), lanes); });
  });
}

// The same for d_x = g(d_y, saved).
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
  with_gradient(spec, [&](auto g) {
    over_lanes(n, [&](std::size_t i, auto lanes) {
      Floats d = g(load(d_y + i, lanes), load(saved + i, lanes));
      if (accumulate) d = d + load(d_x + i, lanes);
      store(d_x + i, d, lanes);
    });
  });
}
