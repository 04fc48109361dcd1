// The table of kernels: signatures and contracts. Each is written once (body/*.inl) and compiled once per ISA
// (isa/*.cpp); dispatch.h picks the table for this CPU.
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

namespace lamina::kernels {

// Elementwise functions of one float, right over the whole float32 range (no NaN or overflow where the true
// value is finite). Bounds in ulp against float64 are stated and tested in tests/cpp/kernels.
enum class Unary : std::uint8_t {
  exp,
  expm1,
  log,
  log1p,
  tanh,
  erf,
  sigmoid,
  softplus,
  sqrt,
  rsqrt,
  square,
  abs
};

// Activations, as Keras 3 defines them. leaky_relu has `alpha` for its negative slope, elu for its scale.
// gelu is the exact one (erf).
enum class Activation : std::uint8_t {
  linear,
  relu,
  relu6,
  leaky_relu,
  elu,
  selu,
  gelu,
  silu,
  sigmoid,
  hard_sigmoid,
  tanh,
  softplus,
  softsign,
  exponential,
  mish,
  softmax,
  log_softmax
};

struct ActivationSpec {
  Activation kind = Activation::linear;
  float alpha = 0.0F;
};

enum class OptimizerKind : std::uint8_t { sgd, rmsprop, adam, adamax, nadam, adagrad, lion };

// One pass of an optimizer over n consecutive parameters w. In this order, for each of them:
//
//   g = gradient * gradient_scale + l1 * sign(w) + 2 * l2 * w
//   g = clamp(g, -clip_value, clip_value)      where clip_value is finite
//   w = w - weight_decay * w                   decoupled: the caller has multiplied in the learning rate
//   w, slots = the rule of the kind, below
//   ema = ema_momentum * ema + (1 - ema_momentum) * w      where ema is not null
//
// The caller computes the constants for the step in float64, the complements 1 - beta too. Numbers below the
// normal range of float32 (1.2e-38) count as 0.
//
// sgd: velocity, null without momentum; c0 = 1 - dampening
//   velocity = beta1 * velocity + c0 * g
//   w -= learning_rate * (nesterov ? beta1 * velocity + c0 * g : velocity), or learning_rate * g without
// rmsprop: velocity; momentum, null without; average, null unless centered
//   velocity = beta2 * velocity + (1 - beta2) * g^2
//   average = beta2 * average + (1 - beta2) * g
//   momentum = beta1 * momentum + learning_rate * g / sqrt(velocity [- average^2] + epsilon)
//   w -= momentum
// adam: m; v; v_hat, null unless amsgrad; c0 = learning_rate * sqrt(1 - beta2^t) / (1 - beta1^t)
//   m += (g - m) * (1 - beta1)
//   v += (g^2 - v) * (1 - beta2)
//   v_hat = max(v_hat, v)
//   w -= c0 * m / (sqrt(v or v_hat) + epsilon)
// adamax: m; u; c0 = learning_rate / (1 - beta1^t)
//   m as adam, u = max(beta2 * u, |g|), w -= c0 * m / (u + epsilon)
// nadam: m; v; c0 and c1 hold the learning rate and the products of momenta, c2 = 1 / (1 - beta2^t)
//   m and v as adam, w -= (c0 * m + c1 * g) / (sqrt(v * c2) + epsilon)
// adagrad: accumulator
//   accumulator += g^2, w -= learning_rate * g / sqrt(accumulator + epsilon)
// lion: m
//   w -= learning_rate * sign(beta1 * m + (1 - beta1) * g), m = beta2 * m + (1 - beta2) * g
struct OptimizerPass {
  float* w;
  const float* gradient;
  float* slots[3];  // in the order above
  float* ema;
  std::size_t n;
  float gradient_scale, l1, l2, clip_value, weight_decay, ema_momentum;
  float learning_rate, beta1, one_minus_beta1, beta2, one_minus_beta2, epsilon, c0, c1, c2;
  bool nesterov;
};

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
  // Or null: what is read after this tile, prefetched meanwhile. It lies in columns of cache lines, each of
  // `ahead_rows` lines `ahead_row` floats apart; cut into pieces of k lines, there are `ahead_stretches`.
  const float* ahead;
  std::size_t ahead_row, ahead_rows, ahead_stretches;
  // Epilogue, run when `last`: c = activation(c + bias), and before_activation (if not null, same layout as
  // c) receives c + bias. Elementwise activations only (not softmax, log_softmax).
  bool last;
  const float* bias;  // n values, or null
  float* before_activation;
  ActivationSpec activation;
  // Or, where not null: c = c * activation'(...), with the activation's output here, laid out as c. For
  // activations whose derivative follows from their output.
  const float* derivative_at;
  // Or, where not null: C is the gradient of parameters that lie like C, and when `last` this optimizer runs
  // on them while the gradient is still in the cache; the pointers of the pass stand at (row 0, col 0) of
  // this tile. Without `accumulate` c is then never written.
  const OptimizerPass* update;
  OptimizerKind update_kind;
};

