// exp, expm1, log, log1p, tanh, erf, the normal tail, sigmoid and softplus of vectors, over the whole float32
// range.
//
// Method: the argument is reduced to a small interval (Cody and Waite for exp, exponent and mantissa for log)
// where a polynomial of nearly minimal largest error (fitted by iteratively reweighted least squares in
// float64, then rounded to float32) gives the function. Bounds in ulp stand above each function;
// tests/cpp/kernels/math_test.cpp holds them to it.

constexpr float kInfinity = __builtin_inff();
constexpr float kNan = __builtin_nanf("");
constexpr float kLargest = 3.40282347e38F;
constexpr float kLn2High = 0.693359375F;  // 10 bits: n * kLn2High is exact for |n| < 2^14
constexpr float kLn2Low = -2.12194440e-4F;

// Horner's rule: c[0] + c[1] x + c[2] x^2 + ...
template <std::size_t N>
inline Floats polynomial(Floats x, const float (&c)[N]) {
  Floats p = broadcast(c[N - 1]);
  for (std::size_t i = N - 1; i-- > 0;) p = multiply_add(p, x, c[i]);
  return p;
}

// 2^n for integral -126 <= n <= 127.
inline Floats power_of_two(Ints n) {
  return from_bits((n + 127) << 23);
}

// p * 2^n, rounded once (also when the result is denormal or infinite). -252 <= n <= 254, integral.
inline Floats scale_by_power(Floats p, Floats n) {
#if LAMINA_ISA == 2
  return (Floats)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
  // Two steps, since 2^n itself may be out of range; the first is exact.
  const Ints whole = bits(n + 12582912.0F) - 0x4b400000;
  const Ints half = whole >> 1;
  return p * power_of_two(half) * power_of_two(whole - half);
#endif
}

// x = n ln 2 + r with integral n and |r| <= ln(2) / 2 (and a hair).
struct Reduced {
  Floats n, r;
};

inline Reduced reduce_by_ln2(Floats x) {
  constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  const Floats n = multiply_add(x, 1.44269504F, kMagic) - kMagic;
  Floats r = multiply_add(n, -kLn2High, x);
  r = multiply_add(n, -kLn2Low, r);
  return {n, r};
}

// (e^r - 1 - r) / r^2 for |r| <= 0.3475.
inline Floats exp_tail(Floats r) {
  constexpr float kC[] = {5.000000000e-01F, 1.666666567e-01F, 4.166629165e-02F,
                          8.333498612e-03F, 1.394494320e-03F, 1.979006192e-04F};
  return polynomial(r, kC);
}

// e^(x + y) for a small |y| <= 0.1, -150 <= x <= 89.
inline Floats exp_of_sum(Floats x, Floats y) {
  Reduced q = reduce_by_ln2(x);
  q.r = q.r + y;
  const Floats p = multiply_add(exp_tail(q.r), q.r * q.r, q.r) + 1.0F;
  return scale_by_power(p, q.n);
}

// e^x; 1 ulp.
inline Floats exp(Floats x) {
  const Reduced q = reduce_by_ln2(at_most(at_least(x, -104.0F), 89.0F));  // beyond: 0 and infinity
  const Floats p = multiply_add(exp_tail(q.r), q.r * q.r, q.r) + 1.0F;
  return scale_by_power(p, q.n);
}

// e^x - 1 = 2^n (e^r - 1) + (2^n - 1); 2 ulp.
inline Floats expm1(Floats x) {
  const Reduced q = reduce_by_ln2(at_most(at_least(x, -30.0F), 89.0F));
  const Floats p = multiply_add(exp_tail(q.r), q.r * q.r, q.r);
  // Half of everything, since 2^n overflows before the result does.
  const Floats half_power = power_of_two(bits(q.n - 1.0F + 12582912.0F) - 0x4b400000);
  const Floats y = multiply_add(p, half_power, half_power - 0.5F) * 2.0F;
  return q.n == 0.0F ? p : y;  // keeps the bits of denormals
}

// log(2^e (1 + f)) for sqrt(1/2) <= 1 + f < sqrt(2).
inline Floats log_of_parts(Floats e, Floats f) {
  constexpr float kC[] = {3.333331347e-01F,  -2.500000894e-01F, 2.000211924e-01F,
                          -1.666799635e-01F, 1.421955228e-01F,  -1.240558922e-01F,
                          1.188816279e-01F,  -1.167565137e-01F, 6.746638566e-02F};
  const Floats square = f * f;
  Floats y = polynomial(f, kC) * (square * f);
  y = multiply_add(e, kLn2Low, y);
  y = multiply_add(square, -0.5F, y);
  return multiply_add(e, kLn2High, f + y);
}

// a - b modulo 2^32: negative x and NaN end up here, whose results are not used.
inline Ints subtract_wrapping(Ints a, Ints b) {
  return (Ints)((Words)a - (Words)b);
}

