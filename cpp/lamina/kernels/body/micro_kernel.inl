// The register-blocked micro-kernels of the matrix product.
//
// micro_kernel<rows, vectors> keeps rows x vectors accumulators in registers and walks down k once: per step
// it loads `vectors` of B, broadcasts one element of A a row, and multiplies and adds. Each element of C is
// therefore one chain in increasing k, whatever the tile. Bias, relu and relu's derivative are applied before
// the store.

constexpr bool kMasksAreFree = LAMINA_ISA == 2;  // whole tiles then need no code of their own
constexpr bool kAheadJumps = kMasksAreFree;      // whether what is prefetched ahead may jump
constexpr std::size_t kRowsAhead = 4;   // of B, prefetched: eight that lie 4 KB apart would evict each other
constexpr std::size_t kDirectRows = 4;  // rows at a time when B is in place and rows are few

// What a micro-kernel prefetches, to be written: a line at each step of k, `step` bytes from the one before;
// and after each `steps` of them, `jump` bytes further on (where kAheadJumps). By itself nothing new.
struct Ahead {
  const char* at = nullptr;
  std::size_t step = 0;
  std::size_t steps = ~std::size_t{0};
  std::size_t jump = 0;
};

// One tile of C: as MatmulTile, with the distance of B's rows. `cols` counts columns of C; B is read in full
// vectors when it is padded with zeros, as packing does.
struct MicroTile {
  Ahead ahead;
  const float* a;
  std::size_t a_row, a_col;
  const float* b;
  std::size_t b_row;
  float* c;
  std::size_t c_row;
  std::size_t k, cols;
  bool accumulate, padded;
  bool in_l1;  // all of it: there is nothing to prefetch
  // The epilogues of most layers, while C is in registers: the bias (or null), relu, relu's derivative at its
  // output (or null), which lies as C.
  bool relu;
  const float* bias;
  const float* relu_output;
};

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

// What a micro-kernel prefetches: nothing, where all is in L1 (3 % faster at 64 x 64 x 64); the next rows of
// B; or what `ahead` says as well.
enum class Prefetches : std::uint8_t { nothing, b, ahead };

// Adds the products of some steps of k. kAdjacent: the rows of A lie side by side, as packing or a transposed
// A leaves them.
template <std::size_t kRows, std::size_t kVectors, bool kAdjacent, Prefetches kPrefetches, class LastB>
inline __attribute__((always_inline)) void add_products(const MicroTile& t, std::size_t steps,
                                                        Floats (&sum)[kRows][kVectors], LastB last_b) {
  constexpr std::size_t kLast = kVectors - 1;
  // Prefetched by its last element: where B isn't aligned, its first line was the last one of the columns
  // before (1.4 times faster at 28 x 1000 x 1000).
  constexpr std::size_t kStretch = kVectors * kLanes < kLineFloats ? kVectors * kLanes : kLineFloats;
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
  const std::size_t ahead_step = t.ahead.step;
  const float* b = t.b;
  const char* ahead = t.ahead.at != nullptr ? t.ahead.at : reinterpret_cast<const char*>(&t);
  const auto add_step = [&]() __attribute__((always_inline)) {
    Floats row[kVectors];
    if constexpr (kPrefetches == Prefetches::ahead) prefetch_to_write(ahead);
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kLast; ++v) row[v] = load(b + v * kLanes);
    if constexpr (kPrefetches != Prefetches::nothing) {
      for (std::size_t at = kStretch - 1; at < kVectors * kLanes; at += kStretch) {
        prefetch(b + kRowsAhead * b_row + at);
      }
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
    b += b_row;
    ahead += ahead_step;
  };
  if constexpr (kPrefetches == Prefetches::ahead && kAheadJumps) {
    while (steps > 0) {
      const std::size_t some = steps < t.ahead.steps ? steps : t.ahead.steps;
      steps -= some;
      for (std::size_t p = some; p > 0; --p) add_step();
      ahead += t.ahead.jump;
    }
  } else {
    for (std::size_t p = steps; p > 0; --p) add_step();
  }
}

