// Whole training steps and predictions from C++, on the rows of the benchmark; the number of threads comes
// from LAMINA_NUM_THREADS:
//   LAMINA_NUM_THREADS=1 lamina_bench_step
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lamina/lamina.h"

namespace {

using benchmark::Counter;

struct Row {
  std::vector<std::int64_t> widths;
  bool softmax;  // with the cross-entropy of labels; else the mean squared error
  std::size_t batch;
  bool adam;  // else sgd
};

const Row kTiny{{20, 64, 64, 1}, false, 32, true};
const Row kMnist{{784, 128, 10}, true, 32, true};
const Row kMnist1{{784, 128, 10}, true, 1, false};
const Row kDeep{{64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 10}, true, 64, true};
const Row kWide{{784, 512, 512, 10}, true, 128, true};
const Row kLarge{{1024, 4096, 4096, 1024}, false, 256, false};
constexpr std::size_t kSteps = 4;  // of an epoch

lamina::Model model_of(const Row& row) {
  std::vector<lamina::LayerPtr> layers{lamina::input({static_cast<std::size_t>(row.widths.front())})};
  for (std::size_t i = 1; i < row.widths.size(); ++i) {
    const bool last = i + 1 == row.widths.size();
    layers.push_back(lamina::dense(row.widths[i], !last ? "relu" : row.softmax ? "softmax" : "linear"));
  }
  return lamina::sequential(std::move(layers), 1);
}

// Numbers in (-0.5, 0.5), the same every time.
std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  std::uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 8) * 0x1p-24F - 0.5F;
  }
  return values;
}

// Multiplications of one row with every kernel, and with the first alone.
std::pair<double, double> products(const Row& row) {
  double all = 0;
  for (std::size_t i = 1; i < row.widths.size(); ++i)
    all += static_cast<double>(row.widths[i - 1] * row.widths[i]);
  return {all, static_cast<double>(row.widths[0] * row.widths[1])};
}

void count_flops(benchmark::State& state, double flops) {
  state.counters["GFLOP/s"] = Counter(flops * 1e-9, Counter::kIsIterationInvariantRate);
}

// One epoch of kSteps steps: `time` is that of all of them, "s/step" that of one.
void step(benchmark::State& state, const Row& row) {
  const std::size_t rows = row.batch * kSteps, outputs = static_cast<std::size_t>(row.widths.back());
  const std::size_t inputs = static_cast<std::size_t>(row.widths.front());
  const std::vector<float> x = numbers(rows * inputs), y = numbers(rows * outputs);
  std::vector<std::int32_t> labels(rows);
  for (std::size_t i = 0; i < rows; ++i) labels[i] = static_cast<std::int32_t>(i * 7 % outputs);
  lamina::TrainerOptions options;
  options.optimizer = row.adam ? lamina::adam() : lamina::sgd({.learning_rate = 1e-3});
  options.loss = row.softmax ? "sparse_categorical_crossentropy" : "mse";
  lamina::Trainer trainer(model_of(row), std::move(options));
  lamina::Dataset data;
  data.inputs.emplace_back(x.data(), lamina::Shape{rows, inputs});
  data.targets.push_back(row.softmax ? lamina::ArrayView(labels)
                                     : lamina::ArrayView(y.data(), lamina::Shape{rows, outputs}));
  trainer.session().prepare(data, true);
  lamina::EpochOptions epoch;
  epoch.batch_size = row.batch;
  epoch.shuffle = false;
  for (auto _ : state) benchmark::DoNotOptimize(trainer.session().train_epoch(data, epoch));
  const auto [all, first] = products(row);
  count_flops(state, 2.0 * static_cast<double>(rows) * (3 * all - first));
  state.counters["s/step"] =
      Counter(static_cast<double>(kSteps), Counter::kIsIterationInvariantRate | Counter::kInvert);
}

BENCHMARK_CAPTURE(step, tiny, kTiny)->UseRealTime();
BENCHMARK_CAPTURE(step, mnist, kMnist)->UseRealTime();
BENCHMARK_CAPTURE(step, mnist1, kMnist1)->UseRealTime();
BENCHMARK_CAPTURE(step, deep, kDeep)->UseRealTime();
BENCHMARK_CAPTURE(step, wide, kWide)->UseRealTime();
BENCHMARK_CAPTURE(step, large, kLarge)->UseRealTime();

// Predictor::predict of `rows` rows.
void predict(benchmark::State& state, const Row& row) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const lamina::Model model = model_of(row);
  lamina::Predictor predictor(model, {.max_batch = rows});
  const std::vector<float> x = numbers(rows * predictor.input_size());
  std::vector<float> y(rows * predictor.output_size());
  for (auto _ : state) {
    if (predictor.predict(x, y) != lamina::Status::ok) state.SkipWithError("predict failed");
    benchmark::ClobberMemory();
  }
  count_flops(state, 2.0 * static_cast<double>(rows) * products(row).first);
}

BENCHMARK_CAPTURE(predict, tiny, kTiny)->Arg(1);
BENCHMARK_CAPTURE(predict, mnist, kMnist)->Arg(1);
BENCHMARK_CAPTURE(predict, wide, kWide)->Arg(1)->Arg(4096);

}  // namespace
