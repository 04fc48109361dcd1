// Matrix products: values against float64, and bits against one multiply-add chain an element.
#include "lamina/kernels/matmul.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "lamina/kernels/activation.h"
#include "matrices.h"
#include "testing.h"

namespace lamina::kernels::testing {
namespace {

bool is_fused(const Table& table) {
#if defined(__aarch64__)
  return true;
#else
  return std::string(table.name) != "baseline";
#endif
}

// The chain that kernels.h promises.
float chain(const Table& table, const float* a, std::size_t a_col, const float* b, std::size_t b_row,
            std::size_t k, float start) {
  const bool fused = is_fused(table);
  float sum = start;
  for (std::size_t p = 0; p < k; ++p) {
    if (fused) {
      sum = std::fma(a[p * a_col], b[p * b_row], sum);
    } else {
      const volatile float product = a[p * a_col] * b[p * b_row];
      sum = sum + product;
    }
  }
  return sum;
}

float chain_at(const Table& table, const Matrices& x, std::size_t i, std::size_t j, float from) {
  return chain(table, x.a.data() + i * (x.transpose_a ? 1 : x.k), x.transpose_a ? x.m : 1,
               x.b.data() + j * (x.transpose_b ? x.k : 1), x.transpose_b ? 1 : x.n, x.k, from);
}

// Elements of C are chains, and what lies between its rows stays.
void check_chains(const Matrices& x) {
  const Table& kernels = table();
  for (bool accumulate : {false, true}) {
    Matmul p = x.product(nullptr);
    p.accumulate = accumulate;
    BackwardExecutor three(3);
    const std::vector<float> c = multiplied(p, x.start.size(), x.start, serial_executor());
    const std::vector<float> threaded = multiplied(p, x.start.size(), x.start, three);
    const std::vector<float> pooled = multiplied(p, x.start.size(), x.start, thread_pool());
    CHECK(same_bits(c.data(), threaded.data(), c.size()));
    CHECK(same_bits(c.data(), pooled.data(), c.size()));
    for (std::size_t i = 0; i < x.m; ++i) {
      for (std::size_t j = 0; j < x.c_row(); ++j) {
        const std::size_t at = i * x.c_row() + j;
        const float from = accumulate ? x.start[at] : 0.0F;
        const float want = j < x.n ? chain_at(kernels, x, i, j, from) : x.start[at];
        INFO(x.m << "x" << x.k << "x" << x.n << " row " << i << " column " << j);
        REQUIRE(same_bits(&c[at], &want, 1));
      }
    }
  }
}

// Where C has few columns, they change places with rows, or share vectors.
TEST_CASE("products of few columns are the same chains") {
  BackwardExecutor three(3);
  for (std::size_t m : {32U, 47U, 100U, 1001U}) {
    for (std::size_t n : {1U, 2U, 3U, 4U, 5U, 10U, 12U, 13U}) {
      for (std::size_t k : {1U, 15U, 16U, 18U, 61U, 300U}) {
        for (int transposed = 0; transposed < 4; ++transposed) {
          const Matrices x(m, k, n, (transposed & 1) != 0, (transposed & 2) != 0);
          const std::vector<float> start(x.start.begin(),
                                         x.start.begin() + static_cast<std::ptrdiff_t>(m * n));
          for (const bool accumulate : {false, true}) {
            for (const bool finishes : {false, true}) {
              Matmul p = x.product(nullptr);
              p.c_row = n;  // dense
              p.accumulate = accumulate;
              p.training = &training_table();
              if (finishes) {
                p.bias = x.bias.data();
                p.activation = {Activation::relu, 0};
              }
              const std::vector<float> c = multiplied(p, m * n, start, serial_executor());
              const std::vector<float> threaded = multiplied(p, m * n, start, three);
              REQUIRE(same_bits(c.data(), threaded.data(), c.size()));
              std::vector<float> want(m * n);
              for (std::size_t at = 0; at < m * n; ++at) {
                want[at] = chain_at(table(), x, at / n, at % n, accumulate ? start[at] : 0.0F);
                if (finishes) want[at] = std::max(want[at] + x.bias.data()[at % n], 0.0F);
              }
              INFO(m << "x" << k << "x" << n << " transposed " << transposed);
              REQUIRE(same_bits(c.data(), want.data(), c.size()));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("each element of a product is one multiply-add chain in increasing k") {
  for (std::size_t m : {1U, 2U, 3U, 4U, 5U, 13U, 15U, 29U}) {
    for (std::size_t n : {1U, 3U, 8U, 17U, 33U, 70U, 301U}) {
      for (std::size_t k : {0U, 1U, 5U, 64U}) {
        for (int transposed = 0; transposed < 4; ++transposed) {
          check_chains({m, k, n, (transposed & 1) != 0, (transposed & 2) != 0});
        }
      }
    }
  }
}

TEST_CASE("products larger than a block are still single chains") {
  check_chains({3, 1100, 40, false, true});
  check_chains({2, 1100, 600, false, false});
  check_chains({31, 515, 530, true, false});
  check_chains({300, 70, 37, false, false});
  check_chains({40, 300, 1030, false, true});
  check_chains({33, 460, 470, false, false});
  check_chains({20, 500, 205, false, false});
  check_chains({50, 1030, 530, false, false});  // with the next block prefetched
  check_chains({50, 1030, 530, false, true});
  check_chains({1130, 460, 35, false, false});  // in two chunks of rows
}

TEST_CASE("products that read B as a stream are still single chains") {
  check_chains({1, 515, 530, false, false});
  check_chains({1, 1026, 257, true, false});
  check_chains({2, 2050, 2049, false, false});
}

TEST_CASE("a row has the same bits alone and in a batch") {
  const Matrices x(37, 129, 45, false, false);
  const std::vector<float> zeros(x.m * x.c_row());
  const std::vector<float> all = multiplied(x.product(nullptr), zeros.size(), zeros, serial_executor());
  for (std::size_t i = 0; i < x.m; ++i) {
    Matmul p = x.product(nullptr);
    p.m = 1;
    p.a += i * x.k;
    const std::vector<float> row = multiplied(p, x.n, std::vector<float>(x.c_row()), serial_executor());
    CHECK(same_bits(row.data(), &all[i * x.c_row()], x.n));
  }
}

void check_epilogue(std::size_t m, std::size_t k, std::size_t n, Activation kind) {
  const Matrices x(m, k, n, false, false);
  const std::size_t size = m * x.c_row();
  const std::vector<float> plain = multiplied(x.product(nullptr), size, x.start, serial_executor());
  Guarded<> before(x.start);
  Matmul p = x.product(nullptr);
  p.bias = x.bias.data();
  p.before_activation = before.data();
  p.activation = with_default_alpha(kind);
  const std::vector<float> c = multiplied(p, size, x.start, serial_executor());
  CHECK(before.intact());
  for (std::size_t i = 0; i < m; ++i) {
    std::vector<float> row(n);
    for (std::size_t j = 0; j < n; ++j) row[j] = plain[i * x.c_row() + j] + x.bias[j];
    CHECK(same_bits(row.data(), &before[i * x.c_row()], n));
    activation_forward(p.activation, row.data(), row.data(), 1, n, serial_executor());
    CHECK(same_bits(row.data(), &c[i * x.c_row()], n));
    for (std::size_t j = n; j < x.c_row(); ++j)
      CHECK(before[i * x.c_row() + j] == x.start[i * x.c_row() + j]);
  }
}

TEST_CASE("bias and activation follow the product") {
  for (Activation kind : {Activation::linear, Activation::relu, Activation::gelu, Activation::softmax,
                          Activation::log_softmax}) {
    check_epilogue(1, 7, 10, kind);
    check_epilogue(3, 600, 33, kind);
    check_epilogue(20, 600, 530, kind);
    check_epilogue(11, 401, 300, kind);
    check_epilogue(1, 520, 513, kind);
    check_epilogue(2, 2049, 2050, kind);
    check_epilogue(5, 0, 4, kind);
  }
}

// The epilogues that run while C is in registers, of tiles of all sizes. With `hostile`, rows of A hold what
// no training should bring forth.
void check_in_registers(std::size_t m, std::size_t k, std::size_t n, bool hostile) {
  Matrices x(m, k, n, false, false);
  if (hostile && k > 0) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const float values[] = {
        std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity, 3e38F, 1e-40F, -0.0F};
    for (std::size_t i = 0; i < m; ++i) x.a[i * k + (i * 7 + k - 1) % k] = values[i % 6];
  }
  const std::size_t size = x.start.size();
  const Guarded<> output(Numbers(m + n).floats(size));
  const std::vector<float> plain = multiplied(x.product(nullptr), size, x.start, serial_executor());
  const auto check = [&](const Matmul& p, const std::vector<float>& want) {
    const std::vector<float> c = multiplied(p, size, x.start, serial_executor());
    for (std::size_t at = 0; at < size; ++at) {
      INFO(m << "x" << k << "x" << n << " at " << at);
      REQUIRE((same_bits(&c[at], &want[at], 1) || (std::isnan(c[at]) && std::isnan(want[at]))));
    }
  };
  for (const Activation kind : {Activation::linear, Activation::relu}) {
    for (const bool biased : {false, true}) {
      Matmul p = x.product(nullptr);
      p.bias = biased ? x.bias.data() : nullptr;
      p.activation = with_default_alpha(kind);
      std::vector<float> want = plain;
      for (std::size_t i = 0; i < m; ++i) {
        float* const row = want.data() + i * x.c_row();
        for (std::size_t j = 0; biased && j < n; ++j) row[j] += x.bias[j];
        activation_forward(p.activation, row, row, 1, n, serial_executor());
      }
      check(p, want);
    }
  }
  Matmul p = x.product(nullptr);
  p.activation = with_default_alpha(Activation::relu);
  p.derivative_at = output.data();
  p.training = &training_table();
  std::vector<float> want = plain;
  for (std::size_t i = 0; i < m; ++i) {
    float* const row = want.data() + i * x.c_row();
    training_table().activation_backward(p.activation, row, output.data() + i * x.c_row(), row, n, false);
  }
  check(p, want);
}

TEST_CASE("bias, relu and its derivative in registers have the bits of passes of their own") {
  for (std::size_t m : {1U, 4U, 6U, 7U, 8U, 13U, 14U, 15U, 29U}) {
    for (std::size_t n : {1U, 15U, 16U, 17U, 31U, 32U, 33U, 70U}) {
      for (std::size_t k : {0U, 1U, 2U, 64U}) {
        check_in_registers(m, k, n, false);
        check_in_registers(m, k, n, true);
      }
    }
  }
}

TEST_CASE("the derivative of an activation follows the product, as in a pass of its own") {
  for (const Activation kind : {Activation::relu, Activation::sigmoid, Activation::tanh, Activation::elu}) {
    for (const bool transposed : {false, true}) {
      for (const std::size_t m : {2U, 33U, 150U}) {
        const Matrices x{m, 300, 37, false, transposed};
        const ActivationSpec activation = with_default_alpha(kind);
        const Guarded<> output(Numbers(m).floats(x.start.size()));
        Matmul p = x.product(nullptr);
        std::vector<float> want = multiplied(p, x.start.size(), x.start, serial_executor());
        for (std::size_t i = 0; i < m; ++i) {
          float* const row = want.data() + i * x.c_row();
          training_table().activation_backward(activation, row, output.data() + i * x.c_row(), row, x.n,
                                               false);
        }
        p.activation = activation;
        p.derivative_at = output.data();
        p.training = &training_table();
        BackwardExecutor three(3);
        const std::vector<float> c = multiplied(p, x.start.size(), x.start, serial_executor());
        CHECK(same_bits(c.data(), want.data(), want.size()));
        CHECK(same_bits(multiplied(p, x.start.size(), x.start, three).data(), want.data(), want.size()));
      }
    }
  }
}

TEST_CASE("tiles of every table agree with float64, packed and in place") {
  for (const Table* table : available_tables()) {
    for (std::size_t m : {1U, 2U, 6U, 7U, 14U, 17U}) {
      for (std::size_t n : {1U, 15U, 16U, 31U, 32U, 33U, 100U}) {
        const std::size_t k = 37;
        const Matrices x(m, k, n, false, false);
        Guarded<> packed(k * ((n + table->tile_cols - 1) / table->tile_cols * table->tile_cols), 9.0F);
        table->pack_b(x.b.data(), n, 1, k, n, packed.data());
        CHECK(packed.intact());
        Guarded<> c(x.start);
        Guarded<> direct(x.start);
        MatmulTile tile = {};
        tile.a = x.a.data();
        tile.a_row = k;
        tile.a_col = 1;
        tile.packed_b = packed.data();
        tile.c = c.data();
        tile.c_row = x.c_row();
        tile.m = m;
        tile.n = n;
        tile.k = k;
        tile.last = true;
        table->matmul_tile(tile);
        tile.packed_b = x.b.data();
        tile.unpacked_b_row = n;
        tile.c = direct.data();
        table->matmul_tile(tile);
        CHECK((c.intact() && direct.intact()));
        CHECK(same_bits(c.data(), direct.data(), c.size()));
        for (std::size_t i = 0; i < m; ++i) {
          for (std::size_t j = 0; j < n; ++j) {
            double want = 0;
            double size = 0;
            for (std::size_t p = 0; p < k; ++p) {
              const double term = static_cast<double>(x.a[i * k + p]) * static_cast<double>(x.b[p * n + j]);
              want += term;
              size += std::abs(term);
            }
            // k products and k sums, each rounded relative to a partial sum of at most `size`.
            REQUIRE(distance(c[i * x.c_row() + j], want) <= 2 * static_cast<double>(k) * 0x1p-24 * size);
          }
        }
      }
    }
  }
}

TEST_CASE("pack_b lays out panels, whatever the strides, with zeros beyond the last column") {
  for (const Table* table : available_tables()) {
    const std::size_t width = table->tile_cols;
    for (std::size_t n : {std::size_t{1}, width - 1, width, width + 1, 2 * width + 5}) {
      for (std::size_t k : {0U, 1U, 3U, 4U, 9U}) {
        Numbers numbers(n + k);
        const std::vector<float> b = numbers.floats(3 * n * k + 3);
        for (int layout = 0; layout < 3; ++layout) {
          const std::size_t row = layout == 0 ? n : (layout == 1 ? 1 : 3 * n);
          const std::size_t col = layout == 0 ? 1 : (layout == 1 ? k : 3);
          const std::size_t panels = (n + width - 1) / width;
          Guarded<> packed(panels * width * k, 9.0F);
          table->pack_b(b.data(), row, col, k, n, packed.data());
          CHECK(packed.intact());
          for (std::size_t j = 0; j < panels * width; ++j) {
            for (std::size_t p = 0; p < k; ++p) {
              const float want = j < n ? b[p * row + j * col] : 0.0F;
              REQUIRE(packed[j / width * width * k + p * width + j % width] == want);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("column sums are chains in increasing row") {
  Numbers numbers(9);
  for (std::size_t rows : {0U, 1U, 2U, 100U}) {
    for (std::size_t cols : sizes()) {
      const std::vector<float> x = numbers.floats(rows * cols);
      for (bool accumulate : {false, true}) {
        std::vector<float> want(cols, accumulate ? 0.25F : 0.0F);
        for (std::size_t i = 0; i < rows * cols; ++i) want[i % cols] += x[i];
        for (const Table* table : available_tables()) {
          Guarded<> out(cols, 0.25F);
          table->column_sum(x.data(), cols, rows, cols, accumulate, out.data());
          CHECK(same_bits(out.data(), want.data(), cols));
          CHECK(out.intact());
        }
        BackwardExecutor three(3);
        Guarded<> out(cols, 0.25F);
        column_sum(x.data(), rows, cols, accumulate, out.data(), three);
        CHECK(same_bits(out.data(), want.data(), cols));
      }
    }
  }
  const std::vector<float> x = numbers.floats(3001 * 1027);
  std::vector<float> serial(1027);
  std::vector<float> pooled(1027);
  column_sum(x.data(), 3001, 1027, false, serial.data(), serial_executor());
  column_sum(x.data(), 3001, 1027, false, pooled.data(), thread_pool());
  CHECK(same_bits(serial.data(), pooled.data(), 1027));
}

}  // namespace
}  // namespace lamina::kernels::testing