// The exponent of a normal x > 0 that leaves a mantissa in [sqrt(1/2), sqrt(2)).
inline Ints exponent_of(Floats x) {
  return subtract_wrapping(bits(x), broadcast_int(0x3f3504f3)) >> 23;
}

// log(x); 1 ulp. -infinity at 0, NaN below.
inline Floats log(Floats x) {
  const Ints tiny = x < 1.17549435e-38F;
  const Floats normal = tiny ? x * 8388608.0F : x;
  const Ints e = exponent_of(normal);
  const Floats f = from_bits(subtract_wrapping(bits(normal), e << 23)) - 1.0F;
  const Ints e_true = e - (tiny & 23);
  Floats y = log_of_parts(__builtin_convertvector(e_true, Floats), f);
  y = x < kInfinity ? y : x;
  y = x == 0.0F ? broadcast(-kInfinity) : y;
  return x < 0.0F ? broadcast(kNan) : y;
}

// log(1 + x) for 0 > x > -1 and 0 <= x < infinity. What rounding 1 + x loses is added back to the mantissa.
inline Floats log1p_finite(Floats x) {
  const Floats u = x + 1.0F;
  const Floats lost = x < 1.0F ? x - (u - 1.0F) : 1.0F - (u - x);
  const Ints e = exponent_of(u);
  const Floats down =
      from_bits((e < 127 ? 127 - e : Ints{}) << 23);  // 2^-e; from 2^127 on `lost` doesn't matter
  const Floats f = multiply_add(lost, down, from_bits(subtract_wrapping(bits(u), e << 23)) - 1.0F);
  return log_of_parts(__builtin_convertvector(e, Floats), f);
}

// log(1 + x); 1.5 ulp.
inline Floats log1p(Floats x) {
  Floats y = log1p_finite(x);
  y = x < kInfinity ? y : x;
  y = x == -1.0F ? broadcast(-kInfinity) : y;
  return x < -1.0F ? broadcast(kNan) : y;
}

// tanh(x): a polynomial for small |x|, else 1 - 2 / (e^(2|x|) + 1); 2 ulp.
inline Floats tanh(Floats x) {
  constexpr float kC[] = {-3.333333135e-01F, 1.333320588e-01F,  -5.394676328e-02F,
                          2.170070261e-02F,  -8.177398704e-03F, 2.142962068e-03F};
  const Floats a = magnitude(x);
  const Floats square = x * x;
  const Floats small = multiply_add(polynomial(square, kC) * square, x, x);
  const Floats large = 1.0F - 2.0F / (exp(a + a) + 1.0F);
  return a < 0.625F ? small : with_sign_of(large, x);
}

// Upper tail of the standard normal distribution for 0 <= x <= 14.5, and e^(-x^2/2) on the way.
struct NormalTail {
  Floats tail, exponential;
};

// tail = e^(-x^2/2) t P(t - 0.5) with t = 1 / (1 + 0.4 x); relative error 4 ulp (where it isn't denormal).
inline NormalTail normal_tail(Floats x) {
  constexpr float kC[] = {2.826626599e-01F,  3.469536901e-01F, 2.111791670e-01F, -2.956242673e-02F,
                          -1.048687994e-01F, 2.069115452e-02F, 6.445917487e-02F, -3.701730445e-02F,
                          -2.967360988e-02F, 3.887495399e-02F, -9.506871924e-03F};
  // x^2 = high^2 + (x - high)(x + high); high^2 is exact, so e^(-x^2/2) keeps its relative error.
  const Floats high = from_bits(bits(x) & static_cast<std::int32_t>(0xfffff000U));
  const Floats exponential = exp_of_sum(-0.5F * high * high, -0.5F * (x - high) * (x + high));
  const Floats t = 1.0F / multiply_add(x, 0.4F, 1.0F);
  return {exponential * (t * polynomial(t - 0.5F, kC)), exponential};
}

// erf(x): a polynomial for |x| < 0.95, else 1 - 2 normal_tail(sqrt(2) |x|); 1.5 ulp.
inline Floats erf(Floats x) {
  constexpr float kC[] = {1.283791661e-01F, -3.761263192e-01F, 1.128366366e-01F, -2.685770579e-02F,
                          5.196953658e-03F, -8.097716491e-04F, 8.185137267e-05F};
  const Floats a = magnitude(x);
  const Floats small = multiply_add(polynomial(x * x, kC), x, x);
  const Floats large = multiply_add(normal_tail(at_most(a, 5.0F) * 1.41421356F).tail, -2.0F, 1.0F);
  return a < 0.95F ? small : with_sign_of(large, x);
}

// 1 / (1 + e^-x), from e = e^-|x| so that nothing overflows; 2 ulp.
inline Floats sigmoid(Floats x) {
  const Floats e = exp(-magnitude(x));
  return (x < 0.0F ? e : broadcast(1.0F)) / (e + 1.0F);
}

// log(1 + e^x) = max(x, 0) + log1p(e^-|x|); 2 ulp.
inline Floats softplus(Floats x) {
  return at_least(x, 0.0F) + log1p_finite(exp(-magnitude(x)));
}
