// The matrix product where A has many zeros: images with dark borders, one-hot columns, units that rest.
//
// kSkipRows rows of C are computed at a time; a step of k where all their elements of A are 0 adds nothing
// and is left out. So few rows are often 0 together: of the pixels of Fashion-MNIST, half of which are 0,
// four neighbours of an image share 38 %, four images 21 %, and 35 % where those are put together that
// resemble each other. (Fourteen rows, as dense micro-tiles have, share 15 and 9 %.) The bits are those of
// the dense product, as 0 times a finite number added to a sum is that sum. (But a sum that has underflown
// to -0 may stay that; and where B isn't finite, the NaN that it would make of a 0 doesn't come about.)
//
// On a Zen 4 core with AVX-512, of 128 x 256 x 784 with these images it runs 1.4 times as fast as the dense
// product, and of 784 x 256 x 128 with Adam 1.5 times.

constexpr std::size_t kSkipRows = 4;
constexpr std::size_t kSkipVectors = LAMINA_ISA == 2 ? 4 : 2;
constexpr std::size_t kSkipCols = kSkipVectors * kLanes;
constexpr std::size_t kSkipDepth = 1024;  // steps listed at a time
constexpr std::size_t kListedRows = 64;   // that meet a strip of B while it is in the cache
constexpr std::size_t kUpdatedRows = 16;  // the same, where an optimizer follows and has to find them there
constexpr std::size_t kSkipUpdateCols = 512;
constexpr std::size_t kSkipLineFloats = 16;
constexpr std::size_t kWindow = 16;  // of rows, ordered by their zeros, in which they are grouped
// The order of rows pays from so many columns of C on, whatever part of them a thread has.
constexpr std::size_t kOrderedCols = 128;
constexpr std::size_t kWordBits = 64;
constexpr std::size_t kSampledGroups = 8;
constexpr std::size_t kSampledSteps = 16;
// So many percent of the steps must be skippable; fewer where the order of rows helps. (Narrow strips cost
// more: with AVX2 a gradient of 512 x 512 x 128 takes 1.25 times the dense one's time at 18 %, and the same
// at 40.)
constexpr std::size_t kPercentOfRows = LAMINA_ISA == 2 ? 12 : 18;
constexpr std::size_t kPercentOfColumns = LAMINA_ISA == 2 ? 12 : 30;

using Step = std::uint16_t;

// Which groups the rows form, and the steps that each of them takes.
struct SkipPlan {
  static constexpr std::size_t kGroups = kListedRows / kSkipRows;
  alignas(64) Step steps[kGroups][kSkipDepth + kLanes];
  std::size_t count[kGroups];
  std::size_t order[kListedRows];  // of rows; each kSkipRows of them are a group
};

// How many of `depth` steps the word that begins at `first` holds.
inline std::size_t some_bits(std::size_t depth, std::size_t first) {
  return depth - first < kWordBits ? depth - first : kWordBits;
}

// A bit for each lane that isn't 0 (as NaN isn't).
inline std::uint32_t nonzero_lanes(Floats x) {
#if LAMINA_ISA == 2
  return _mm512_test_epi32_mask((__m512i)x, _mm512_set1_epi32(0x7fffffff));
#elif LAMINA_ISA == 1
  const __m256 nonzero = _mm256_cmp_ps((__m256)x, _mm256_setzero_ps(), _CMP_NEQ_UQ);
  return static_cast<std::uint32_t>(_mm256_movemask_ps(nonzero));
#else
  const Ints nonzero = x != Floats{};
  std::uint32_t lanes = 0;
  for (std::size_t i = 0; i < kLanes; ++i) lanes |= nonzero[i] != 0 ? 1U << i : 0U;
  return lanes;
#endif
}

