// A product is cut into blocks of at most kBlockCols columns and kBlockDepth of k; a block of B is packed
// into scratch and meets every row of A (of kChunkRows, where there are more), while the next one is
// prefetched. Blocks of k run in order and accumulate, so each element of C stays one chain. B that is small
// for its rows is read where it lies. In training an A with many zeros has a tile kernel of its own.
//
// Threads share out columns: each packs its own, so that no packed part of B goes from one core's cache to
// another's (sharing it costs an eighth to a third of the time at 256 x 4096 x 4096 on two cores). Products
// that an optimizer follows share out rows.
#include "lamina/kernels/matmul.h"

#include <algorithm>

#include "lamina/kernels/activation.h"
#include "lamina/kernels/dispatch.h"
#include "lamina/kernels/few_columns.h"

namespace lamina::kernels {

namespace {

constexpr std::size_t kBlockDepth = 448;
constexpr std::size_t kBlockCols = 448;     // a packed block is at most 0.8 MB, for L2
constexpr std::size_t kScratchCols = 1024;  // of the blocks of all threads
constexpr std::size_t kUpdateCols = 512;    // where C stays in the kernel's own memory
// B is read in place, however large it is, up to so many rows of C (or a tile, if that has more); up to a few
// times as many, if it has at most so many floats; up to kUnpackedTiles tiles, if it has at most
// kUnpackedFloats; and up to kUnpackedRows, if it stays in L1.
constexpr std::size_t kDirectRows = 8;
constexpr std::size_t kFewTiles = 3;
constexpr std::size_t kFewTilesFloats = std::size_t{1} << 21;
constexpr std::size_t kFewTilesOfSmall = 2;
constexpr std::size_t kFewTilesFloatsOfSmall = std::size_t{1} << 19;
constexpr std::size_t kUnpackedTiles = 10;
constexpr std::size_t kUnpackedFloats = std::size_t{1} << 18;
constexpr std::size_t kUnpackedRows = 128;
constexpr std::size_t kL1Floats = std::size_t{1} << 12;
// From this size on, few rows of C read B in place as a stream, so many of its rows at a time: twice as fast
// at 8 x 4096 x 4096.
constexpr std::size_t kStreamedFloats = std::size_t{1} << 22;
constexpr std::size_t kStreamedDepth = 16;
// Small tiles, of few rows (all but those of AVX-512), ask for B more often: from this size on they read it
// in place by strips of two panels that stay in L1: 14 % faster at 32 x 128 x 784 with AVX2, 29 % at 32 x 256
// x 784.
constexpr std::size_t kStripFloats = 3 * (std::size_t{1} << 15);
constexpr std::size_t kStripDepth = 392;
constexpr std::size_t kSmallTileRows = 8;
// So many rows at most meet all blocks of B before the next ones do: of these, A and C come from nearer then
// (7 % at 4096 x 4096 x 4096, 6 % at 4096 x 1024 x 1024, Zen 5).
constexpr std::size_t kChunkRows = 1120;
// From this size on it is worth a look whether A has zeros that can be skipped.
constexpr std::size_t kSkipRows = 64;  // that are grouped by their zeros
constexpr std::size_t kSkipUpdateRows = 16;
constexpr std::size_t kSkipCols = 64;
constexpr std::size_t kSkipDepth = 32;
constexpr std::size_t kSkipWork = 1 << 20;
// B is read in place, strip by strip, so it should be in L2 or near: 1.2 times as fast at 512 x 1024 x 1024
// with 18 % of the steps skipped, 0.6 times at 256 x 4096 x 4096 (Zen 4). Narrow strips ask for more lines.
constexpr std::size_t kSkipFloats = std::size_t{1} << 20;
constexpr std::size_t kSkipFloatsOfSmall = std::size_t{1} << 18;
constexpr std::size_t kSharedFloats = std::size_t{1} << 20;  // of weights that caches of other cores may hold
constexpr std::size_t kFewRows = 32;  // up to this many rows meet columns of B as soon as they are packed
constexpr std::size_t kAheadFloats = std::size_t{1} << 19;  // B beyond L2 is prefetched a block ahead
constexpr std::size_t kLineFloats = 16;                     // of a cache line
constexpr std::size_t kDeepEnough = 32;                     // from this k on, threads share columns
constexpr std::size_t kWorkPerTask = 1 << 18;               // multiply-adds that pay for waking a thread

std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}
std::size_t divide_up(std::size_t n, std::size_t by) {
  return (n + by - 1) / by;
}

void run_tasks(std::size_t tasks, Executor& executor, TaskRef task) {
  if (tasks == 1) {
    task(0);
  } else {
    executor.run(tasks, task);
  }
}

// A range of `total` units, the `index`th of `parts` nearly equal ones, in multiples of `unit`.
struct Range {
  std::size_t begin, end;
};

Range part_of(std::size_t total, std::size_t unit, std::size_t index, std::size_t parts) {
  const std::size_t units = divide_up(total, unit);
  return {std::min(total, units * index / parts * unit), std::min(total, units * (index + 1) / parts * unit)};
}

class Product {
 public:
  Product(const Matmul& product, float* scratch, Executor& executor)
      : p_(product), table_(table()), scratch_(scratch), executor_(executor) {
    a_row_ = p_.transpose_a ? 1 : p_.a_row;
    a_col_ = p_.transpose_a ? p_.a_row : 1;
    b_row_ = p_.transpose_b ? 1 : p_.b_row;
    b_col_ = p_.transpose_b ? p_.b_row : 1;
    if (p_.k == 1 && b_col_ == 1) b_row_ = p_.n;  // one row, whichever way it is stored
    skips_zeros_ = p_.skips_zeros && b_col_ == 1 && p_.derivative_at == nullptr && p_.m >= kSkipUpdateRows &&
                   p_.k >= kSkipDepth && p_.n >= kSkipCols && p_.m * p_.n * p_.k >= kSkipWork &&
                   p_.k * p_.n <= (small_tiles() ? kSkipFloatsOfSmall : kSkipFloats) &&
                   p_.training->has_skippable_zeros(p_.a, a_row_, a_col_, p_.m, p_.k);
  }

