// Products of an A with many zeros: the bits are those of the dense product.
#include <cmath>

#include "lamina/core/thread_pool.h"
#include "lamina/kernels/activation.h"
#include "matrices.h"
#include "testing.h"

namespace lamina::kernels::testing {
namespace {

// Zeros as data have them.
enum class Zeros { scattered, borders, one_hot, everywhere, nowhere };

void put_zeros(Matrices& x, Zeros zeros) {
  Numbers numbers(x.m + x.k);
  for (std::size_t i = 0; i < x.m; ++i) {
    const std::size_t hot = numbers.next() % x.k;
    for (std::size_t p = 0; p < x.k; ++p) {
      float& element = x.a[x.transpose_a ? p * x.m + i : i * x.k + p];
      const std::size_t draw = numbers.next() % 8;
      const bool zero = zeros == Zeros::everywhere || (zeros == Zeros::scattered && draw < 6) ||
                        (zeros == Zeros::borders && (p % 16 < 5 || (p + i) % 16 > 12)) ||
                        (zeros == Zeros::one_hot && p != hot);
      if (zero) element = draw == 0 ? -0.0F : 0.0F;
    }
  }
}

const std::vector<Zeros>& kinds_of_zeros() {
  static const std::vector<Zeros> kinds = {Zeros::scattered, Zeros::borders, Zeros::one_hot,
                                           Zeros::everywhere, Zeros::nowhere};
  return kinds;
}

MatmulTile tile_of(const Matrices& x, const Table& table, float* c, bool accumulate) {
  MatmulTile tile = {};
  tile.a = x.a.data();
  tile.a_row = x.transpose_a ? 1 : x.k;
  tile.a_col = x.transpose_a ? x.m : 1;
  tile.packed_b = x.b.data();
  tile.unpacked_b_row = x.n;
  tile.c = c;
  tile.c_row = x.c_row();
  tile.m = x.m;
  tile.n = x.n;
  tile.k = x.k;
  tile.accumulate = accumulate;
  tile.last = true;
  tile.finish_rows = table.finish_rows;
  return tile;
}

TEST_CASE("tiles of every table that skip zeros have the bits of dense ones") {
  for (const auto& [table, training] : all_kernels()) {
    const char* const isa = table->name;
    for (std::size_t m : {1U, 3U, 4U, 17U, 66U}) {
      for (std::size_t n : {1U, 17U, 64U, 131U}) {
        for (std::size_t k : {2U, 63U, 130U, 1041U}) {
          for (const bool transposed : {false, true}) {
            for (const Zeros zeros : kinds_of_zeros()) {
              Matrices x(m, k, n, transposed, false);
              put_zeros(x, zeros);
              const bool accumulate = (m + n + k) % 2 == 0;
              Guarded<> want(x.start);
              Guarded<> got(x.start);
              table->matmul_tile(tile_of(x, *table, want.data(), accumulate));
              training->matmul_tile_skipping_zeros(tile_of(x, *table, got.data(), accumulate));
              INFO(isa << " " << m << "x" << k << "x" << n << " zeros " << static_cast<int>(zeros));
              REQUIRE(same_bits(got.data(), want.data(), got.size()));
              REQUIRE(got.intact());
            }
          }
        }
      }
    }
  }
}

TEST_CASE("NaN and infinity in A are never skipped") {
  for (const auto& [table, training] : all_kernels()) {
    for (const bool transposed : {false, true}) {
      for (const float hostile : {kNan, kInf, -kInf, 1e-40F}) {
        Matrices x(20, 100, 70, transposed, false);
        put_zeros(x, Zeros::everywhere);
        x.a[transposed ? 31 * x.m + 5 : 5 * x.k + 31] = hostile;
        Guarded<> want(x.start);
        Guarded<> got(x.start);
        table->matmul_tile(tile_of(x, *table, want.data(), false));
        training->matmul_tile_skipping_zeros(tile_of(x, *table, got.data(), false));
        for (std::size_t at = 0; at < got.size(); ++at) {
          REQUIRE((same_bits(&got[at], &want[at], 1) || (std::isnan(got[at]) && std::isnan(want[at]))));
        }
      }
    }
  }
}

TEST_CASE("zeros are skipped where enough of them lie together") {
  for (const auto& [table, training] : all_kernels()) {
    const auto skips = [&, kernels = training](const Matrices& x) {
      return kernels->has_skippable_zeros(x.a.data(), x.transpose_a ? 1 : x.k, x.transpose_a ? x.m : 1, x.m,
                                          x.k);
    };
    for (const bool transposed : {false, true}) {
      for (const Zeros zeros : kinds_of_zeros()) {
        Matrices x(64, 100, 1, transposed, false);
        put_zeros(x, zeros);
        CHECK(skips(x) == (zeros != Zeros::nowhere));
      }
      Matrices x(64, 100, 1, transposed, false);  // every other one: never four together
      for (std::size_t i = 0; i < x.m * x.k; ++i) {
        if ((i / (transposed ? x.m : x.k) + i % (transposed ? x.m : x.k)) % 2 == 0) x.a[i] = 0.0F;
      }
      CHECK_FALSE(skips(x));
    }
  }
}

TEST_CASE("a product may skip zeros, on any number of threads, with any epilogue") {
  BackwardExecutor three(3);
  for (const bool transposed : {false, true}) {
    for (const std::size_t n : {64U, 230U}) {
      Matrices x(150, 300, n, transposed, false);
      put_zeros(x, Zeros::borders);
      REQUIRE(training_table().has_skippable_zeros(x.a.data(), transposed ? 1 : x.k, transposed ? x.m : 1,
                                                   x.m, x.k));
      for (const Activation kind :
           {Activation::linear, Activation::relu, Activation::gelu, Activation::softmax}) {
        Guarded<> before(x.start);
        Guarded<> before_dense(x.start);
        Matmul p = x.product(nullptr);
        p.bias = x.bias.data();
        p.activation = with_default_alpha(kind);
        p.before_activation = before_dense.data();
        const std::vector<float> want = multiplied(p, x.start.size(), x.start, serial_executor());
        p.before_activation = before.data();
        p.training = &training_table();
        p.skips_zeros = true;
        for (Executor* executor : {&serial_executor(), static_cast<Executor*>(&three), &thread_pool()}) {
          const std::vector<float> got = multiplied(p, x.start.size(), x.start, *executor);
          CHECK(same_bits(got.data(), want.data(), want.size()));
          CHECK(same_bits(before.data(), before_dense.data(), before.size()));
        }
      }
    }
  }
}

// The parameters and slots after an update, and the gap between rows.
struct Moved {
  std::vector<float> w, velocity, second;
  bool operator==(const Moved&) const = default;
};

Moved moved(const Matrices& x, bool skips, OptimizerKind kind, Executor& executor) {
  Guarded<> w(x.start);
  Guarded<> velocity(x.start.size(), 0.0F);
  Guarded<> second(x.start.size(), 0.0F);
  OptimizerPass pass = {};
  pass.w = w.data();
  pass.slots[0] = kind == OptimizerKind::sgd ? nullptr : velocity.data();
  pass.slots[1] = kind == OptimizerKind::adam ? second.data() : nullptr;
  pass.gradient_scale = 1.0F;
  pass.clip_value = kInf;
  pass.learning_rate = 0.01F;
  pass.beta1 = 0.9F;
  pass.one_minus_beta1 = 0.1F;
  pass.beta2 = 0.99F;
  pass.one_minus_beta2 = 0.01F;
  pass.epsilon = 1e-7F;
  pass.c0 = pass.c1 = pass.c2 = 1.0F;
  Matmul p = x.product(nullptr);
  p.update = &pass;
  p.update_kind = kind;
  p.training = &training_table();
  p.skips_zeros = skips;
  multiplied(p, x.start.size(), x.start, executor);
  CHECK((w.intact() && velocity.intact() && second.intact()));
  const auto copy = [](const Guarded<>& values) {
    return std::vector<float>(values.data(), values.data() + values.size());
  };
  return {copy(w), copy(velocity), copy(second)};
}

TEST_CASE("an optimizer follows a product that skips zeros") {
  BackwardExecutor three(3);
  for (const std::size_t n : {70U, 530U}) {  // more columns than a band of the gradient has
    for (const std::size_t m : {100U, 147U}) {
      Matrices x(m, 300, n, true, false);
      put_zeros(x, Zeros::borders);
      for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::rmsprop, OptimizerKind::adam}) {
        const Moved want = moved(x, false, kind, serial_executor());
        CHECK(moved(x, true, kind, serial_executor()) == want);
        CHECK(moved(x, true, kind, three) == want);
        CHECK(moved(x, true, kind, thread_pool()) == want);
      }
    }
  }
}

}  // namespace
}  // namespace lamina::kernels::testing