// Lists the steps from `first` on whose bit is set, of `bits` bits at most; returns how many.
inline std::size_t list_bits(std::uint64_t word, [[maybe_unused]] std::size_t bits, std::size_t first,
                             Step* steps) {
  std::size_t count = 0;
#if LAMINA_ISA == 2
  for (std::size_t i = 0; i < bits; i += kLanes) {
    const auto some = static_cast<__mmask16>(word >> i);
    const __m512i index =
        _mm512_add_epi32((__m512i)lane_index(), _mm512_set1_epi32(static_cast<int>(first + i)));
    const __m256i packed = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(some, index));
    _mm256_storeu_si256((__m256i*)(steps + count), packed);
    count += static_cast<std::size_t>(__builtin_popcount(some));
  }
#else
  for (; word != 0; word &= word - 1) {
    steps[count++] = static_cast<Step>(first + static_cast<std::size_t>(__builtin_ctzll(word)));
  }
#endif
  return count;
}

// Which elements of a row aren't 0.
struct RowBits {
  std::uint64_t words[kSkipDepth / kWordBits];
};

// For a row of A whose elements lie side by side.
inline void find_nonzeros(const float* a, std::size_t depth, RowBits& bits) {
  for (std::size_t begin = 0; begin < depth; begin += kWordBits) {
    std::uint64_t word = 0;
    over_lanes(some_bits(depth, begin), [&](std::size_t p, auto lanes) {
      word |= std::uint64_t{nonzero_lanes(load(a + begin + p, lanes))} << p;
    });
    bits.words[begin / kWordBits] = word;
  }
}

inline std::size_t count_bits(std::uint64_t x) {
#if LAMINA_ISA == 0  // which needn't have the instruction
  x -= (x >> 1) & 0x5555555555555555U;
  x = (x & 0x3333333333333333U) + ((x >> 2) & 0x3333333333333333U);
  x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0FU;
  return static_cast<std::size_t>((x * 0x0101010101010101U) >> 56);
#else
  return static_cast<std::size_t>(__builtin_popcountll(x));
#endif
}

// How many elements of a row aren't 0 where those of a group are.
inline std::size_t added_by(const RowBits& row, const RowBits& group, std::size_t words) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < words; ++i) {
    count += count_bits(row.words[i] & ~group.words[i]);
  }
  return count;
}

inline void keep_order(std::size_t rows, std::size_t* order) {
  for (std::size_t row = 0; row < rows; ++row) order[row] = row;
}

// Moves order[from] down to `to`; those between go up by one.
inline void move_down(std::size_t* order, std::size_t from, std::size_t to) {
  const std::size_t row = order[from];
  for (; from > to; --from) order[from] = order[from - 1];
  order[to] = row;
}

// Orders rows so that groups have many zeros in common: by their number, and within a window, one after the
// other, the row that adds least to its group. (Without branches, which nobody could predict.)
void order_rows(const RowBits* bits, std::size_t rows, std::size_t words, std::size_t* order) {
  static_assert(kListedRows <= 64);
  RowBits group = {};
  std::uint32_t keys[kListedRows];  // unique
  for (std::size_t row = 0; row < rows; ++row) {
    keys[row] = static_cast<std::uint32_t>(added_by(bits[row], group, words) * kListedRows + row);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    std::uint32_t before = 0;
    for (std::size_t i = 0; i < rows; ++i) before += keys[i] < keys[row] ? 1U : 0U;
    order[before] = row;
  }
  for (std::size_t i = 0; i < rows; ++i) {
    if (i % kSkipRows == 0) {
      group = bits[order[i]];
      continue;
    }
    const std::size_t window = (i / kWindow + 1) * kWindow;
    std::size_t least = ~std::size_t{0};  // what a row adds, and which one it is
    for (std::size_t j = i; j < window && j < rows; ++j) {
      const std::size_t added = added_by(bits[order[j]], group, words) * kWindow + (j - i);
      least = added < least ? added : least;
    }
    move_down(order, i + least % kWindow, i);
    for (std::size_t w = 0; w < words; ++w) group.words[w] |= bits[order[i]].words[w];
  }
}

