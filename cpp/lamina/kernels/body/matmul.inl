// The matrix product: tiles of C, cut into micro-tiles, and their epilogues.
//
// Rows of a tile are split evenly, so no micro-tile is left with a single row. What a micro-kernel doesn't
// see to (other activations, the optimizer) runs on a band of rows that is still in the cache.
//
// Of the multiply-add peak, m x n x k: on a Zen 4 core with AVX-512 94 % at 64 x 64 x 64, 99 % at 32 x 128 x
// 784 (B in place), 92 % at 128 x 512 x 784 and 87 % at 256 x 4096 x 4096 (packed); 84 % at 784 x 512 x 128
// with Adam. On cores of whose peak one multiply-add a cycle is half: 91 %, 99 %, 90 %, 87 % and 82 % on Zen
// 5, 74 %, 82 %, 71 %, 68 % and 59 % on Granite Rapids. On a Zen 3 core with AVX2 95 %, 89 %, 94 % and 85 %
// at the first four.
#include "lamina/kernels/body/optimizer_pass.inl"
// (the shape of a micro-tile comes before its kernels)
#include "lamina/kernels/body/pack.inl"

#include "lamina/kernels/body/micro_kernel.inl"

constexpr float kNothing[kTileCols] = {};
constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kUpdateCols = 512;  // columns of a tile whose gradient stays in the cache
constexpr std::size_t kFewRows = 8;       // B in place is read in wider strips for so few rows
constexpr std::size_t kStreamedFloats = std::size_t{1} << 18;  // one row streams a B in place of this size
constexpr std::size_t kL1Floats = std::size_t{1} << 13;        // two thirds of it
constexpr std::size_t kPackedDepth = 512;                      // A is packed for a depth up to this
constexpr std::size_t kEvicting = 1024;                   // floats that lie so far apart share a set of L1
constexpr std::size_t kTlbFloats = std::size_t{1} << 16;  // of the 64 pages or more that a first TLB holds

// Runs the optimizer on `rows` rows of gradients that lie `row` floats apart.
void update_rows(const MatmulTile& tile, std::size_t begin, std::size_t rows, const float* gradient,
                 std::size_t row) {
  OptimizerPass pass = *tile.update;
  const bool contiguous = tile.c_row == tile.n && row == tile.n;
  pass.n = contiguous ? rows * tile.n : tile.n;
  pass.rows = contiguous ? 1 : rows;
  pass.row = tile.c_row;
  pass.gradient = gradient;
  pass.gradient_row = row;
  const std::size_t at = begin * tile.c_row;
  pass.w += at;
  for (float*& slot : pass.slots) {
    if (slot != nullptr) slot += at;
  }
  if (pass.ema != nullptr) pass.ema += at;
  tile.optimizer(tile.update_kind, pass);
}

// What a micro-tile of so many steps prefetches of `rows` rows of `floats`, `row` floats apart.
Ahead rows_ahead(const float* at, std::size_t rows, std::size_t row, std::size_t floats, std::size_t steps) {
  if (rows > 1 && !kAheadJumps) rows = 1;
  if (rows == 0 || rows > steps) return {};
  Ahead ahead;
  ahead.at = reinterpret_cast<const char*>(at);
  ahead.steps = steps / rows;
  ahead.step = floats * sizeof(float) / ahead.steps + 1;
  if (ahead.step > kLineBytes) ahead.step = kLineBytes;
  ahead.jump = row * sizeof(float) - ahead.steps * ahead.step;
  return ahead;
}

// What the `index`th of `count` micro-tiles of a tile prefetches of what is read after the tile: its share of
// the rows. So evenly spread, it takes next to nothing from the products, which gain 9 % at 256 x 4096 x 4096
// and 30 % at 48 x 4096 x 4096 (Zen 5). All at once it cost 15 % (Granite Rapids).
__attribute__((noinline)) Ahead ahead_of_tile(const MatmulTile& tile, std::size_t index, std::size_t count) {
  const std::size_t begin = index * tile.ahead_rows / count;
  const std::size_t end = (index + 1) * tile.ahead_rows / count;
  return rows_ahead(tile.ahead + begin * tile.ahead_row, end - begin, tile.ahead_row, tile.ahead_floats,
                    tile.k);
}

// What the micro-tiles of a group of rows prefetch of the parameters that these rows move: each its share of
// w and the slots, one array after the other. (With two threads, whose products read each other's rows, a
// step of 784-128-10 takes a quarter less.) Divides once a group: small tiles, as AVX2's, ask often.
struct UpdateAhead {
  const float* arrays[4] = {};  // the last one stays null
  std::size_t row = 0;          // floats from one unit to the next
  std::size_t units = 0;        // of an array: rows, or, where rows lie side by side, floats
  std::size_t share = 0;        // units of a micro-tile
  std::size_t array = 0, within = 0;
  Ahead pattern;