// Element types that gather reads; the values are those of lamina::DType.
enum class ElementType : std::uint8_t { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f16, f32, f64 };

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
  // out[j] (+)= sum over rows of x[i * row_stride + j], one chain in increasing i, started from 0 or from
  // out.
  void (*column_sum)(const float* x, std::size_t row_stride, std::size_t rows, std::size_t cols,
                     bool accumulate, float* out);

  // ---- elementwise; in place allowed
  void (*map)(Unary function, const float* x, float* y, std::size_t n);
  // softmax and log_softmax excluded: they have kernels of their own below.
  void (*activation_forward)(ActivationSpec spec, const float* x, float* y, std::size_t n);
  // d_x (+)= d_y * f'(...). `saved` is the output y, or for gelu, silu, mish and softsign the input x
  // (needs_input() in kernels/activation.h tells). d_x == d_y allowed when not accumulating.
  void (*activation_backward)(ActivationSpec spec, const float* d_y, const float* saved, float* d_x,
                              std::size_t n, bool accumulate);
  void (*add)(const float* a, const float* b, float* y, std::size_t n);       // y = a + b
  void (*multiply)(const float* a, const float* b, float* y, std::size_t n);  // y = a * b
  // y (+)= scale * x + offset
  void (*affine)(const float* x, float scale, float offset, float* y, std::size_t n, bool accumulate);

  // ---- rows; in place allowed
  // y = softmax or log_softmax of each row; log_sum_exp (if not null) receives log(sum(exp(x))) of each row.
  void (*softmax)(const float* x, float* y, float* log_sum_exp, std::size_t rows, std::size_t cols);
  void (*log_softmax)(const float* x, float* y, std::size_t rows, std::size_t cols);
  // d_x (+)= y * (d_y - sum(d_y * y)); and for log_softmax d_y - exp(y) * sum(d_y).
  void (*softmax_backward)(const float* d_y, const float* y, float* d_x, std::size_t rows, std::size_t cols,
                           bool accumulate);
  void (*log_softmax_backward)(const float* d_y, const float* y, float* d_x, std::size_t rows,
                               std::size_t cols, bool accumulate);

  // ---- reductions, summed in float64 in a fixed order
  double (*sum)(const float* x, std::size_t n);
  double (*sum_abs)(const float* x, std::size_t n);
  double (*sum_squares)(const float* x, std::size_t n);
  double (*dot)(const float* x, const float* y, std::size_t n);
  bool (*all_finite)(const float* x, std::size_t n);

  // ---- data
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
};

// One function an ISA, defined in isa/*.cpp; which of them are built depends on the processor the library is
// for.
const Table* baseline_table();
const Table* avx2_table();
const Table* avx512_table();

}  // namespace lamina::kernels
