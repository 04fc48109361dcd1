// Vectors of float32 lanes: GCC/Clang vector extensions with a few intrinsics where the compiler does worse
// or where the operation must be exact (fused multiply-add). LAMINA_ISA (0 baseline, 1 AVX2, 2 AVX-512) comes
// from isa/*.cpp.
//
// Comparisons give Ints (0 or -1 a lane); `mask ? a : b` selects by lane.

#if LAMINA_ISA == 2
constexpr std::size_t kLanes = 16;
#elif LAMINA_ISA == 1
constexpr std::size_t kLanes = 8;
#else
constexpr std::size_t kLanes = 4;
#endif

constexpr std::size_t kVectorBytes = 4 * kLanes;
typedef float Floats __attribute__((vector_size(kVectorBytes)));
typedef std::int32_t Ints __attribute__((vector_size(kVectorBytes)));
typedef std::uint32_t Words __attribute__((vector_size(kVectorBytes)));
typedef std::uint64_t Longs __attribute__((vector_size(kVectorBytes)));
typedef double Doubles __attribute__((vector_size(kVectorBytes)));  // kLanes / 2 lanes
typedef float HalfFloats __attribute__((vector_size(kVectorBytes / 2)));
constexpr std::size_t kDoubleLanes = kLanes / 2;

inline Ints bits(Floats x) {
  return (Ints)x;
}
inline Floats from_bits(Ints x) {
  return (Floats)x;
}