  Ahead next() {
    if (arrays[array] == nullptr) return {};
    Ahead ahead = pattern;
    ahead.at = reinterpret_cast<const char*>(arrays[array] + within * row);
    within += share;
    if (within >= units) {
      within = 0;
      ++array;
    }
    return ahead;
  }
};

__attribute__((noinline)) UpdateAhead ahead_of_update(const MatmulTile& tile, std::size_t begin,
                                                      std::size_t rows, std::size_t panels) {
  UpdateAhead ahead;
  std::size_t used = 0;
  float* const all[] = {tile.update->w, tile.update->slots[0], tile.update->slots[1]};
  for (float* array : all) {
    if (array != nullptr) ahead.arrays[used++] = array + begin * tile.c_row;
  }
  const bool contiguous = tile.n == tile.c_row;
  ahead.row = contiguous ? 1 : tile.c_row;
  ahead.units = contiguous ? rows * tile.n : rows;
  ahead.share = used * ahead.units / panels + 1;
  if (ahead.share > ahead.units) ahead.share = ahead.units;
  ahead.pattern = contiguous ? rows_ahead(nullptr, 1, 0, ahead.share, tile.k)
                             : rows_ahead(nullptr, ahead.share, tile.c_row, tile.n, tile.k);
  return ahead;
}

// Claims rows [first, end) of the weights that rows from `begin` on move.
void claim_rows(const MatmulTile& tile, std::size_t begin, std::size_t first, std::size_t end) {
  for (std::size_t row = first; row < end; ++row) {
    claim(tile.update->w + (begin + row) * tile.c_row, tile.n);
  }
}

// Whether the micro-kernel sees to the epilogue.
bool finishes_in_registers(const MatmulTile& tile, bool direct) {
  if (tile.before_activation != nullptr) return false;
  if (tile.k == 1 && tile.unpacked_b_row != 0) {  // as outer_rows does
    return tile.activation.kind == Activation::relu && tile.derivative_at != nullptr && !tile.accumulate;
  }
  if (direct && tile.derivative_at != nullptr) return false;
  return tile.activation.kind == Activation::relu ||
         (tile.activation.kind == Activation::linear && tile.derivative_at == nullptr);
}

