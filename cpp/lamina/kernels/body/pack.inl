// The shape of a micro-tile of the matrix product, and the packing of its operands.

#if LAMINA_ISA == 2
constexpr std::size_t kTileRows = 14;  // 14 x 2 accumulators, 2 of B, 2 for A: all 32 registers
constexpr std::size_t kTileVectors = 2;
constexpr std::size_t kDirectBudget = 24;
constexpr std::size_t kLargeRows = 8;  // from this many rows of a tile on, stores go beside multiply-adds
#elif LAMINA_ISA == 1
constexpr std::size_t kTileRows = 6;  // 12 accumulators, 2 of B, 2 for A: all 16 registers
constexpr std::size_t kTileVectors = 2;
constexpr std::size_t kDirectBudget = 12;
constexpr std::size_t kLargeRows = kTileRows + 1;  // never: no gain
#else
constexpr std::size_t kTileRows = 4;  // 8 accumulators, and room for products
constexpr std::size_t kTileVectors = 2;
constexpr std::size_t kDirectBudget = 8;
constexpr std::size_t kLargeRows = kTileRows + 1;
#endif
constexpr std::size_t kTileCols = kTileVectors * kLanes;
constexpr std::size_t kLineFloats = 16;  // a cache line

// Four floats, for transposing.
typedef float Quad __attribute__((vector_size(16)));

inline Quad load_quad(const float* p) {
  Quad v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store_quad(float* p, Quad v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// to[p * to_row + j] = from[j * from_row + p] for a 4 x 4 block.
inline void transpose_quads(const float* from, std::size_t from_row, float* to, std::size_t to_row) {
  const Quad a = load_quad(from);
  const Quad b = load_quad(from + from_row);
  const Quad c = load_quad(from + 2 * from_row);
  const Quad d = load_quad(from + 3 * from_row);
  const Quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Quad cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  store_quad(to, __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5));
  store_quad(to + to_row, __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7));
  store_quad(to + 2 * to_row, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
  store_quad(to + 3 * to_row, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
}

#if LAMINA_ISA == 2
// The same for a block of 4 x kLanes.
inline void transpose_lanes(const float* from, std::size_t from_row, float* to, std::size_t to_row) {
  __m512 x[4];  // quads of rows i, i + 4, i + 8, i + 12
  for (std::size_t i = 0; i < 4; ++i) {
    const float* row = from + i * from_row;
    __m512 quads = _mm512_castps128_ps512(_mm_loadu_ps(row));
    quads = _mm512_insertf32x4(quads, _mm_loadu_ps(row + 4 * from_row), 1);
    quads = _mm512_insertf32x4(quads, _mm_loadu_ps(row + 8 * from_row), 2);
    x[i] = _mm512_insertf32x4(quads, _mm_loadu_ps(row + 12 * from_row), 3);
  }
  const __m512 ab_low = _mm512_unpacklo_ps(x[0], x[1]);
  const __m512 ab_high = _mm512_unpackhi_ps(x[0], x[1]);
  const __m512 cd_low = _mm512_unpacklo_ps(x[2], x[3]);
  const __m512 cd_high = _mm512_unpackhi_ps(x[2], x[3]);
  _mm512_storeu_ps(to, _mm512_shuffle_ps(ab_low, cd_low, 0x44));
  _mm512_storeu_ps(to + to_row, _mm512_shuffle_ps(ab_low, cd_low, 0xEE));
  _mm512_storeu_ps(to + 2 * to_row, _mm512_shuffle_ps(ab_high, cd_high, 0x44));
  _mm512_storeu_ps(to + 3 * to_row, _mm512_shuffle_ps(ab_high, cd_high, 0xEE));
}
#endif

// to[p * to_row + j] = from[j * across + p] for p < depth, j < width, 4 <= width. A line of each source row
// is used up at once, since rows that lie a power of two apart evict each other. The last quad overlaps the
// one before.
__attribute__((noinline)) void pack_transposed(const float* from, std::size_t across, std::size_t depth,
                                               std::size_t width, float* to, std::size_t to_row) {
  constexpr std::size_t kLine = 16;
  const std::size_t deep = depth / 4 * 4;
  for (std::size_t line = 0; line < deep; line += kLine) {
    const std::size_t end = line + kLine < deep ? line + kLine : deep;
    std::size_t quad = 0;
#if LAMINA_ISA == 2
    for (; quad + kLanes <= width; quad += kLanes) {
      for (std::size_t p = line; p < end; p += 4) {
        transpose_lanes(from + quad * across + p, across, to + p * to_row + quad, to_row);
      }
    }
#endif
    for (; quad < width; quad += 4) {
      const std::size_t j = quad + 4 <= width ? quad : width - 4;
      for (std::size_t p = line; p < end; p += 4) {
        transpose_quads(from + j * across + p, across, to + p * to_row + j, to_row);
      }
    }
  }
  for (std::size_t p = deep; p < depth; ++p) {
    for (std::size_t j = 0; j < width; ++j) to[p * to_row + j] = from[j * across + p];
  }
}

// to[p * to_row + j] = from[p * step + j * across] for p < depth, j < width.
void pack_strip(const float* from, std::size_t step, std::size_t across, std::size_t depth, std::size_t width,
                float* to, std::size_t to_row) {
  if (step == 1 && width >= 4) {
    pack_transposed(from, across, depth, width, to, to_row);
    return;
  }
  std::size_t p = 0;
  if (across == 1 && to_row == width && width < kLanes && 2 * width >= kLanes && step >= kLanes) {
    // Whole vectors: what is too much of a row is overwritten by the next one.
    for (; p + 1 < depth; ++p) store(to + p * to_row, load(from + p * step));
  }
  for (; p < depth; ++p) {
    if (across == 1) {
      over_lanes(width, [&](std::size_t j, auto lanes) {
        store(to + p * to_row + j, load(from + p * step + j, lanes), lanes);
      });
    } else {
      for (std::size_t j = 0; j < width; ++j) to[p * to_row + j] = from[p * step + j * across];
    }
  }
}

// Rows of B are read a few at a time, all panels of them, as a stream.
void pack_b(const float* b, std::size_t b_row, std::size_t b_col, std::size_t k, std::size_t n,
            float* packed) {
  constexpr std::size_t kRowsAtOnce = 8;
  const std::size_t rows = b_col == 1 ? kRowsAtOnce : k;
  for (std::size_t begin = 0; begin < k; begin += rows) {
    const std::size_t depth = k - begin < rows ? k - begin : rows;
    float* to = packed + begin * kTileCols;
    for (std::size_t col = 0; col < n; col += kTileCols, to += k * kTileCols) {
      const std::size_t width = n - col < kTileCols ? n - col : kTileCols;
      for (std::size_t i = 0; width < kTileCols && i < depth * kTileCols; i += kLanes)
        store(to + i, Floats{});
      pack_strip(b + begin * b_row + col * b_col, b_row, b_col, depth, width, to, kTileCols);
    }
  }
}