// For an A whose elements of a row lie side by side.
void plan_rows(const float* a, std::size_t a_row, std::size_t rows, std::size_t depth, bool orders,
               SkipPlan& plan) {
  RowBits bits[kListedRows];
  const std::size_t words = (depth + kWordBits - 1) / kWordBits;
  for (std::size_t row = 0; row < rows; ++row) find_nonzeros(a + row * a_row, depth, bits[row]);
  if (orders) {
    order_rows(bits, rows, words, plan.order);
  } else {
    keep_order(rows, plan.order);
  }
  for (std::size_t begin = 0; begin < rows; begin += kSkipRows) {
    Step* const steps = plan.steps[begin / kSkipRows];
    std::size_t count = 0;
    for (std::size_t w = 0; w < words; ++w) {
      std::uint64_t any = 0;
      for (std::size_t i = begin; i < begin + kSkipRows && i < rows; ++i) any |= bits[plan.order[i]].words[w];
      count += list_bits(any, some_bits(depth, w * kWordBits), w * kWordBits, steps + count);
    }
    plan.count[begin / kSkipRows] = count;
  }
}

// For an A whose rows lie side by side: groups are neighbours.
void plan_columns(const float* a, std::size_t a_col, std::size_t rows, std::size_t depth, SkipPlan& plan) {
  static_assert(kUpdatedRows % kLanes == 0 && kListedRows % kUpdatedRows == 0 && kUpdatedRows <= 32);
  constexpr std::size_t kGroups = kUpdatedRows / kSkipRows;
  keep_order(rows, plan.order);
  for (std::size_t begin = 0; begin < rows; begin += kUpdatedRows) {
    const std::size_t some = rows - begin < kUpdatedRows ? rows - begin : kUpdatedRows;
    std::size_t count[kGroups] = {};
    for (std::size_t first = 0; first < depth; first += kWordBits) {
      alignas(64) std::int32_t kept[kWordBits] = {};  // a bit for each row
      const std::size_t steps_here = some_bits(depth, first);
      for (std::size_t p = 0; p < steps_here; ++p) {
        std::uint32_t rows_kept = 0;
        over_lanes(some, [&](std::size_t row, auto lanes) {
          rows_kept |= nonzero_lanes(load(a + (first + p) * a_col + begin + row, lanes)) << row;
        });
        kept[p] = static_cast<std::int32_t>(rows_kept);
      }
      for (std::size_t group = 0; group * kSkipRows < some; ++group) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < steps_here; i += kLanes) {
          Ints lanes;
          __builtin_memcpy(&lanes, kept + i, sizeof lanes);
          const Ints any = (lanes & (((1 << kSkipRows) - 1) << (kSkipRows * group))) != 0;
          word |= std::uint64_t{nonzero_lanes(from_bits(any))} << i;
        }
        Step* const steps = plan.steps[begin / kSkipRows + group];
        count[group] += list_bits(word, steps_here, first, steps + count[group]);
      }
    }
    for (std::size_t group = 0; group * kSkipRows < some; ++group) {
      plan.count[begin / kSkipRows + group] = count[group];
    }
  }
}

// A group of rows of C and a strip of its columns.
struct SkipTile {
  const float* a[kSkipRows];  // each row
  std::size_t a_col;
  const float* b;
  std::size_t b_row;
  const Step* steps;
  std::size_t count;
  float* c[kSkipRows];
  std::size_t cols;
  bool accumulate;
  const char* ahead;  // prefetched meanwhile, to be written: a line at each step; or null
};