  void run() const {
    if (skips_zeros_) {
      run_skipping_zeros();
      return;
    }
    if (reads_b_in_place()) {
      run_in_place();
      return;
    }
    const std::size_t threads = std::min(tasks_for(p_.n, p_.k), executor_.threads());
    if (threads == 1 || shares_columns()) {
      run_by_columns(std::min(threads, kScratchCols / table_.tile_cols));
    } else {
      over_blocks({0, p_.n}, kUpdateCols, [&](const Block& block, const Block&) { run_block(block); });
    }
  }

 private:
  struct Block {
    std::size_t col, cols, begin, depth;  // columns of C, and the stretch of k
  };

  // Sharing columns, a thread keeps its packed part of B to itself, and meets all of A; sharing rows keeps
  // bands of C whole, which is what an update wants, and what writing C wants where that is most of the work.
  bool shares_columns() const {
    return p_.update == nullptr && p_.n >= p_.m && p_.n >= 2 * executor_.threads() * table_.tile_cols &&
           p_.k >= kDeepEnough;
  }

  // Calls f(block, next) for blocks of nearly equal extents, as a short last one would cost as much as it
  // computes; the last of them has no columns for `next`.
  // They are whole cache lines deep, by which a transposed B is packed (10 % at 256 x 4096 x 4096).
  template <class F>
  void over_blocks(Range cols, std::size_t most_cols, F&& f) const {
    const std::size_t total = cols.end - cols.begin;
    const std::size_t k = std::max<std::size_t>(p_.k, 1);
    if (total == 0) return;
    const std::size_t width = round_up(divide_up(total, divide_up(total, most_cols)), table_.tile_cols);
    const std::size_t depth = round_up(divide_up(k, divide_up(k, kBlockDepth)), kLineFloats);
    const auto block_at = [&](std::size_t col, std::size_t begin) {
      return Block{col, col < cols.end ? std::min(width, cols.end - col) : 0, begin,
                   std::min(depth, p_.k - begin)};
    };
    for (std::size_t col = cols.begin; col < cols.end; col += width) {
      for (std::size_t begin = 0; begin < k; begin += depth) {
        const Block block = block_at(col, begin);
        const bool deepest = begin + depth >= k;
        f(block, deepest ? block_at(col + width, 0) : block_at(col, begin + depth));
      }
    }
  }

