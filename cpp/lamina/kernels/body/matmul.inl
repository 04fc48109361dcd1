// The matrix product: packing, a register-blocked micro-kernel, and its epilogue.
//
// micro_kernel<rows, vectors> keeps rows x vectors accumulators in registers and walks down k once: per step
// it loads `vectors` of B, broadcasts one element of A a row, and multiplies and adds. Each element of C is
// therefore one chain in increasing k, whatever the tile. Rows of a tile are split evenly, so no tile is left
// with a single row. Bias, relu and relu's derivative are applied before the store; other epilogues, and the
// optimizer, run on a band of rows that is still in the cache.
//
// Of the multiply-add peak of a Zen 4 core with AVX-512, m x n x k: 94 % at 64 x 64 x 64, 99 % at 32 x 128 x
// 784 (B in place), 92 % at 128 x 512 x 784 and 87 % at 256 x 4096 x 4096 (packed); 84 % at 784 x 512 x 128
// with Adam.

#include "lamina/kernels/body/optimizer_pass.inl"

#if LAMINA_ISA == 2
constexpr std::size_t kTileRows = 14;  // 14 x 2 accumulators, 2 of B, 2 for A: all 32 registers
constexpr std::size_t kTileVectors = 2;
constexpr std::size_t kDirectBudget = 24;
#elif LAMINA_ISA == 1
constexpr std::size_t kTileRows = 6;  // 12 accumulators, 2 of B, 2 for A: all 16 registers
constexpr std::size_t kTileVectors = 2;
constexpr std::size_t kDirectBudget = 12;
#else
constexpr std::size_t kTileRows = 4;  // 8 accumulators, and room for products
constexpr std::size_t kTileVectors = 2;
constexpr std::size_t kDirectBudget = 8;
#endif
constexpr std::size_t kTileCols = kTileVectors * kLanes;
constexpr bool kMasksAreFree = LAMINA_ISA == 2;  // whole tiles then need no code of their own
constexpr std::size_t kLineFloats = 16;          // a cache line
constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kUpdateCols = 512;   // columns of a tile whose gradient stays in the cache
constexpr std::size_t kRowsAhead = 8;      // B is prefetched so far ahead: 10 % at 128 x 512 x 512
constexpr std::size_t kDirectRows = 4;     // rows at a time when B isn't packed and rows are few
constexpr std::size_t kFewRows = 8;        // that few
constexpr std::size_t kPackedDepth = 512;  // A is packed for a depth up to this
constexpr std::size_t kEvicting = 1024;    // floats that lie so far apart share a set of L1

// ---- packing

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
void pack_transposed(const float* from, std::size_t across, std::size_t depth, std::size_t width, float* to,
                     std::size_t to_row) {
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

void pack_b(const float* b, std::size_t b_row, std::size_t b_col, std::size_t k, std::size_t n,
            float* packed) {
  for (std::size_t col = 0; col < n; col += kTileCols, packed += k * kTileCols) {
    const std::size_t width = n - col < kTileCols ? n - col : kTileCols;
    for (std::size_t i = 0; width < kTileCols && i < k * kTileCols; i += kLanes) store(packed + i, Floats{});
    pack_strip(b + col * b_col, b_row, b_col, k, width, packed, kTileCols);
  }
}

// ---- micro-kernels

// One tile of C: as MatmulTile, with the distance of B's rows. `cols` counts columns of C; B is read in full
// vectors when it is padded with zeros, as packing does.
struct MicroTile {
  const char* ahead;       // prefetched into L2, a line at each step of k
  std::size_t ahead_step;  // 0: the same line again, for nothing to prefetch
  const float* a;
  std::size_t a_row, a_col;
  const float* b;
  std::size_t b_row;
  float* c;
  std::size_t c_row;
  std::size_t k, cols;
  bool accumulate, padded;
  // The epilogues of most layers, while C is in registers: the bias (or null), relu, relu's derivative at its
  // output (or null), which lies as C.
  bool relu;
  const float* bias;
  const float* relu_output;
};

// Hides where a value comes from, so that the compiler keeps it in a register of its own.
template <class T>
inline void keep_in_register(T& value) {
#if defined(__GNUC__)
  asm("" : "+r"(value));
#endif
}

template <bool kDerives, std::size_t kRows, std::size_t kVectors, class LastC>
inline __attribute__((always_inline)) void finish_registers(const MicroTile& t,
                                                            Floats (&sum)[kRows][kVectors], LastC last_c) {
  constexpr std::size_t kLast = kVectors - 1;
  if (t.bias != nullptr) {
    Floats bias[kVectors];
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kLast; ++v) bias[v] = load(t.bias + v * kLanes);
    bias[kLast] = load(t.bias + kLast * kLanes, last_c);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = sum[r][v] + bias[v];
    }
  }
  if (t.relu) {
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = relu_of(sum[r][v]);
    }
  }
  if (kDerives && t.relu_output != nullptr) {
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      const float* const y = t.relu_output + r * t.c_row;
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kLast; ++v) sum[r][v] = relu_gradient(sum[r][v], load(y + v * kLanes));
      sum[r][kLast] = relu_gradient(sum[r][kLast], load(y + kLast * kLanes, last_c));
    }
  }
}

