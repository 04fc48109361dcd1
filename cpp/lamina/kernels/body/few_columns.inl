// The product of rows with a few columns, which would leave most lanes of a vector empty: a vector holds
// kQuad columns of kLanes / kQuad rows instead. Each element of C is one chain in increasing k, as in
// matmul_tile. Twice as fast as tiles at 142 x 3 x 100 and 142 x 4 x 100 with AVX-512, 1.5 times with AVX2.

constexpr std::size_t kQuad = 4;
constexpr std::size_t kQuads = kLanes / kQuad;  // rows of a vector
constexpr std::size_t kVectorsOfRows = 4;       // that are computed together

// The quad at p, in each quad of lanes.
inline Floats repeat_quad(const float* p) {
#if LAMINA_ISA == 2
  return (Floats)_mm512_broadcast_f32x4(_mm_loadu_ps(p));
#elif LAMINA_ISA == 1
  return (Floats)_mm256_broadcast_ps(reinterpret_cast<const __m128*>(p));
#else
  return load(p);
#endif
}

// A quad of each of kQuads rows.
inline Floats quads_of_rows(const float* const* rows, std::size_t at) {
#if LAMINA_ISA == 2
  __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(rows[0] + at));
  v = _mm512_mask_broadcast_f32x4(v, 0x00F0, _mm_loadu_ps(rows[1] + at));
  v = _mm512_mask_broadcast_f32x4(v, 0x0F00, _mm_loadu_ps(rows[2] + at));
  return (Floats)_mm512_mask_broadcast_f32x4(v, 0xF000, _mm_loadu_ps(rows[3] + at));
#elif LAMINA_ISA == 1
  return (Floats)_mm256_loadu2_m128(rows[1] + at, rows[0] + at);
#else
  return load(rows[0] + at);
#endif
}

// Element `kIndex` of each quad, in all of its lanes.
template <int kIndex>
inline Floats spread(Floats v) {
#if LAMINA_ISA == 2
  return (Floats)_mm512_permute_ps((__m512)v, kIndex * 0x55);
#elif LAMINA_ISA == 1
  return (Floats)_mm256_permute_ps((__m256)v, kIndex * 0x55);
#else
  return Floats{v[kIndex], v[kIndex], v[kIndex], v[kIndex]};
#endif
}

template <int kIndex>
inline void add_spread(Floats (&sum)[kVectorsOfRows], const Floats (&a)[kVectorsOfRows], const float* b) {
  const Floats columns = repeat_quad(b + kIndex * kQuad);
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectorsOfRows; ++v) {
    sum[v] = multiply_add(spread<kIndex>(a[v]), columns, sum[v]);
  }
}

// b: k x kQuad, with zeros beyond n columns; bias: kQuad values, or null; c: rows x n, dense.
void few_columns(const float* a, std::size_t a_row, std::size_t rows, std::size_t k, const float* b,
                 const float* bias, std::size_t n, float* c) {
  constexpr std::size_t kRows = kVectorsOfRows * kQuads;
  const std::size_t whole = k / kQuad * kQuad;
  for (std::size_t begin = 0; begin < rows; begin += kRows) {
    const std::size_t some = rows - begin < kRows ? rows - begin : kRows;
    const float* row[kRows];
    for (std::size_t r = 0; r < kRows; ++r) row[r] = a + (begin + (r < some ? r : some - 1)) * a_row;
    Floats sum[kVectorsOfRows] = {};
    Floats element[kVectorsOfRows];
    for (std::size_t p = 0; p < whole; p += kQuad) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectorsOfRows; ++v) element[v] = quads_of_rows(row + v * kQuads, p);
      add_spread<0>(sum, element, b + p * kQuad);
      add_spread<1>(sum, element, b + p * kQuad);
      add_spread<2>(sum, element, b + p * kQuad);
      add_spread<3>(sum, element, b + p * kQuad);
    }
    for (std::size_t p = whole; p < k; ++p) {
      float last[kRows * kQuad] = {};
      for (std::size_t r = 0; r < kRows; ++r) last[r * kQuad] = row[r][p];
      for (std::size_t v = 0; v < kVectorsOfRows; ++v) element[v] = load(last + v * kLanes);
      add_spread<0>(sum, element, b + p * kQuad);
    }
    float result[kRows * kQuad + kQuad];
    for (std::size_t v = 0; v < kVectorsOfRows; ++v) {
      store(result + v * kLanes, bias == nullptr ? sum[v] : sum[v] + repeat_quad(bias));
    }
    float* out = c + begin * n;
    for (std::size_t r = 0; r + 1 < some; ++r, out += n) {
      __builtin_memcpy(out, result + r * kQuad, kQuad * sizeof(float));  // the next row overwrites the rest
    }
    for (std::size_t j = 0; j < n; ++j) out[j] = result[(some - 1) * kQuad + j];
  }
}