  // Each task packs the blocks of its own columns. Few rows meet them right away, while they are in L1; where
  // tiles are small, rows of B had better be read as streams (1.3x to 1.8x at 24 x 2048 x 2048).
  void run_by_columns(std::size_t parts) const {
    const bool by_strips = p_.m <= kFewRows && !(small_tiles() && b_col_ == 1);
    const std::size_t most_cols = std::min(p_.update == nullptr ? kBlockCols : kUpdateCols,
                                           kScratchCols / parts / table_.tile_cols * table_.tile_cols);
    const std::size_t chunks = divide_up(p_.m, kChunkRows);
    run_tasks(parts, executor_, [&](std::size_t task) {
      const Range cols = part_of(p_.n, table_.tile_cols, task, parts);
      const std::size_t place = p_.n <= kScratchCols ? cols.begin : task * most_cols;
      float* const packed = scratch_ + place * std::min(p_.k, kBlockDepth);
      for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
        const Range rows = part_of(p_.m, table_.tile_rows, chunk, chunks);
        over_blocks(cols, most_cols, [&](const Block& block, const Block& next) {
          const std::size_t step = by_strips ? 2 * table_.tile_cols : block.cols;
          for (std::size_t col = 0; col < block.cols; col += step) {
            const Range some = {col, std::min(col + step, block.cols)};
            pack(block, some, packed);
            multiply(block, rows, some, packed, by_strips ? Block{} : next);
          }
        });
      }
    });
  }

  // How many tasks the work of a block is worth.
  std::size_t tasks_for(std::size_t cols, std::size_t depth) const {
    const std::size_t threads = executor_.threads();
    if (threads == 1) return 1;
    const std::size_t worth = p_.m * cols * depth / kWorkPerTask;
    return std::clamp<std::size_t>(worth, 1, 4 * threads);
  }

  // (Inlined in each of their uses, this and run_tile would take 2 kB.)
  __attribute__((noinline)) MatmulTile tile_at(Range rows, Range cols, std::size_t begin,
                                               std::size_t depth) const {
    MatmulTile tile = {};
    tile.a = p_.a + rows.begin * a_row_ + begin * a_col_;
    tile.a_row = a_row_;
    tile.a_col = a_col_;
    tile.c = p_.c + rows.begin * p_.c_row + cols.begin;
    tile.c_row = p_.c_row;
    tile.m = rows.end - rows.begin;
    tile.n = cols.end - cols.begin;
    tile.k = depth;
    tile.accumulate = p_.accumulate || begin > 0;
    tile.last = begin + depth == p_.k;
    tile.bias = p_.bias == nullptr ? nullptr : p_.bias + cols.begin;
    tile.before_activation =
        p_.before_activation == nullptr ? nullptr : p_.before_activation + (tile.c - p_.c);
    if (is_elementwise(p_.activation.kind)) tile.activation = p_.activation;
    if (p_.derivative_at != nullptr) {
      tile.derivative_at = p_.derivative_at + (tile.c - p_.c);
      tile.activation_backward = p_.training->activation_backward;
    }
    return tile;
  }

  // (row, col) is where the tile lies in C.
  __attribute__((noinline)) void run_tile(MatmulTile& tile, std::size_t row, std::size_t col) const {
    const auto kernel = skips_zeros_ ? p_.training->matmul_tile_skipping_zeros : table_.matmul_tile;
    tile.finish_rows = table_.finish_rows;
    if (p_.update == nullptr) {
      kernel(tile);
      return;
    }
    OptimizerPass pass = *p_.update;
    const std::size_t at = row * p_.c_row + col;
    pass.w += at;
    for (float*& slot : pass.slots) {
      if (slot != nullptr) slot += at;
    }
    if (pass.ema != nullptr) pass.ema += at;
    tile.update = &pass;
    tile.update_kind = p_.update_kind;
    tile.shares_weights = executor_.threads() > 1 && p_.m * p_.n <= kSharedFloats;
    tile.optimizer = p_.training->optimizer;
    kernel(tile);
  }

  bool small_tiles() const { return table_.tile_rows <= kSmallTileRows; }
  std::size_t rows_at_once() const { return std::max(kDirectRows, table_.tile_rows); }

  // Whether B is better read where it lies. With few rows packing costs more than it saves; while B stays in
  // L2 that holds for more rows than one would think: the kernel asks for 128 bytes in 14 cycles, and
  // prefetches them.
  bool reads_b_in_place() const {
    if (b_col_ != 1) return false;
    if (p_.k == 1) return true;
    if (p_.update == nullptr) {
      const std::size_t tiles = small_tiles() ? kFewTilesOfSmall : kFewTiles;
      const std::size_t most = small_tiles() ? kFewTilesFloatsOfSmall : kFewTilesFloats;
      if (p_.m <= rows_at_once() || (p_.m <= tiles * rows_at_once() && p_.k * p_.n <= most)) return true;
    }
    if (p_.m <= kUnpackedRows && p_.k * p_.n <= kL1Floats) return true;
    return p_.m <= kUnpackedTiles * table_.tile_rows && p_.k * p_.n <= kUnpackedFloats;
  }

