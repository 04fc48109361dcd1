// The kernels alone, on the ISA that LAMINA_ISA names or the CPU's best, on one thread:
//   lamina_bench_kernels --benchmark_filter=matmul
// Counters: GFLOP/s of products, and GB/s of what elementwise passes read and write.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lamina/core/tensor.h"
#include "lamina/core/thread_pool.h"
#include "lamina/kernels/dispatch.h"
#include "lamina/kernels/matmul.h"

namespace {

using benchmark::Counter;
using lamina::Buffer;
using lamina::kernels::table;

// Numbers in (-1, 1), the same every time.
Buffer numbers(std::size_t count) {
  Buffer buffer(count);
  std::uint32_t state = 1;
  for (float& value : buffer.span()) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 8) * 0x1p-23F - 1.0F;
  }
  return buffer;
}

std::size_t extent(const benchmark::State& state, std::size_t index) {
  return static_cast<std::size_t>(state.range(index));
}

void count_rate(benchmark::State& state, const char* name, double each) {
  state.counters[name] = Counter(each * 1e-9, Counter::kIsIterationInvariantRate);
  state.SetLabel(table().name);
}

// ---- products of a dense layer: batch m, inputs k, outputs n

enum class Pass { forward, kernel_gradient, input_gradient };

// forward: y = relu(x w + b); kernel gradient: dw = x^T dy; input gradient: dx = dy w^T.
void matmul(benchmark::State& state, Pass pass) {
  const std::size_t batch = extent(state, 0), inputs = extent(state, 1), units = extent(state, 2);
  const Buffer x = numbers(batch * inputs), w = numbers(inputs * units), d_y = numbers(batch * units);
  const Buffer bias = numbers(units);
  Buffer out(pass == Pass::forward          ? batch * units
             : pass == Pass::input_gradient ? batch * inputs
                                            : inputs * units);
  lamina::kernels::Matmul product;
  if (pass == Pass::forward) {
    product.m = batch, product.n = units, product.k = inputs;
    product.a = x.data(), product.a_row = inputs;
    product.b = w.data(), product.b_row = units;
    product.bias = bias.data();
    product.activation.kind = lamina::kernels::Activation::relu;
  } else if (pass == Pass::kernel_gradient) {
    product.m = inputs, product.n = units, product.k = batch;
    product.a = x.data(), product.a_row = inputs, product.transpose_a = true;
    product.b = d_y.data(), product.b_row = units;
  } else {
    product.m = batch, product.n = inputs, product.k = units;
    product.a = d_y.data(), product.a_row = units;
    product.b = w.data(), product.b_row = units, product.transpose_b = true;
  }
  product.c = out.data(), product.c_row = product.n;
  Buffer scratch(lamina::kernels::matmul_scratch(product.m, product.n, product.k));
  for (auto _ : state) {
    lamina::kernels::matmul(product, scratch.data(), lamina::serial_executor());
    benchmark::ClobberMemory();
  }
  count_rate(state, "GFLOP/s", 2.0 * static_cast<double>(batch * inputs * units));
}

void shapes(benchmark::internal::Benchmark* bench) {
  const std::vector<std::vector<std::int64_t>> layers = {
      {1, 784, 128}, {32, 20, 64},    {32, 64, 64},    {32, 784, 128},    {32, 128, 10},
      {64, 64, 64},  {128, 784, 512}, {128, 512, 512}, {256, 1024, 4096}, {127, 129, 17}};
  for (const auto& layer : layers) bench->Args(layer);
  bench->ArgNames({"batch", "inputs", "units"});
}

BENCHMARK_CAPTURE(matmul, forward, Pass::forward)->Apply(shapes);
BENCHMARK_CAPTURE(matmul, kernel_gradient, Pass::kernel_gradient)->Apply(shapes);
BENCHMARK_CAPTURE(matmul, input_gradient, Pass::input_gradient)->Apply(shapes);

// ---- elementwise passes

void map(benchmark::State& state, lamina::kernels::Unary function) {
  const std::size_t count = extent(state, 0);
  const Buffer x = numbers(count);
  Buffer y(count);
  for (auto _ : state) {
    lamina::kernels::training_table().map(function, x.data(), y.data(), count);
    benchmark::ClobberMemory();
  }
  count_rate(state, "GB/s", 8.0 * static_cast<double>(count));
}

BENCHMARK_CAPTURE(map, exp, lamina::kernels::Unary::exp)->Arg(1 << 12)->Arg(1 << 20);
BENCHMARK_CAPTURE(map, log, lamina::kernels::Unary::log)->Arg(1 << 12);
BENCHMARK_CAPTURE(map, tanh, lamina::kernels::Unary::tanh)->Arg(1 << 12);
BENCHMARK_CAPTURE(map, erf, lamina::kernels::Unary::erf)->Arg(1 << 12);
BENCHMARK_CAPTURE(map, sigmoid, lamina::kernels::Unary::sigmoid)->Arg(1 << 12);

void softmax(benchmark::State& state) {
  const std::size_t rows = extent(state, 0), columns = extent(state, 1);
  const Buffer x = numbers(rows * columns);
  Buffer y(rows * columns);
  for (auto _ : state) {
    table().softmax(x.data(), y.data(), rows, columns);
    benchmark::ClobberMemory();
  }
  count_rate(state, "GB/s", 8.0 * static_cast<double>(rows * columns));
}

BENCHMARK(softmax)->Args({128, 10})->Args({128, 1000})->ArgNames({"rows", "columns"});

// Adam over all parameters: reads the gradient, reads and writes weights and two slots.
void adam(benchmark::State& state) {
  const std::size_t count = extent(state, 0);
  Buffer w = numbers(count), m(count), v(count);
  const Buffer gradient = numbers(count);
  lamina::kernels::OptimizerPass pass{};
  pass.w = w.data(), pass.gradient = gradient.data(), pass.n = count;
  pass.slots[0] = m.data(), pass.slots[1] = v.data();
  pass.gradient_scale = 1.0F, pass.clip_value = HUGE_VALF;
  pass.beta1 = 0.9F, pass.one_minus_beta1 = 0.1F, pass.beta2 = 0.999F, pass.one_minus_beta2 = 0.001F;
  pass.learning_rate = pass.c0 = 1e-4F, pass.epsilon = 1e-7F;
  for (auto _ : state) {
    lamina::kernels::training_table().optimizer(lamina::kernels::OptimizerKind::adam, pass);
    benchmark::ClobberMemory();
  }
  count_rate(state, "GB/s", 28.0 * static_cast<double>(count));
}

BENCHMARK(adam)->Arg(5569)->Arg(101770)->Arg(669706)->ArgName("parameters");

}  // namespace
