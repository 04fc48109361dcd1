// Conversion of any element type to float32, rounded to nearest even.
//
// Plain loops that the compiler vectorises; float16 uses F16C where there is one. Elements are read by
// memcpy, since the caller's arrays may be unaligned.

template <class T>
inline T element(const void* x, std::size_t i) {
  T value;
  __builtin_memcpy(&value, static_cast<const char*>(x) + i * sizeof(T), sizeof(T));
  return value;
}

// The language's own conversion rounds to nearest even, and a float64 out of range becomes infinity.
template <class T>
void convert_from(const void* x, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<float>(element<T>(x, i));
}

// A float16 in the low half of each lane. As float32 bits its exponent is 112 too small: a product with 2^112
// mends normal and subnormal numbers exactly; infinity and NaN get the exponent of all ones.
inline Floats from_half(Ints half) {
  const Ints shifted = (half & 0x7fff) << 13;
  const Ints scaled = bits(from_bits(shifted) * from_bits(broadcast_int((127 + 112) << 23)));
  const Ints value = shifted >= 0x0f800000 ? shifted | 0x7f800000 : scaled;
  return from_bits(value | ((half & 0x8000) << 16));
}

inline Floats load_half(const void* x, std::size_t i, All) {
  const char* first = static_cast<const char*>(x) + 2 * i;
#if LAMINA_ISA == 2
  __m256i half;
  __builtin_memcpy(&half, first, sizeof half);
  return (Floats)_mm512_cvtph_ps(half);
#elif LAMINA_ISA == 1
  __m128i half;
  __builtin_memcpy(&half, first, sizeof half);
  return (Floats)_mm256_cvtph_ps(half);
#else
  Ints half;
  for (std::size_t j = 0; j < kLanes; ++j) half[j] = element<std::uint16_t>(first, j);
  return from_half(half);
#endif
}

inline Floats load_half(const void* x, std::size_t i, Part part) {
  Ints half = {};
  for (std::size_t j = 0; j < part.count; ++j) half[j] = element<std::uint16_t>(x, i + j);
  return from_half(half);
}

void convert_from_half(const void* x, float* y, std::size_t n) {
  over_lanes(n, [&](std::size_t i, auto lanes) { store(y + i, load_half(x, i, lanes), lanes); });
}

void convert_from_boolean(const void* x, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] = element<std::uint8_t>(x, i) != 0 ? 1.0F : 0.0F;
}

void convert(ElementType type, const void* x, float* y, std::size_t n) {
  if (n == 0) return;
  switch (type) {
    case ElementType::boolean:
      return convert_from_boolean(x, y, n);
    case ElementType::u8:
      return convert_from<std::uint8_t>(x, y, n);
    case ElementType::i8:
      return convert_from<std::int8_t>(x, y, n);
    case ElementType::u16:
      return convert_from<std::uint16_t>(x, y, n);
    case ElementType::i16:
      return convert_from<std::int16_t>(x, y, n);
    case ElementType::u32:
      return convert_from<std::uint32_t>(x, y, n);
    case ElementType::i32:
      return convert_from<std::int32_t>(x, y, n);
    case ElementType::u64:
      return convert_from<std::uint64_t>(x, y, n);
    case ElementType::i64:
      return convert_from<std::int64_t>(x, y, n);
    case ElementType::f16:
      return convert_from_half(x, y, n);
    case ElementType::f32:
      __builtin_memcpy(y, x, n * sizeof(float));
      return;
    case ElementType::f64:
      return convert_from<double>(x, y, n);
  }
}

// Whether no element has an exponent of all ones. Blocks keep the inner loop free of branches.
bool all_finite(const float* x, std::size_t n) {
  constexpr std::size_t kBlock = 512;
  constexpr std::uint32_t kExponent = 0x7f800000U;
  for (std::size_t begin = 0; begin < n; begin += kBlock) {
    const std::size_t end = n - begin < kBlock ? n : begin + kBlock;
    std::uint32_t full = 0;
    for (std::size_t i = begin; i < end; ++i) {
      full |= (element<std::uint32_t>(x, i) & kExponent) == kExponent ? 1U : 0U;
    }
    if (full != 0) return false;
  }
  return true;
}
