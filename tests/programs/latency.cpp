// How long predictions take: program [CALLS] [WINDOWS]. Predicts one row through 20-64-64-1, and prints the
// median, p99, p99.9 and the longest, in nanoseconds, of each window of CALLS calls.
#include <lamina/lamina.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  const std::size_t calls = argc > 1 ? static_cast<std::size_t>(std::atoll(argv[1])) : 1000000;
  const int windows = argc > 2 ? std::atoi(argv[2]) : 1;
  const lamina::Model model = lamina::sequential(
      {lamina::input({20}), lamina::dense(64, "relu"), lamina::dense(64, "relu"), lamina::dense(1)}, 1);
  lamina::Predictor predictor(model);
  std::vector<float> input(20, 0.5F), output(1);
  using Clock = std::chrono::steady_clock;
  std::vector<std::int64_t> times(calls);
  for (int window = 0; window < windows; ++window) {
    for (std::size_t call = 0; call < 1000; ++call) predictor.predict(input, output);  // warm
    for (std::size_t call = 0; call < calls; ++call) {
      input[call % 20] += 1e-3F;
      const auto begin = Clock::now();
      predictor.predict(input, output);
      times[call] = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count();
    }
    std::sort(times.begin(), times.end());
    const auto at = [&](double share) {
      return static_cast<long long>(
          times[std::min(calls - 1, static_cast<std::size_t>(share * static_cast<double>(calls)))]);
    };
    std::printf("%lld %lld %lld %lld\n", at(0.5), at(0.99), at(0.999), static_cast<long long>(times.back()));
    std::fflush(stdout);
  }
}
