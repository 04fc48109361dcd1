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