// Adds the products of all steps of k. kAdjacent: the rows of A lie side by side, as packing or a transposed
// A leaves them.
template <std::size_t kRows, std::size_t kVectors, bool kAdjacent, class LastB>
inline __attribute__((always_inline)) void add_products(const MicroTile& t, Floats (&sum)[kRows][kVectors],
                                                        LastB last_b) {
  constexpr std::size_t kLast = kVectors - 1;
  // One pointer serves three rows of A: base, base + a_row and base + 2 * a_row are addresses that cost
  // nothing. With a distance for each row there are too few registers; reloading them takes 5 % of the time.
  constexpr std::size_t kShare = kAdjacent ? kRows : 3;
  constexpr std::size_t kPointers = (kRows + kShare - 1) / kShare;
  const float* a[kPointers];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kPointers; ++i) {
    a[i] = t.a + i * kShare * t.a_row;
    keep_in_register(a[i]);
  }
  const std::size_t a_row = kAdjacent ? 1 : t.a_row;
  const std::size_t a_col = t.a_col;
  const std::size_t b_row = t.b_row;
  const std::size_t ahead_step = t.ahead_step;
  const float* b = t.b;
  const char* ahead = t.ahead;
  for (std::size_t p = t.k; p > 0; --p, b += b_row, ahead += ahead_step) {
    Floats row[kVectors];
    prefetch_far(ahead);
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kLast; ++v) row[v] = load(b + v * kLanes);
    for (std::size_t at = 0; at < kVectors * kLanes; at += kLineFloats) {
      prefetch(b + kRowsAhead * b_row + at);
    }
    row[kLast] = load(b + kLast * kLanes, last_b);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      const Floats element = broadcast(a[r / kShare][r % kShare * a_row]);
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = multiply_add(element, row[v], sum[r][v]);
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kPointers; ++i) a[i] += a_col;
  }
}

// Ways to call it; `last` says how much of its last vector a tile has. B is read in full where it is padded.
struct AnyTile {
  template <std::size_t kRows, std::size_t kVectors, class Last>
  static inline __attribute__((always_inline)) void add(const MicroTile& t, Floats (&sum)[kRows][kVectors],
                                                        Last last) {
    if (last.count < kLanes && !t.padded) {
      add_products<kRows, kVectors, false>(t, sum, last);
    } else if (t.a_row == 1) {
      add_products<kRows, kVectors, true>(t, sum, All{});
    } else {
      add_products<kRows, kVectors, false>(t, sum, All{});
    }
  }
};
// With A and B where they lie.
struct TileInPlace {
  template <std::size_t kRows, std::size_t kVectors, class Last>
  static inline __attribute__((always_inline)) void add(const MicroTile& t, Floats (&sum)[kRows][kVectors],
                                                        Last last) {
    add_products<kRows, kVectors, false>(t, sum, last);
  }
};

// What comes before and after the products is larger than they are, so their ways share it. (As lambdas, they
// would make GCC 12 emit exception tables at -O0, which need a weak symbol.) kDerives: relu's derivative is
// among the epilogues.
template <std::size_t kRows, std::size_t kVectors, bool kDerives, class Way, class LastC>
inline __attribute__((always_inline)) void micro_kernel(const MicroTile& t, LastC last_c) {
  constexpr std::size_t kLast = kVectors - 1;
  float* const c = t.c;
  const std::size_t c_row = t.c_row;
  Floats sum[kRows][kVectors] = {};
  if (t.accumulate) {
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kLast; ++v) sum[r][v] = load(c + r * c_row + v * kLanes);
      sum[r][kLast] = load(c + r * c_row + kLast * kLanes, last_c);
    }
  }
  Way::add(t, sum, last_c);
  finish_registers<kDerives>(t, sum, last_c);
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kLast; ++v) store(c + r * c_row + v * kLanes, sum[r][v]);
    store(c + r * c_row + kLast * kLanes, sum[r][kLast], last_c);
  }
}

