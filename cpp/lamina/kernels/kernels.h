// The tables of kernels: signatures and contracts. Each is written once (body/*.inl) and compiled once per
// ISA (isa/*.cpp); dispatch.h picks the tables for this CPU.
//
// There are two, so that a program which only predicts links only what prediction needs: `Table` for that,
// `TrainingTable` for all the rest. What runs in both reaches the second one by a pointer that whoever trains
// hands down (ForwardContext, BackwardContext, Matmul), never by dispatch.h.
//
// This header is plain: the ISA files include it, and must not include anything that defines inline
// functions, so that code compiled for a newer CPU never becomes the linker's pick for an older one.
//
// Contracts that hold for every kernel:
// - Pointers are to float32 unless typed otherwise and need no alignment. Outputs don't overlap inputs,
// except where a
//   kernel says "in place allowed" (then output == input exactly).
// - Nothing allocates, throws or keeps state. Any count may be 0.
// - The order in which a sum is taken depends on its length and the ISA only; see each reduction.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lamina/core/operations.h"

namespace lamina {
class Executor;
}

namespace lamina::kernels {

struct Matmul;

// Matrix product C = A B (+ C) for one tile of rows and columns of C.
//
// op(A) is m x k: element (i, p) at a[i * a_row + p * a_col]. B is packed by pack_b. Each element of C is one
// chain of multiply-adds in increasing p (fused where the ISA has FMA), started from 0, or from C when
// accumulate: its bits don't depend on tiling, on blocking of k or on the other rows.
struct MatmulTile {
  const float* a;
  std::size_t a_row, a_col;
  const float* packed_b;  // columns col_begin.. of B, from p = 0, packed by pack_b
  float* c;               // (row 0, col 0) of this tile
  std::size_t c_row;      // distance of rows of C
  std::size_t m, n, k;
  bool accumulate;
  // 0, or: B isn't packed but row-major, with this distance of rows, and packed_b is its element (0, 0). For
  // small m, where packing costs more than it saves; the bits are the same.
  std::size_t unpacked_b_row;
  // What is read after this tile, prefetched meanwhile: `ahead_rows` rows of `ahead_floats`, `ahead_row`
  // apart; or null. Not with `update`, which prefetches the parameters.
  const float* ahead;
  std::size_t ahead_row, ahead_rows, ahead_floats;
  // Epilogue, run when `last`: c = activation(c + bias), and before_activation (if not null, same layout as
  // c) receives c + bias. Elementwise activations only (not softmax, log_softmax).
  bool last;
  const float* bias;  // n values, or null
  float* before_activation;
  ActivationSpec activation;
  // Or, where not null: c = c * activation'(...), with the activation's output here, laid out as c. For
  // activations whose derivative follows from their output; the kernel of this name.
  const float* derivative_at;
  void (*activation_backward)(ActivationSpec spec, const float* d_y, const float* saved, float* d_x,
                              std::size_t n, bool accumulate);
  // Or, where not null: C is the gradient of parameters that lie like C, and when `last` this optimizer runs
  // on them while the gradient is still in the cache; the pointers of the pass stand at (row 0, col 0) of
  // this tile. Without `accumulate` c is then never written. `optimizer` is the kernel of this name.
  const OptimizerPass* update;
  OptimizerKind update_kind;
  bool shares_weights;  // other threads read them, in other products
  void (*optimizer)(OptimizerKind kind, const OptimizerPass& pass);
  // The kernel of this name, for matmul_tile_skipping_zeros.
  void (*finish_rows)(const MatmulTile& tile, std::size_t begin, std::size_t rows, float* c,
                      std::size_t c_row);
};

// Element types that gather reads; the values are those of lamina::DType.
enum class ElementType : std::uint8_t { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f16, f32, f64 };

// What prediction needs, and what is small.
struct Table {
  const char* name;       // "baseline", "avx2", "avx512"
  std::size_t tile_rows;  // micro-tile of matmul: rows ...
  std::size_t tile_cols;  // ... and columns: the panel width of pack_b

  // ---- matrix product
  // Packs k x n of B (element (p, j) at b[p * b_row + j * b_col]) into panels of tile_cols columns: panel j0
  // holds k rows of tile_cols floats, columns beyond n zero. Writes k * round_up(n, tile_cols) floats.
  void (*pack_b)(const float* b, std::size_t b_row, std::size_t b_col, std::size_t k, std::size_t n,
                 float* packed);
  void (*matmul_tile)(const MatmulTile& tile);
  // What follows the last step of k, for rows [begin, begin + rows) of a tile, which have been computed into
  // c: the optimizer or the epilogue (then c is those rows of tile.c).
  void (*finish_rows)(const MatmulTile& tile, std::size_t begin, std::size_t rows, float* c,
                      std::size_t c_row);
  // out[j] (+)= sum over rows of x[i * row_stride + j], one chain in increasing i, started from 0 or from
  // out.
  void (*column_sum)(const float* x, std::size_t row_stride, std::size_t rows, std::size_t cols,
                     bool accumulate, float* out);

  // ---- elementwise; in place allowed
  // softmax and log_softmax excluded: they have kernels of their own below.
  void (*activation_forward)(ActivationSpec spec, const float* x, float* y, std::size_t n);
  void (*add)(const float* a, const float* b, float* y, std::size_t n);       // y = a + b
  void (*multiply)(const float* a, const float* b, float* y, std::size_t n);  // y = a * b
  // y (+)= scale * x + offset
  void (*affine)(const float* x, float scale, float offset, float* y, std::size_t n, bool accumulate);