inline Floats load(const float* p) {
  Floats v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

inline void store(float* p, Floats v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// (Called in place, the builtin makes GCC 12 emit exception tables at -O0, which need a weak symbol.)
// For writing: a line that another core has read is its own again by then.
inline void prefetch_to_write(const char* p) {
  __builtin_prefetch(p, 1, 2);
}
inline void prefetch(const float* p) {
  __builtin_prefetch(p);
}

// Hides where a value comes from, so that the compiler keeps it in a register of its own.
template <class T>
inline void keep_in_register(T& value) {
#if defined(__GNUC__)
  asm("" : "+r"(value));
#endif
}

// Lets numbers below the normal range count as 0, until restore_denormals() gets what this returned. A
// product with such a number takes a hundred times as long, and averages that fade away (of units that no
// longer learn) would stay among them for long. (No class with a destructor: that needs exception tables.)
inline unsigned flush_denormals() {
#if defined(__SSE2__)
  const unsigned saved = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(saved | 0x8040U);  // flush to zero, denormals are zeros
  return saved;
#else
  return 0;
#endif
}
inline void restore_denormals([[maybe_unused]] unsigned saved) {
#if defined(__SSE2__)
  __builtin_ia32_ldmxcsr(saved);
#endif
}

inline Floats broadcast(float x) {
#if LAMINA_ISA == 2
  return (Floats)_mm512_set1_ps(x);
#elif LAMINA_ISA == 1
  return (Floats)_mm256_set1_ps(x);
#else
  return Floats{x, x, x, x};
#endif
}

inline Ints broadcast_int(std::int32_t x) {
  return Ints{} + x;
}
inline Words broadcast_word(std::uint32_t x) {
  return Words{} + x;
}

// 0, 1, 2, ... by lane.
inline Ints lane_index() {
  Ints v;
  for (std::size_t i = 0; i < kLanes; ++i) v[i] = static_cast<std::int32_t>(i);
  return v;
}

// How much of a vector takes part: all lanes, or the first `count` (a tail). Lanes beyond load as 0 and store
// nothing; memory beyond is neither read nor written.
struct All {
  static constexpr std::size_t count = kLanes;
};
struct Part {
  std::size_t count;
};

inline Ints mask_of(Part part) {
  return lane_index() < static_cast<std::int32_t>(part.count);
}

inline Floats load(const float* p, All) {
  return load(p);
}
inline void store(float* p, Floats v, All) {
  store(p, v);
}

#if LAMINA_ISA == 2
inline __mmask16 lane_bits(Part part) {
  return static_cast<__mmask16>((1U << part.count) - 1U);
}
inline Floats load(const float* p, Part part) {
  return (Floats)_mm512_maskz_loadu_ps(lane_bits(part), p);
}
inline void store(float* p, Floats v, Part part) {
  _mm512_mask_storeu_ps(p, lane_bits(part), (__m512)v);
}
#elif LAMINA_ISA == 1
inline Floats load(const float* p, Part part) {
  return (Floats)_mm256_maskload_ps(p, (__m256i)mask_of(part));
}
// In pieces of 4, 2 and 1: a masked store takes AMD's processors some twenty instructions.
inline void store(float* p, Floats v, Part part) {
  __m128 rest = _mm256_castps256_ps128((__m256)v);
  if ((part.count & 4) != 0) {
    _mm_storeu_ps(p, rest);
    rest = _mm256_extractf128_ps((__m256)v, 1);
    p += 4;
  }
  if ((part.count & 2) != 0) {
    _mm_storel_pi((__m64*)p, rest);
    rest = _mm_movehl_ps(rest, rest);
    p += 2;
  }
  if ((part.count & 1) != 0) _mm_store_ss(p, rest);
}
#elif defined(__SSE2__)
inline Floats load(const float* p, Part part) {
  if (part.count == 4) return load(p);
  if (part.count == 1) return (Floats)_mm_load_ss(p);
  const __m128 pair = _mm_loadl_pi(_mm_setzero_ps(), (const __m64*)p);
  return (Floats)(part.count == 2 ? pair : _mm_movelh_ps(pair, _mm_load_ss(p + 2)));
}
inline void store(float* p, Floats v, Part part) {
  if (part.count == 4) return store(p, v);
  if (part.count == 1) return _mm_store_ss(p, (__m128)v);
  _mm_storel_pi((__m64*)p, (__m128)v);
  if (part.count == 3) _mm_store_ss(p + 2, _mm_movehl_ps((__m128)v, (__m128)v));
}
#else
inline Floats load(const float* p, Part part) {
  Floats v = {};
  for (std::size_t i = 0; i < part.count; ++i) v[i] = p[i];
  return v;
}
inline void store(float* p, Floats v, Part part) {
  for (std::size_t i = 0; i < part.count; ++i) p[i] = v[i];
}
#endif

// All lanes or fewer, as `count` says: for bodies so large that they should stand once, not also for the
// tail.
struct Some {
  std::size_t count;
};

inline Floats load(const float* p, Some some) {
  return some.count == kLanes ? load(p) : load(p, Part{some.count});
}
inline void store(float* p, Floats v, Some some) {
  if (some.count == kLanes) {
    store(p, v);
  } else {
    store(p, v, Part{some.count});
  }
}

// v, with `fill` in the lanes that take no part.
inline Floats fill_rest(Floats v, All, float) {
  return v;
}
inline Floats fill_rest(Floats v, Part part, float fill) {
  return mask_of(part) ? v : broadcast(fill);
}

// Calls f(i, lanes) for i = 0, kLanes, ... over n elements; the last call may have Part lanes.
template <class F>
inline void over_lanes(std::size_t n, F&& f) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(i, All{});
  if (i < n) f(i, Part{n - i});
}

// The same with one call of f, for Some lanes.
template <class F>
inline void over_some_lanes(std::size_t n, F&& f) {
  for (std::size_t i = 0; i < n; i += kLanes) f(i, Some{n - i < kLanes ? n - i : kLanes});
}

// a * b + c: fused (one rounding) where the ISA has FMA, else rounded twice.
inline Floats multiply_add(Floats a, Floats b, Floats c) {
#if LAMINA_ISA == 2
  return (Floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif LAMINA_ISA == 1
  return (Floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (Floats)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}
inline Floats multiply_add(Floats a, float b, Floats c) {
  return multiply_add(a, broadcast(b), c);
}
inline Floats multiply_add(Floats a, Floats b, float c) {
  return multiply_add(a, b, broadcast(c));
}
inline Floats multiply_add(Floats a, float b, float c) {
  return multiply_add(a, broadcast(b), broadcast(c));
}

inline Floats square_root(Floats x) {
#if LAMINA_ISA == 2
  return (Floats)_mm512_sqrt_ps((__m512)x);
#elif LAMINA_ISA == 1
  return (Floats)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
  return (Floats)_mm_sqrt_ps((__m128)x);
#elif defined(__aarch64__)
  return (Floats)vsqrtq_f32((float32x4_t)x);
#else
  for (std::size_t i = 0; i < kLanes; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

// n / (sqrt(v) + epsilon) for v >= 0. A root and a division together take longer than all the rest of an
// optimizer's pass. Where estimates of 14 bits are specified exactly (AVX-512), the division is one and a
// Newton step, good to 1 ulp; it runs beside the root. An infinite divisor counts as the largest number,
// whose reciprocal is flushed to 0 as an optimizer runs; NaN stays NaN.
inline Floats divide_by_root(Floats n, Floats v, Floats epsilon) {
#if LAMINA_ISA == 2
  const __m512 root = _mm512_add_ps((__m512)square_root(v), (__m512)epsilon);
  const __m512 d = _mm512_min_ps(_mm512_set1_ps(3.40282347e38F), root);
  const __m512 estimate = _mm512_rcp14_ps(d);
  const __m512 quotient = _mm512_mul_ps((__m512)n, estimate);
  return (Floats)_mm512_fmadd_ps(_mm512_fnmadd_ps(quotient, d, (__m512)n), estimate, quotient);
#else
  return n / (square_root(v) + epsilon);
#endif
}

// The larger or smaller; a NaN in x stays NaN, one in `bound` is ignored. (The order of operands is that of
// x86's maxps, which gives its second operand when one is NaN.)
inline Floats at_least(Floats x, Floats bound) {
#if LAMINA_ISA == 2
  return (Floats)_mm512_max_ps((__m512)bound, (__m512)x);
#elif LAMINA_ISA == 1
  return (Floats)_mm256_max_ps((__m256)bound, (__m256)x);
#else
  return bound > x ? bound : x;
#endif
}
inline Floats at_most(Floats x, Floats bound) {
#if LAMINA_ISA == 2
  return (Floats)_mm512_min_ps((__m512)bound, (__m512)x);
#elif LAMINA_ISA == 1
  return (Floats)_mm256_min_ps((__m256)bound, (__m256)x);
#else
  return bound < x ? bound : x;
#endif
}
inline Floats at_least(Floats x, float bound) {
  return at_least(x, broadcast(bound));
}
inline Floats at_most(Floats x, float bound) {
  return at_most(x, broadcast(bound));
}

inline Floats magnitude(Floats x) {
  return from_bits(bits(x) & 0x7fffffff);
}
// |x| with the sign of `sign`.
inline Floats with_sign_of(Floats x, Floats sign) {
  return from_bits((bits(x) & 0x7fffffff) | (bits(sign) & static_cast<std::int32_t>(0x80000000U)));
}
// -1, 0 or 1; NaN gives 0.
inline Floats sign_of(Floats x) {
  return x > 0.0F ? broadcast(1.0F) : (x < 0.0F ? broadcast(-1.0F) : Floats{});
}

inline Doubles load_doubles(const float* p) {
  HalfFloats v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, Doubles);
}

// Halves of v as float64.
inline Doubles low_doubles(Floats v) {
  HalfFloats half;
  __builtin_memcpy(&half, &v, sizeof half);
  return __builtin_convertvector(half, Doubles);
}
inline Doubles high_doubles(Floats v) {
  HalfFloats half;
  __builtin_memcpy(&half, reinterpret_cast<const char*>(&v) + sizeof half, sizeof half);
  return __builtin_convertvector(half, Doubles);
}

// Sum of lanes, by halves.
inline double sum_lanes(Doubles v) {
#if LAMINA_ISA == 2
  return _mm512_reduce_add_pd((__m512d)v);
#else
  double lane[kDoubleLanes];
  __builtin_memcpy(lane, &v, sizeof lane);
  for (std::size_t half = kDoubleLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
  }
  return lane[0];
#endif
}

inline float largest_lane(Floats v) {
#if LAMINA_ISA == 2
  return _mm512_reduce_max_ps((__m512)v);
#else
  float lane[kLanes];
  __builtin_memcpy(lane, &v, sizeof lane);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) lane[i] = lane[i + half] > lane[i] ? lane[i + half] : lane[i];
  }
  return lane[0];
#endif
}

// Sums of float32 lanes in float64.
struct LaneSum {
  Doubles low = {}, high = {};
  void add(Floats v) {
    low += low_doubles(v);
    high += high_doubles(v);
  }
  double total() const { return sum_lanes(low + high); }
};