// kRows x kVectors of C; `last` says how much of the last vector.
template <std::size_t kRows, std::size_t kVectors, bool kPrefetches, class Last>
__attribute__((noinline)) void skip_kernel(const SkipTile& t, Last last) {
  constexpr std::size_t kFinal = kVectors - 1;
  Floats sum[kRows][kVectors] = {};
  if (t.accumulate) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kFinal; ++v) sum[r][v] = load(t.c[r] + v * kLanes);
      sum[r][kFinal] = load(t.c[r] + kFinal * kLanes, last);
    }
  }
  const float* a[kRows];
#pragma GCC unroll 4
  for (std::size_t r = 0; r < kRows; ++r) a[r] = t.a[r];
  const float* const b = t.b;
  const std::size_t a_col = t.a_col, b_row = t.b_row;
  const char* ahead = t.ahead;
  const Step* const end = t.steps + t.count;
  for (const Step* step = t.steps; step < end; ++step) {
    const std::size_t at = *step * a_col;
    const float* const from = b + *step * b_row;
    if constexpr (kPrefetches) {
      prefetch_to_write(ahead);
      ahead += kSkipLineFloats * sizeof(float);
    }
    Floats row[kVectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kFinal; ++v) row[v] = load(from + v * kLanes);
    row[kFinal] = load(from + kFinal * kLanes, last);
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kRows; ++r) {
      const Floats factor = broadcast(a[r][at]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = multiply_add(factor, row[v], sum[r][v]);
    }
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < kRows; ++r) {
    float* c = t.c[r];
    keep_in_register(c);  // from here on only, else the addresses of C take registers throughout
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kFinal; ++v) store(c + v * kLanes, sum[r][v]);
    store(c + kFinal * kLanes, sum[r][kFinal], last);
  }
}

// A strip of kVectors vectors of columns, of which the last may be a part, or of fewer.
template <std::size_t kRows, std::size_t kVectors>
void skip_strip(const SkipTile& t) {
  if (kVectors > 1 && t.cols <= (kVectors - 1) * kLanes) {
    skip_strip<kRows, kVectors == 1 ? 1 : kVectors - 1>(t);
  } else if (t.cols < kVectors * kLanes) {
    skip_kernel<kRows, kVectors, false>(t, Part{t.cols % kLanes});
  } else if (kVectors == kSkipVectors && t.ahead != nullptr) {
    skip_kernel<kRows, kVectors, kVectors == kSkipVectors>(t, All{});
  } else {
    skip_kernel<kRows, kVectors, false>(t, All{});
  }
}

void skip_group(const SkipTile& t, std::size_t rows) {
  static_assert(kSkipRows == 4);
  switch (rows) {
    case 1:
      return skip_strip<1, kSkipVectors>(t);
    case 2:
      return skip_strip<2, kSkipVectors>(t);
    case 3:
      return skip_strip<3, kSkipVectors>(t);
    default:
      return skip_strip<4, kSkipVectors>(t);
  }
}

// Makes ready what some rows move, a share of it at each of `calls` groups and strips: claims weights, and
// has the slots prefetched.
struct Readiness {
  float* at[3] = {};  // w and the slots
  std::size_t left[3] = {};
  std::size_t share = 0;
  bool claims = false;

  void begin(const MatmulTile& tile, std::size_t row, std::size_t rows, std::size_t calls) {
    float* const arrays[] = {tile.update->w, tile.update->slots[0], tile.update->slots[1]};
    const std::size_t floats = rows * tile.n;
    for (std::size_t i = 0; i < 3; ++i) {
      if (arrays[i] == nullptr || tile.c_row != tile.n) continue;
      at[i] = arrays[i] + row * tile.n;
      left[i] = floats;
    }
    claims = tile.shares_weights;
    share = (floats / calls / kSkipLineFloats + 1) * kSkipLineFloats;
  }

  void take(std::size_t array, std::size_t floats) {
    const std::size_t some = floats < left[array] ? floats : left[array];
    at[array] += some;
    left[array] -= some;
  }