  // ---- rows; in place allowed
  // y = softmax or log_softmax of each row.
  void (*softmax)(const float* x, float* y, std::size_t rows, std::size_t cols);
  void (*log_softmax)(const float* x, float* y, std::size_t rows, std::size_t cols);

  // ---- reductions, summed in float64 in a fixed order
  double (*sum)(const float* x, std::size_t n);
  double (*sum_abs)(const float* x, std::size_t n);
  double (*sum_squares)(const float* x, std::size_t n);
  double (*dot)(const float* x, const float* y, std::size_t n);
};

// What training, the caller's data and formulas (tensor.h) need beside it.
struct TrainingTable {
  const char* name;  // as that of the Table for the same instruction set

  // ---- elementwise; in place allowed
  void (*map)(Unary function, const float* x, float* y, std::size_t n);
  void (*combine)(Binary function, const float* a, const float* b, float* y, std::size_t n);
  // y = function(x, value), or function(value, x) where value_first
  void (*combine_scalar)(Binary function, const float* x, float value, bool value_first, float* y,
                         std::size_t n);
  // The largest or smallest of n >= 1 values; NaN where one of them is.
  float (*extreme)(const float* x, std::size_t n, bool largest);
  // d_x (+)= d_y * f'(...). `saved` is the output y, or for gelu, silu, mish and softsign the input x
  // (needs_input() in kernels/activation.h tells). d_x == d_y allowed when not accumulating.
  void (*activation_backward)(ActivationSpec spec, const float* d_y, const float* saved, float* d_x,
                              std::size_t n, bool accumulate);

  // ---- rows; in place allowed
  // y = softmax of each row; and for each row its largest x, and the sum of exp(x - largest) over all columns
  // but one that is the largest.
  void (*softmax_sums)(const float* x, float* y, std::size_t rows, std::size_t cols, float* largest,
                       float* others);
  // d_x (+)= y * (d_y - sum(d_y * y)); and for log_softmax d_y - exp(y) * sum(d_y).
  void (*softmax_backward)(const float* d_y, const float* y, float* d_x, std::size_t rows, std::size_t cols,
                           bool accumulate);
  void (*log_softmax_backward)(const float* d_y, const float* y, float* d_x, std::size_t rows,
                               std::size_t cols, bool accumulate);

  // ---- data
  bool (*all_finite)(const float* x, std::size_t n);
  // y[i] = float(x[i]): n contiguous elements of any type, rounded to nearest even; out of range becomes
  // infinity.
  void (*convert)(ElementType type, const void* x, float* y, std::size_t n);

  // ---- random (Philox4x32-10)
  // Element e of a stream of key `key` (low word first) takes word (e % 64) / 16 of the block whose 64-bit
  // counter is 16 * (e / 64) + e % 16 (low word first; the upper two words of the counter are 0). `first` is
  // the index of x[0] in the stream and a multiple of 64, so that threads can share one stream.
  // y (+)= word >= threshold ? scale * x : 0
  void (*dropout)(const float* x, float* y, std::size_t n, std::uint64_t key, std::uint64_t first,
                  std::uint32_t threshold, float scale, bool accumulate);
  void (*random_words)(std::uint32_t* y, std::size_t n, std::uint64_t key, std::uint64_t first);

  // ---- optimizers and regularizers
  void (*optimizer)(OptimizerKind kind, const OptimizerPass& pass);
  // g = g * scale + l1 * sign(w) + 2 * l2 * w
  void (*regularize)(const float* w, float* g, std::size_t n, float scale, float l1, float l2);

  // ---- float64; sums are taken in an order that depends on n and the ISA only
  double (*dot_float64)(const double* x, const double* y, std::size_t n);
  // out[i] = dot product of x and vectors[i], for `count` of them.
  void (*dots_float64)(const double* x, const float* const* vectors, std::size_t count, std::size_t n,
                       double* out);
  // y = scale * x + sum over i of weights[i] * vectors[i], for `count` of them.
  void (*combine_float64)(double scale, const double* x, const float* const* vectors, const double* weights,
                          std::size_t count, std::size_t n, double* y);

  // ---- matrix product with 4 columns or fewer
  // c = A B + bias, with the bits of matmul_tile. A is rows x k, a_row floats from one row to the next; b is
  // k x 4, with zeros beyond the n columns, and bias has 4 values, or is null; c is rows x n, dense.
  void (*few_columns)(const float* a, std::size_t a_row, std::size_t rows, std::size_t k, const float* b,
                      const float* bias, std::size_t n, float* c);
  // The function of this name, which is the same for every ISA (few_columns.h); set by training_table().
  bool (*matmul_few_columns)(const Matmul& product, float* scratch, Executor& executor);

  // ---- matrix product of an A with many zeros
  // Whether leaving out steps of k would pay for this A: rows x depth, element (i, p) at a[i * a_row + p *
  // a_col]; at least 4 rows.
  bool (*has_skippable_zeros)(const float* a, std::size_t a_row, std::size_t a_col, std::size_t rows,
                              std::size_t depth);
  // As matmul_tile, with B in place, and with `finish`.
  void (*matmul_tile_skipping_zeros)(const MatmulTile& tile);
};

// Two functions an ISA, defined in isa/*.cpp; which of them are built depends on the processor the library is
// for.
const Table* baseline_table();
const Table* avx2_table();
const Table* avx512_table();
const TrainingTable* baseline_training_table();
const TrainingTable* avx2_training_table();
const TrainingTable* avx512_training_table();

}  // namespace lamina::kernels