  // Whether rows of B are read a few at a time, all columns of them: memory likes that better than the strips
  // that the cache likes. (One row of C sees to that in its kernel.)
  bool streams_b() const {
    return p_.update == nullptr && p_.m > 1 && p_.m <= rows_at_once() && p_.k * p_.n >= kStreamedFloats;
  }

  // Whether B is read in strips that all rows of C meet while they are in L1.
  bool strips_b() const {
    return p_.update == nullptr && p_.m > rows_at_once() && small_tiles() && p_.k * p_.n >= kStripFloats;
  }

  void run_in_place() const {
    const std::size_t tasks = tasks_for(p_.n, p_.k);
    const bool by_columns = p_.m <= kDirectRows || shares_columns();
    const std::size_t extent = by_columns ? p_.n : p_.m;
    const std::size_t unit = by_columns ? table_.tile_cols : table_.tile_rows;
    const std::size_t parts =
        std::min(by_columns ? std::min(tasks, executor_.threads()) : tasks, divide_up(extent, unit));
    std::size_t depth = std::max<std::size_t>(p_.k, 1);
    if (streams_b()) depth = kStreamedDepth;
    if (strips_b()) depth = divide_up(p_.k, divide_up(p_.k, kStripDepth));
    const std::size_t width = strips_b() ? 2 * table_.tile_cols : p_.n;
    run_tasks(parts, executor_, [&](std::size_t task) {
      const Range part = part_of(extent, unit, task, parts);
      const Range rows = by_columns ? Range{0, p_.m} : part;
      const Range cols = by_columns ? part : Range{0, p_.n};
      for (std::size_t begin = 0; begin == 0 || begin < p_.k; begin += depth) {
        for (std::size_t col = cols.begin; col < cols.end; col += width) {
          const Range some = {col, std::min(col + width, cols.end)};
          MatmulTile tile = tile_at(rows, some, begin, std::min(depth, p_.k - begin));
          tile.packed_b = p_.b + begin * b_row_ + col;
          tile.unpacked_b_row = b_row_;
          run_tile(tile, rows.begin, col);
        }
      }
    });
  }

  void run_skipping_zeros() const {
    const std::size_t threads = executor_.threads();
    const bool by_columns = p_.update == nullptr && p_.n >= threads * kSkipCols;
    const std::size_t extent = by_columns ? p_.n : p_.m;
    const std::size_t unit = by_columns ? kSkipCols : p_.update == nullptr ? kSkipRows : kSkipUpdateRows;
    const std::size_t worth = threads == 1 ? 1 : p_.m * p_.n * p_.k / kWorkPerTask;
    const std::size_t parts =
        std::min(by_columns ? std::min(worth, threads) : worth, divide_up(extent, unit));
    run_tasks(parts, executor_, [&](std::size_t task) {
      const Range part = part_of(extent, unit, task, parts);
      const Range rows = by_columns ? Range{0, p_.m} : part;
      const Range cols = by_columns ? part : Range{0, p_.n};
      MatmulTile tile = tile_at(rows, cols, 0, p_.k);
      tile.packed_b = p_.b + cols.begin;
      tile.unpacked_b_row = b_row_;
      run_tile(tile, rows.begin, cols.begin);
    });
  }

  void run_block(const Block& block) const {
    const std::size_t tasks = tasks_for(block.cols, block.depth);
    const std::size_t panels = divide_up(block.cols, table_.tile_cols);
    const std::size_t packers = std::min(tasks, panels);
    run_tasks(packers, executor_, [&](std::size_t task) {
      pack(block, part_of(block.cols, table_.tile_cols, task, packers), scratch_);
    });
    const std::size_t row_tasks = std::min(tasks, divide_up(p_.m, table_.tile_rows));
    run_tasks(row_tasks, executor_, [&](std::size_t task) {
      multiply(block, part_of(p_.m, table_.tile_rows, task, row_tasks), {0, block.cols}, scratch_, {});
    });
  }

  // Packs columns of a block into their place in `packed`, where the block begins.
  void pack(const Block& block, Range cols, float* packed) const {
    const float* b = p_.b + block.begin * b_row_ + (block.col + cols.begin) * b_col_;
    table_.pack_b(b, b_row_, b_col_, block.depth, cols.end - cols.begin, packed + cols.begin * block.depth);
  }