template <std::size_t kRows, std::size_t kVectors>
void packed_kernel(const MicroTile& t) {
  const Part last{t.cols - (kVectors - 1) * kLanes};
  if (kMasksAreFree || last.count < kLanes) {
    micro_kernel<kRows, kVectors, true, AnyTile>(t, last);
  } else {
    micro_kernel<kRows, kVectors, true, AnyTile>(t, All{});
  }
}

template <std::size_t kRows>
void packed_rows(const MicroTile& t) {
  static_assert(kTileVectors == 2);
  if (t.cols > kLanes) {
    packed_kernel<kRows, 2>(t);
  } else {
    packed_kernel<kRows, 1>(t);
  }
}

using RowsKernel = void (*)(const MicroTile&);

struct RowsKernels {
  RowsKernel rows[kTileRows];  // rows[r - 1] works on r rows
};

template <std::size_t kRows>
constexpr void fill_kernels(RowsKernels& kernels) {
  kernels.rows[kRows - 1] = packed_rows<kRows>;
  if constexpr (kRows > 1) fill_kernels<kRows - 1>(kernels);
}

constexpr RowsKernels make_kernels() {
  RowsKernels kernels = {};
  fill_kernels<kTileRows>(kernels);
  return kernels;
}

constexpr RowsKernels kPackedKernels = make_kernels();

// Moves what lies as a row of C by some columns.
inline void move_columns(MicroTile& t, std::size_t cols) {
  t.c += cols;
  if (t.bias != nullptr) t.bias += cols;
  if (t.relu_output != nullptr) t.relu_output += cols;
}

// Columns [col, cols) of C with B read in place, widest tiles first: few rows need many columns to keep the
// multipliers busy.
template <std::size_t kRows, std::size_t kVectors>
void direct_rows(MicroTile t) {
  constexpr std::size_t kWidth = kVectors * kLanes;
  for (; t.cols >= kWidth; t.cols -= kWidth, t.b += kWidth) {
    micro_kernel<kRows, kVectors, false, TileInPlace>(t, All{});
    move_columns(t, kWidth);
  }
  if constexpr (kVectors > 1) {
    direct_rows<kRows, kVectors / 2>(t);
  } else if (t.cols > 0) {
    micro_kernel<kRows, 1, false, TileInPlace>(t, Part{t.cols});
  }
}

constexpr std::size_t direct_vectors(std::size_t rows) {
  const std::size_t vectors = kDirectBudget / rows;
  return vectors >= 8 ? 8 : vectors >= 4 ? 4 : 2;
}

void direct_tile(const MicroTile& t, std::size_t rows) {
  static_assert(kDirectRows == 4);
  switch (rows) {
    case 1:
      return direct_rows<1, direct_vectors(1)>(t);
    case 2:
      return direct_rows<2, direct_vectors(2)>(t);
    case 3:
      return direct_rows<3, direct_vectors(3)>(t);
    default:
      return direct_rows<4, direct_vectors(4)>(t);
  }
}

// ---- the tile

// Runs the optimizer on `rows` rows of gradients that lie `row` floats apart.
void update_rows(const MatmulTile& tile, std::size_t begin, std::size_t rows, const float* gradient,
                 std::size_t row) {
  OptimizerPass pass = *tile.update;
  const bool contiguous = tile.c_row == tile.n && row == tile.n;
  pass.n = contiguous ? rows * tile.n : tile.n;
  for (std::size_t r = 0; r < (contiguous ? 1 : rows); ++r) {
    const std::size_t at = (begin + r) * tile.c_row;
    pass.gradient = gradient + r * row;
    pass.w = tile.update->w + at;
    for (std::size_t slot = 0; slot < 3; ++slot) {
      if (pass.slots[slot] != nullptr) pass.slots[slot] = tile.update->slots[slot] + at;
    }
    if (pass.ema != nullptr) pass.ema = tile.update->ema + at;
    tile.optimizer(tile.update_kind, pass);
  }
}