  void before(SkipTile& t) {
    if (claims) {
      claim(at[0], share < left[0] ? share : left[0]);
      take(0, share);
    }
    const std::size_t slot = left[1] > 0 ? 1 : 2;
    if (left[slot] == 0) return;
    t.ahead = reinterpret_cast<const char*>(at[slot]);
    take(slot, t.count * kSkipLineFloats);
  }
};

// A tile of C, of a B that is read in place.
void matmul_tile_skipping_zeros(const MatmulTile& tile) {
  SkipPlan plan;
  alignas(64) float gradient[kUpdatedRows * kSkipUpdateCols];
  const bool updates = tile.update != nullptr && tile.last;
  const bool keeps = updates && !tile.accumulate && tile.n <= kSkipUpdateCols;
  const std::size_t most = updates ? kUpdatedRows : kListedRows;
  for (std::size_t row = 0; row < tile.m; row += most) {
    const std::size_t rows = tile.m - row < most ? tile.m - row : most;
    float* const c = keeps ? gradient : tile.c + row * tile.c_row;
    const std::size_t c_row = keeps ? tile.n : tile.c_row;
    const std::size_t groups = (rows + kSkipRows - 1) / kSkipRows;
    const std::size_t strips = (tile.n + kSkipCols - 1) / kSkipCols;
    Readiness readiness;
    if (updates) readiness.begin(tile, row, rows, groups * strips);
    for (std::size_t begin = 0; begin < tile.k; begin += kSkipDepth) {
      const std::size_t depth = tile.k - begin < kSkipDepth ? tile.k - begin : kSkipDepth;
      const float* const a = tile.a + row * tile.a_row + begin * tile.a_col;
      const float* const b = tile.packed_b + begin * tile.unpacked_b_row;
      if (tile.a_col == 1) {
        plan_rows(a, tile.a_row, rows, depth, tile.c_row >= kOrderedCols, plan);
      } else {
        plan_columns(a, tile.a_col, rows, depth, plan);
      }
      for (std::size_t col = 0; col < tile.n; col += kSkipCols) {
        for (std::size_t group = 0; group < groups; ++group) {
          const std::size_t first = group * kSkipRows;
          const std::size_t some = rows - first < kSkipRows ? rows - first : kSkipRows;
          SkipTile t;
          for (std::size_t i = 0; i < some; ++i) {
            t.a[i] = a + plan.order[first + i] * tile.a_row;
            t.c[i] = c + plan.order[first + i] * c_row + col;
          }
          t.a_col = tile.a_col;
          t.b = b + col;
          t.b_row = tile.unpacked_b_row;
          t.steps = plan.steps[group];
          t.count = plan.count[group];
          t.cols = tile.n - col < kSkipCols ? tile.n - col : kSkipCols;
          t.accumulate = tile.accumulate || begin > 0;
          t.ahead = nullptr;
          if (updates) readiness.before(t);
          skip_group(t, some);
        }
      }
    }
    if (tile.last) tile.finish_rows(tile, row, rows, c, c_row);
  }
}

// Whether enough of A is 0 where it counts, by a sample of groups and steps.
bool has_skippable_zeros(const float* a, std::size_t a_row, std::size_t a_col, std::size_t rows,
                         std::size_t depth) {
  std::size_t skippable = 0;
  for (std::size_t i = 0; i < kSampledGroups; ++i) {
    const float* const group = a + (rows - kSkipRows) * (2 * i + 1) / (2 * kSampledGroups) * a_row;
    for (std::size_t j = 0; j < kSampledSteps; ++j) {
      const float* const first = group + depth * (2 * j + 1) / (2 * kSampledSteps) * a_col;
      bool zero = true;
      for (std::size_t row = 0; row < kSkipRows; ++row) zero = zero && first[row * a_row] == 0.0F;
      skippable += zero ? 1 : 0;
    }
  }
  const std::size_t least = a_col == 1 ? kPercentOfRows : kPercentOfColumns;
  return skippable * 100 >= kSampledGroups * kSampledSteps * least;
}