  // Meanwhile the block of B that is to be packed next is prefetched.
  void look_ahead(MatmulTile& tile, const Block& next) const {
    if (next.cols == 0 || p_.update != nullptr || p_.k * p_.n < kAheadFloats) return;
    const bool by_rows = b_col_ == 1;
    tile.ahead = p_.b + next.begin * b_row_ + next.col * b_col_;
    tile.ahead_row = by_rows ? b_row_ : b_col_;
    tile.ahead_rows = by_rows ? next.depth : next.cols;
    tile.ahead_floats = by_rows ? next.cols : next.depth;
  }

  void multiply(const Block& block, Range rows, Range cols, const float* packed, const Block& next) const {
    const Range in_c = {block.col + cols.begin, block.col + cols.end};
    MatmulTile tile = tile_at(rows, in_c, block.begin, block.depth);
    tile.packed_b = packed + cols.begin * block.depth;
    look_ahead(tile, next);
    run_tile(tile, rows.begin, in_c.begin);
  }

  const Matmul& p_;
  const Table& table_;
  float* scratch_;
  Executor& executor_;
  std::size_t a_row_, a_col_, b_row_, b_col_;
  bool skips_zeros_;
};

// softmax and log_softmax see whole rows, so they follow the product.
void activate_rows(const Matmul& product, Executor& executor) {
  if (product.c_row == product.n) {
    activation_forward(product.activation, product.c, product.c, product.m, product.n, executor);
    return;
  }
  for (std::size_t row = 0; row < product.m; ++row) {
    float* c = product.c + row * product.c_row;
    activation_forward(product.activation, c, c, 1, product.n, serial_executor());
  }
}

std::size_t packed_floats(std::size_t n, std::size_t k) {
  return std::min(k, kBlockDepth) * round_up(std::min(n, kScratchCols), table().tile_cols);
}

// One column: C' = B' A' is one row, and fills vectors that C would leave all but empty. The bits are the
// same.
bool runs_transposed(const Matmul& product) {
  return product.n == 1 && product.c_row == 1 && product.m > 1 && product.k > 1 &&
         product.derivative_at == nullptr;
}

void run_transposed(const Matmul& product, float* scratch, Executor& executor) {
  Matmul row = product;
  row.m = 1;
  row.n = product.m;
  row.c_row = product.m;
  row.a = product.b;
  row.a_row = product.b_row;
  row.transpose_a = !product.transpose_b;
  row.b = product.a;
  row.b_row = product.a_row;
  row.transpose_b = !product.transpose_a;
  row.bias = nullptr;
  row.before_activation = nullptr;
  row.activation = {};
  Product(row, scratch, executor).run();
  if (product.bias != nullptr) {
    for (std::size_t i = 0; i < product.m; ++i) product.c[i] += product.bias[0];
  }
  if (product.before_activation != nullptr) {
    std::copy_n(product.c, product.m, product.before_activation);
  }
  if (product.activation.kind != Activation::linear && is_elementwise(product.activation.kind))
    activation_forward(product.activation, product.c, product.c, 1, product.m, executor);
}

}  // namespace

std::size_t matmul_scratch(std::size_t m, std::size_t n, std::size_t k) {
  if (m == 0) return 0;
  const std::size_t few_columns = n <= kMostFewColumns ? std::max(m * n, (k + 1) * kFewColumns) : 0;
  return std::max(packed_floats(n == 1 ? m : n, k), few_columns);
}

void matmul(const Matmul& product, float* scratch, Executor& executor) {
  if (product.m == 0 || product.n == 0) return;
  const auto few_columns = product.training == nullptr ? nullptr : product.training->matmul_few_columns;
  if (runs_transposed(product)) {
    run_transposed(product, scratch, executor);
  } else if (few_columns != nullptr && few_columns(product, scratch, executor)) {
    // done
  } else {
    Product(product, scratch, executor).run();
  }
  if (!is_elementwise(product.activation.kind)) activate_rows(product, executor);
}

void column_sum(const float* x, std::size_t rows, std::size_t cols, bool accumulate, float* out,
                Executor& executor) {
  const Table& kernels = table();
  constexpr std::size_t kUnit = 64;
  const std::size_t worth = rows * cols / kWorkPerTask;
  const std::size_t tasks =
      executor.threads() == 1
          ? 1
          : std::clamp<std::size_t>(worth, 1,
                                    std::min(4 * executor.threads(), std::max<std::size_t>(1, cols / kUnit)));
  run_tasks(tasks, executor, [&](std::size_t task) {
    const Range range = part_of(cols, kUnit, task, tasks);
    kernels.column_sum(x + range.begin, cols, rows, range.end - range.begin, accumulate, out + range.begin);
  });
}

}  // namespace lamina::kernels