// The last step of k, the epilogue and the store, row by row: stores take ports of the multiply-adds, and
// cost less where these go on beside them (3 % at 784 x 128 x 32, 9 % at 32 x 64 x 20). k > 0.
template <bool kDerives, std::size_t kRows, std::size_t kVectors, class LastC>
inline __attribute__((always_inline)) void finish_by_rows(const MicroTile& t, Floats (&sum)[kRows][kVectors],
                                                          LastC last_c) {
  static_assert(kVectors == 2);
  const float* const a = t.a + (t.k - 1) * t.a_col;
  const float* const b = t.b + (t.k - 1) * t.b_row;
  const Floats b_first = load(b);
  const Floats b_last = load(b + kLanes, last_c);
  const float* const bias = t.bias;
  const bool derives = kDerives && t.relu_output != nullptr;
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r) {
    const Floats element = broadcast(a[r * t.a_row]);
    Floats first = multiply_add(element, b_first, sum[r][0]);
    Floats last = multiply_add(element, b_last, sum[r][1]);
    if (bias != nullptr) {
      first = first + load(bias);
      last = last + load(bias + kLanes, last_c);
    }
    if (t.relu) {
      first = relu_of(first);
      last = relu_of(last);
    }
    if (derives) {
      const float* const y = t.relu_output + r * t.c_row;
      first = relu_gradient(first, load(y));
      last = relu_gradient(last, load(y + kLanes, last_c));
    }
    store(t.c + r * t.c_row, first);
    store(t.c + r * t.c_row + kLanes, last, last_c);
#if defined(__GNUC__)
    asm volatile("" ::: "memory");  // keeps the stores where they are
#endif
  }
}

// Ways to call it; `last` says how much of its last vector a tile has. B is read in full where it is padded.
struct AnyTile {
  template <std::size_t kRows, std::size_t kVectors, class Last>
  static inline __attribute__((always_inline)) void add(const MicroTile& t, std::size_t steps,
                                                        Floats (&sum)[kRows][kVectors], Last last) {
    constexpr bool kLarge = kVectors == kTileVectors && kRows >= kLargeRows;
    constexpr Prefetches kMost = kLarge || !kMasksAreFree ? Prefetches::ahead : Prefetches::b;
    const bool adjacent = t.a_row == 1;
    if constexpr (kLarge) {
      // The last step of k is not among these, so what lies beyond the columns of B is its next row, and
      // nobody minds. (A masked load costs Zen 4 1.5 % at 32 x 128 x 784.)
      if (t.in_l1 && adjacent) {
        add_products<kRows, kVectors, true, Prefetches::nothing>(t, steps, sum, All{});
      } else if (t.in_l1) {
        add_products<kRows, kVectors, false, Prefetches::nothing>(t, steps, sum, All{});
      } else if (adjacent) {
        add_products<kRows, kVectors, true, kMost>(t, steps, sum, All{});
      } else {
        add_products<kRows, kVectors, false, kMost>(t, steps, sum, All{});
      }
    } else if (kMasksAreFree || (last.count < kLanes && !t.padded)) {
      if (kMasksAreFree && adjacent) {
        add_products<kRows, kVectors, true, kMost>(t, steps, sum, last);
      } else {
        add_products<kRows, kVectors, false, kMost>(t, steps, sum, last);
      }
    } else if (adjacent) {
      add_products<kRows, kVectors, true, kMost>(t, steps, sum, All{});
    } else {
      add_products<kRows, kVectors, false, kMost>(t, steps, sum, All{});
    }
  }
};
// With A and B where they lie.
struct TileInPlace {
  template <std::size_t kRows, std::size_t kVectors, class Last>
  static inline __attribute__((always_inline)) void add(const MicroTile& t, std::size_t steps,
                                                        Floats (&sum)[kRows][kVectors], Last last) {
    add_products<kRows, kVectors, false, Prefetches::b>(t, steps, sum, last);
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
  if constexpr (kVectors == kTileVectors && kRows >= kLargeRows) {
    Way::add(t, t.k - 1, sum, last_c);
    finish_by_rows<kDerives>(t, sum, last_c);
    return;
  }
  Way::add(t, t.k, sum, last_c);
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

// (Inlined, it would grow: 1 kB for each instruction set.)
__attribute__((noinline)) void direct_tile(const MicroTile& t, std::size_t rows) {
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
