// What the tests of matrix products share: operands of any shape, and executors to run products on.
#pragma once

#include <cstddef>
#include <vector>

#include "lamina/kernels/matmul.h"
#include "testing.h"

namespace lamina::kernels::testing {

// Runs tasks last to first, claiming `threads`: results must not depend on either.
class BackwardExecutor final : public Executor {
 public:
  explicit BackwardExecutor(std::size_t threads) : threads_(threads) {}
  std::size_t threads() const override { return threads_; }
  void run(std::size_t count, TaskRef task) override {
    while (count > 0) task(--count);
  }

 private:
  std::size_t threads_;
};

struct Matrices {
  Matrices(std::size_t rows, std::size_t inner, std::size_t cols, bool a_transposed, bool b_transposed)
      : m(rows), k(inner), n(cols), transpose_a(a_transposed), transpose_b(b_transposed) {
    Numbers numbers(m * 10000 + n * 100 + k);
    a = Guarded<>(numbers.floats(m * k));
    b = Guarded<>(numbers.floats(k * n));
    bias = Guarded<>(numbers.floats(n));
    start = numbers.floats(m * c_row());
  }
  std::size_t c_row() const { return n + 3; }  // a gap, which must stay as it is
  Matmul product(float* c) const {
    Matmul p;
    p.m = m;
    p.n = n;
    p.k = k;
    p.a = a.data();
    p.a_row = transpose_a ? m : k;
    p.transpose_a = transpose_a;
    p.b = b.data();
    p.b_row = transpose_b ? k : n;
    p.transpose_b = transpose_b;
    p.c = c;
    p.c_row = c_row();
    return p;
  }
  std::size_t m, k, n;
  bool transpose_a, transpose_b;
  Guarded<> a{0}, b{0}, bias{0};
  std::vector<float> start;
};

inline std::vector<float> multiplied(const Matmul& product, std::size_t size, const std::vector<float>& start,
                                     Executor& executor) {
  Guarded<> c(start);
  Guarded<> scratch(matmul_scratch(product.m, product.n, product.k));
  Matmul p = product;
  p.c = c.data();
  matmul(p, scratch.data(), executor);
  CHECK(c.intact());
  CHECK(scratch.intact());
  return {c.data(), c.data() + size};
}

}  // namespace lamina::kernels::testing