// The optimizer, or the other epilogues, on rows that are still in the cache.
void finish_rows(const MatmulTile& tile, std::size_t begin, std::size_t rows, float* gradient,
                 std::size_t gradient_row) {
  if (tile.update != nullptr) {
    update_rows(tile, begin, rows, gradient, gradient_row);
    return;
  }
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

// Whether to pack A: it costs what 2 to 4 panels gain, or more where rows of A share sets of L1 as they lie.
// Where they lie side by side (x^T of a kernel's gradient), a tile that takes most of a cache line does well
// without, unless A spans more pages than the first TLB has (30 % at 4096 x 4096 x 256, 1000 x 1000 x 256).
bool packs_a(const MatmulTile& tile) {
  if (tile.k > kPackedDepth) return false;
  const bool by_rows = tile.a_row != 1;
  std::size_t panels = 16;
  if (by_rows && tile.a_row % kEvicting == 0) panels = 2;
  if (!by_rows) {
    const bool takes_lines = 2 * kTileRows >= kLineFloats;
    if (tile.k * tile.a_col < kTlbFloats && (takes_lines || tile.k <= 64)) return false;
    panels = 4;
  }
  return tile.n > panels * kTileCols;
}

// The `group`th of `groups` groups of rows, from `begin` on.
__attribute__((noinline)) void packed_tile_rows(const MatmulTile& tile, MicroTile& micro, std::size_t begin,
                                                std::size_t rows, std::size_t group, std::size_t groups,
                                                float* packed_a) {
  if (packs_a(tile)) {
    pack_strip(micro.a, micro.a_col, micro.a_row, tile.k, rows, packed_a, rows);
    micro.a = packed_a;
    micro.a_row = 1;
    micro.a_col = rows;
  }
  if (tile.k == 0) {  // a step that adds nothing
    micro.k = 1;
    micro.a = kNothing;
    micro.a_row = micro.a_col = micro.b_row = 0;
  }
  const bool updates = tile.update != nullptr && tile.last;
  const std::size_t panels = (tile.n + kTileCols - 1) / kTileCols;
  micro.in_l1 = tile.k * tile.n <= kL1Floats && (!updates || tile.m * tile.n <= kL1Floats);
  UpdateAhead parameters;
  if (updates && !micro.in_l1) parameters = ahead_of_update(tile, begin, rows, panels);
  const std::size_t claims = rows / panels + 1;  // rows a panel
  std::size_t claimed = 0;
  for (std::size_t panel = 0; panel < panels; ++panel) {
    const std::size_t col = panel * kTileCols;
    micro.cols = tile.n - col < kTileCols ? tile.n - col : kTileCols;
    micro.b = tile.k == 0 ? kNothing : tile.packed_b + (tile.unpacked_b_row != 0 ? col : col * tile.k);
    if (micro.in_l1) {
      // nothing to prefetch
    } else if (updates) {
      micro.ahead = parameters.next();
    } else if (tile.ahead != nullptr) {
      micro.ahead = ahead_of_tile(tile, group * panels + panel, groups * panels);
    }
    kPackedKernels.rows[rows - 1](micro);
    if (updates && tile.shares_weights) {
      claim_rows(tile, begin, claimed, claimed + claims < rows ? claimed + claims : rows);
      claimed += claims;
    }
    move_columns(micro, kTileCols);
  }
}

// k == 1: each row is a multiple of the one row of B. A plain product, for a multiply-add to 0 takes longer:
// they differ in the sign of a 0.
__attribute__((noinline)) void outer_rows(const MicroTile& t, std::size_t rows) {
  const float* const b = t.b;
  for (std::size_t r = 0; r < rows; ++r) {
    const Floats element = broadcast(t.a[r * t.a_row]);
    float* const c = t.c + r * t.c_row;
    if (t.accumulate) {
      over_lanes(t.cols, [=](std::size_t j, auto lanes) {
        store(c + j, multiply_add(element, load(b + j, lanes), load(c + j, lanes)), lanes);
      });
    } else if (t.relu_output != nullptr) {
      const float* const y = t.relu_output + r * t.c_row;
      over_lanes(t.cols, [=](std::size_t j, auto lanes) {
        store(c + j, relu_gradient(element * load(b + j, lanes), load(y + j, lanes)), lanes);
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

// One row of C from a B beyond L2: four rows of B are read as streams, where strips of columns would jump
// from page to page (1.7x at 1024 x 1024, 2x at 4096 x 4096; the hardware prefetches better than we would).
__attribute__((noinline)) void stream_row(const MatmulTile& tile) {
  constexpr std::size_t kStreams = 4;
  float* const c = tile.c;
  if (!tile.accumulate) __builtin_memset(c, 0, tile.n * sizeof(float));
  const float* a = tile.a;
  const float* b = tile.packed_b;
  const std::size_t b_row = tile.unpacked_b_row;
  std::size_t p = 0;
  for (; p + kStreams <= tile.k; p += kStreams, a += kStreams * tile.a_col, b += kStreams * b_row) {
    Floats element[kStreams];
    for (std::size_t i = 0; i < kStreams; ++i) element[i] = broadcast(a[i * tile.a_col]);
    over_lanes(tile.n, [=](std::size_t j, auto lanes) {
      Floats sum = load(c + j, lanes);
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kStreams; ++i) {
        sum = multiply_add(element[i], load(b + i * b_row + j, lanes), sum);
      }
      store(c + j, sum, lanes);
    });
  }
  MicroTile rest = {};
  rest.c = c;
  rest.cols = tile.n;
  rest.accumulate = true;
  for (; p < tile.k; ++p, a += tile.a_col, b += b_row) {
    rest.a = a;
    rest.b = b;
    outer_rows(rest, 1);
  }
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
  if (direct && tile.m == 1 && tile.k * tile.n >= kStreamedFloats) {
    stream_row(tile);
    if (tile.last) finish_rows(tile, 0, 1, tile.c, tile.c_row);
    return;
  }
  const bool in_registers = !updates && tile.last && finishes_in_registers(tile, direct);
  const bool derives = in_registers && tile.derivative_at != nullptr;
  const std::size_t least = tile.m / groups;
  const std::size_t larger = tile.m % groups;  // groups that have a row more
  std::size_t begin = 0, rows = 0;
  for (std::size_t group = 0; group < groups; ++group, begin += rows) {
    rows = group < larger ? least + 1 : least;
    float* const c = keeps ? gradient : tile.c + begin * tile.c_row;
    const std::size_t c_row = keeps ? tile.n : tile.c_row;
    MicroTile micro = {
        .ahead = {},
        .a = tile.a + begin * tile.a_row,
        .a_row = tile.a_row,
        .a_col = tile.a_col,
        .b = tile.packed_b,
        .b_row = unpacked ? tile.unpacked_b_row : kTileCols,
        .c = c,
        .c_row = c_row,
        .k = tile.k,
        .cols = tile.n,
        .accumulate = tile.accumulate,
        .padded = !unpacked,
        .in_l1 = false,
        .relu = in_registers && !derives && tile.activation.kind == Activation::relu,
        .bias = in_registers && !derives ? tile.bias : nullptr,
        .relu_output = derives ? tile.derivative_at + begin * tile.c_row : nullptr,
    };
    if (unpacked && tile.k == 1) {
      outer_rows(micro, rows);
    } else if (direct) {
      direct_tile(micro, rows);
    } else {
      packed_tile_rows(tile, micro, begin, rows, group, groups, packed_a);
    }
    if (tile.last && !in_registers) finish_rows(tile, begin, rows, c, c_row);
  }
}