// Where the parameters of a group of rows begin, to prefetch them while its gradient is computed: the
// `index`th of `count` micro-tiles takes its share of the lines of w and the slots, one array after the
// other.
const char* update_lines(const MatmulTile& tile, std::size_t begin, std::size_t rows, std::size_t index,
                         std::size_t count) {
  float* arrays[] = {tile.update->w, tile.update->slots[0], tile.update->slots[1]};
  std::size_t used = 0;
  for (float* array : arrays) {
    if (array != nullptr) arrays[used++] = array;
  }
  const std::size_t floats = rows * tile.n;
  const std::size_t first = index * used * floats / count;
  const std::size_t within = first % floats;
  const std::size_t row = begin + within / tile.n;
  return reinterpret_cast<const char*>(arrays[first / floats] + row * tile.c_row + within % tile.n);
}

// Whether the micro-kernel sees to the epilogue.
bool finishes_in_registers(const MatmulTile& tile, bool direct) {
  if (direct && tile.derivative_at != nullptr) return false;
  if (tile.before_activation != nullptr || (tile.k == 1 && tile.unpacked_b_row != 0)) return false;
  return tile.activation.kind == Activation::relu ||
         (tile.activation.kind == Activation::linear && tile.derivative_at == nullptr);
}

// The other epilogues, on rows that are still in the cache.
void finish_rows(const MatmulTile& tile, std::size_t begin, std::size_t rows) {
  const bool activates = tile.activation.kind != Activation::linear;
  if (tile.bias == nullptr && tile.before_activation == nullptr && !activates) return;
  for (std::size_t row = begin; row < begin + rows; ++row) {
    const std::size_t at = row * tile.c_row;
    float* const c = tile.c + at;
    if (tile.derivative_at != nullptr) {
      tile.activation_backward(tile.activation, c, tile.derivative_at + at, c, tile.n, false);
      continue;
    }
    if (tile.bias != nullptr) add(c, tile.bias, c, tile.n);
    if (tile.before_activation != nullptr) {
      __builtin_memcpy(tile.before_activation + at, c, tile.n * sizeof(float));
    }
    if (activates) activation_forward(tile.activation, c, c, tile.n);
  }
}

// The `index`th stretch of what is read after this tile.
const char* stretch_ahead(const MatmulTile& tile, std::size_t index) {
  const std::size_t stretches = (tile.ahead_rows + tile.k - 1) / tile.k;
  const std::size_t line = index / stretches;
  const std::size_t row = index % stretches * tile.k;
  return reinterpret_cast<const char*>(tile.ahead + row * tile.ahead_row + line * kLineFloats);
}

// Whether to pack A: it costs what 2 to 4 panels gain, or more where rows of A share sets of L1 as they lie.
// Where they lie side by side (x^T of a kernel's gradient), a tile that takes most of a cache line does well
// without.
bool packs_a(const MatmulTile& tile) {
  if (tile.k > kPackedDepth) return false;
  const bool by_rows = tile.a_row != 1;
  const bool evicting = (by_rows ? tile.a_row : tile.a_col) % kEvicting == 0;
  std::size_t panels = 16;
  if (by_rows && evicting) panels = 2;
  if (!by_rows && 2 * kTileRows < kLineFloats && tile.k > 64) panels = 4;
  if (!by_rows && 2 * kTileRows >= kLineFloats && !evicting) return false;
  return tile.n > panels * kTileCols;
}

void packed_tile_rows(const MatmulTile& tile, MicroTile micro, std::size_t group, std::size_t begin,
                      std::size_t rows, float* packed_a) {
  if (packs_a(tile)) {
    pack_strip(micro.a, micro.a_col, micro.a_row, tile.k, rows, packed_a, rows);
    micro.a = packed_a;
    micro.a_row = 1;
    micro.a_col = rows;
  }
  const std::size_t panels = (tile.n + kTileCols - 1) / kTileCols;
  for (std::size_t panel = 0; panel < panels; ++panel) {
    const std::size_t col = panel * kTileCols;
    micro.cols = tile.n - col < kTileCols ? tile.n - col : kTileCols;
    micro.b = tile.packed_b + (tile.unpacked_b_row != 0 ? col : col * tile.k);
    if (tile.update != nullptr && tile.last) micro.ahead = update_lines(tile, begin, rows, panel, panels);
    if (tile.ahead != nullptr) {
      const std::size_t index = group * panels + panel;
      const bool any = index < tile.ahead_stretches;
      micro.ahead = any ? stretch_ahead(tile, index) : reinterpret_cast<const char*>(tile.a);
      micro.ahead_step = any ? tile.ahead_row * sizeof(float) : 0;
    }
    kPackedKernels.rows[rows - 1](micro);
    move_columns(micro, kTileCols);
  }
}

