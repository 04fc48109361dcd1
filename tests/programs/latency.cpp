// How long predictions take: program [CALLS] [WINDOWS]. Predicts one row through 20-64-64-1, and prints the
// median, p99, p99.9 and the longest, in nanoseconds, of each window of CALLS calls; then the same four of a
// loop of multiply-adds over as many weights that takes as long, call by call in turn with them: what slows
// it down is the machine.
#include <lamina/lamina.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Times = std::vector<std::int64_t>;

template <class F>
std::int64_t nanoseconds(F&& f) {
  const auto begin = Clock::now();
  f();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count();
}

// Sums of products of as many numbers as the network has weights, from the L1 cache; as much of them as asked
// for.
void spin(std::size_t rounds) {
  static std::vector<float> weights(64 * 20 + 64 * 64 + 3 * 64 + 1, 0.5F);
  static volatile float kept = 0;
  float sums[16] = {};
  for (std::size_t round = 0, at = 0; round < rounds; ++round, at += 16) {
    if (at + 16 > weights.size()) at = 0;
    for (std::size_t lane = 0; lane < 16; ++lane) sums[lane] += weights[at + lane] * 1.5F;
  }
  for (const float sum : sums) kept = kept + sum;
}

void print(Times& times) {
  std::sort(times.begin(), times.end());
  for (const double share : {0.5, 0.99, 0.999}) {
    const auto at = static_cast<std::size_t>(share * static_cast<double>(times.size()));
    std::printf("%lld ", static_cast<long long>(times[std::min(times.size() - 1, at)]));
  }
  std::printf("%lld ", static_cast<long long>(times.back()));
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t calls = argc > 1 ? static_cast<std::size_t>(std::atoll(argv[1])) : 1000000;
  const int windows = argc > 2 ? std::atoi(argv[2]) : 1;
  const lamina::Model model = lamina::sequential(
      {lamina::input({20}), lamina::dense(64, "relu"), lamina::dense(64, "relu"), lamina::dense(1)}, 1);
  lamina::Predictor predictor(model);
  std::vector<float> input(20, 0.5F), output(1);
  const auto predict = [&] { predictor.predict(input, output); };
  const auto warm = [&](auto f) {
    return nanoseconds([&] {
      for (std::size_t call = 0; call < 1000; ++call) f();
    });
  };
  std::size_t rounds = 16;
  while (warm([&] { spin(rounds); }) < warm(predict)) rounds += rounds / 8;
  Times predictions(calls), spins(calls);
  for (int window = 0; window < windows; ++window) {
    warm(predict);
    for (std::size_t call = 0; call < calls; ++call) {
      input[call % 20] += 1e-3F;
      predictions[call] = nanoseconds(predict);
      spins[call] = nanoseconds([&] { spin(rounds); });
    }
    print(predictions);
    print(spins);
    std::printf("\n");
    std::fflush(stdout);
  }
}