// k == 1: each row is a multiple of the one row of B. A plain product, for a multiply-add to 0 takes longer:
// they differ in the sign of a 0.
void outer_rows(const MicroTile& t, std::size_t rows) {
  const float* const b = t.b;
  for (std::size_t r = 0; r < rows; ++r) {
    const Floats element = broadcast(t.a[r * t.a_row]);
    float* const c = t.c + r * t.c_row;
    if (t.accumulate) {
      over_lanes(t.cols, [=](std::size_t j, auto lanes) {
        store(c + j, multiply_add(element, load(b + j, lanes), load(c + j, lanes)), lanes);
      });
    } else {
      over_lanes(t.cols,
                 [=](std::size_t j, auto lanes) { store(c + j, element * load(b + j, lanes), lanes); });
    }
  }
}

// w -= learning_rate * (a b) on kVectors vectors of columns, with b in registers.
template <std::size_t kVectors, class Lanes>
inline void outer_descent_strip(const MatmulTile& tile, std::size_t col, Lanes lanes) {
  const Floats down = broadcast(-tile.update->learning_rate);
  Floats b[kVectors];
#pragma GCC unroll 16
  for (std::size_t v = 0; v < kVectors; ++v) b[v] = load(tile.packed_b + col + v * kLanes, lanes);
  const std::size_t a_row = tile.a_row;
  const std::size_t w_row = tile.c_row;
  const float* a = tile.a;
  float* w = tile.update->w + col;
  for (std::size_t r = tile.m; r > 0; --r, a += a_row, w += w_row) {
    const Floats element = broadcast(*a);
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v) {
      store(w + v * kLanes, multiply_add(element * b[v], down, load(w + v * kLanes, lanes)), lanes);
    }
  }
}

// k == 1 where plain gradient descent follows: no gradient goes to memory.
void outer_descent(const MatmulTile& tile) {
  constexpr std::size_t kVectors = 8;
  std::size_t col = 0;
  for (; col + kVectors * kLanes <= tile.n; col += kVectors * kLanes) {
    outer_descent_strip<kVectors>(tile, col, All{});
  }
  over_lanes(tile.n - col, [&](std::size_t j, auto lanes) { outer_descent_strip<1>(tile, col + j, lanes); });
}

void matmul_tile(const MatmulTile& tile) {
  const bool unpacked = tile.unpacked_b_row != 0;
  const bool direct = unpacked && tile.m <= kFewRows && tile.update == nullptr;
  const std::size_t most = direct ? kDirectRows : kTileRows;
  const std::size_t groups = (tile.m + most - 1) / most;
  alignas(64) float packed_a[kTileRows * kPackedDepth];
  alignas(64) float gradient[kTileRows * kUpdateCols];
  const bool updates = tile.update != nullptr && tile.last;
  if (updates && unpacked && tile.k == 1 && !tile.accumulate && tile.update_kind == OptimizerKind::sgd &&
      tile.update->slots[0] == nullptr && is_plain(*tile.update)) {
    outer_descent(tile);
    return;
  }
  const bool keeps =
      updates && !tile.accumulate && tile.n <= kUpdateCols;  // the gradient never leaves the cache
  const bool in_registers = !updates && tile.last && finishes_in_registers(tile, direct);
  const bool derives = in_registers && tile.derivative_at != nullptr;
  for (std::size_t group = 0; group < groups; ++group) {
    const std::size_t begin = tile.m * group / groups;
    const std::size_t rows = tile.m * (group + 1) / groups - begin;
    MicroTile micro = {reinterpret_cast<const char*>(tile.a),
                       updates ? kLineBytes : 0,
                       tile.a + begin * tile.a_row,
                       tile.a_row,
                       tile.a_col,
                       tile.packed_b,
                       unpacked ? tile.unpacked_b_row : kTileCols,
                       keeps ? gradient : tile.c + begin * tile.c_row,
                       keeps ? tile.n : tile.c_row,
                       tile.k,
                       tile.n,
                       tile.accumulate,
                       !unpacked,
                       in_registers && !derives && tile.activation.kind == Activation::relu,
                       in_registers && !derives ? tile.bias : nullptr,
                       derives ? tile.derivative_at + begin * tile.c_row : nullptr};
    if (unpacked && tile.k == 1) {
      outer_rows(micro, rows);
    } else if (direct) {
      direct_tile(micro, rows);
    } else {
      packed_tile_rows(tile, micro, group, begin, rows, packed_a);
    }
    if (updates) {
      update_rows(tile, begin, rows, micro.c, micro.c_row);
    } else if (tile.last && !in_registers) {
      finish_rows(tile, begin, rows);
    }
  }
}
