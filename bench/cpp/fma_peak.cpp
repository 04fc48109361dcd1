// Prints the GFLOP/s of float32 multiply-adds that `threads` threads reach together, running from registers
// alone:
//   fma_peak best|avx512|avx2|baseline threads seconds
// `best` is the widest that the CPU has. It stands alone: c++ -std=c++20 -O2 -pthread fma_peak.cpp
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace {

constexpr int kChains = 12;  // more than latency (4 cycles) times units (2), fewer than registers
constexpr int kRounds = 20000;

// A function that runs kRounds multiply-adds on each of kChains chains and returns the floating-point
// operations. The chains are variables of their own, as an array would stay in memory; the empty asm keeps
// the compiler from simplifying.
#define LAMINA_FMA_CHAINS(name, isa, Vector, set, step, reg)                                             \
  __attribute__((target(isa), noinline)) double name() {                                                 \
    const Vector a = set(1.0F - 1e-7F), b = set(1e-7F);                                                  \
    Vector c0 = b, c1 = b, c2 = b, c3 = b, c4 = b, c5 = b, c6 = b, c7 = b, c8 = b, c9 = b;               \
    Vector c10 = b, c11 = b;                                                                             \
    for (int round = 0; round < kRounds; ++round) {                                                      \
      c0 = step(c0, a, b), c1 = step(c1, a, b), c2 = step(c2, a, b), c3 = step(c3, a, b);                \
      c4 = step(c4, a, b), c5 = step(c5, a, b), c6 = step(c6, a, b), c7 = step(c7, a, b);                \
      c8 = step(c8, a, b), c9 = step(c9, a, b), c10 = step(c10, a, b), c11 = step(c11, a, b);            \
      asm volatile("" : "+" reg(c0), "+" reg(c1), "+" reg(c2), "+" reg(c3), "+" reg(c4), "+" reg(c5));   \
      asm volatile("" : "+" reg(c6), "+" reg(c7), "+" reg(c8), "+" reg(c9), "+" reg(c10), "+" reg(c11)); \
    }                                                                                                    \
    return 2.0 * kRounds * kChains * static_cast<double>(sizeof(Vector) / sizeof(float));                \
  }

#define LAMINA_SSE_STEP(x, scale, offset) _mm_add_ps(_mm_mul_ps(x, scale), offset)
#define LAMINA_NEON_STEP(x, scale, offset) vfmaq_f32(offset, x, scale)
#if defined(__x86_64__)
LAMINA_FMA_CHAINS(fma_avx512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, "v")
LAMINA_FMA_CHAINS(fma_avx2, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, "x")
LAMINA_FMA_CHAINS(fma_baseline, "sse2", __m128, _mm_set1_ps, LAMINA_SSE_STEP, "x")
#elif defined(__aarch64__)
LAMINA_FMA_CHAINS(fma_baseline, "+simd", float32x4_t, vdupq_n_f32, LAMINA_NEON_STEP, "w")
#endif

using Kernel = double (*)();

Kernel kernel_named(const std::string& isa) {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (__builtin_cpu_supports("avx512f") && (isa == "avx512" || isa == "best")) return fma_avx512;
  if (avx2 && (isa == "avx2" || isa == "best")) return fma_avx2;
#endif
  return isa == "baseline" || isa == "best" ? fma_baseline : nullptr;
}

// The operations a second of each of `threads` threads that run `kernel` at the same time, summed.
double measure(Kernel kernel, std::size_t threads, double seconds) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> rates(threads);
  std::atomic<std::size_t> waiting{threads};
  const auto work = [&](double& rate) {
    kernel();  // the clock of wide vectors settles
    --waiting;
    while (waiting > 0) std::this_thread::yield();
    const auto begin = Clock::now();
    double operations = 0, taken = 0;
    while (taken < seconds) {
      operations += kernel();
      taken = std::chrono::duration<double>(Clock::now() - begin).count();
    }
    rate = operations / taken;
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < threads; ++i) others.emplace_back(work, std::ref(rates[i]));
  work(rates[0]);
  for (std::thread& other : others) other.join();
  double total = 0;
  for (const double rate : rates) total += rate;
  return total;
}

}  // namespace

int main(int argc, char** argv) {
  const Kernel kernel = argc == 4 ? kernel_named(argv[1]) : nullptr;
  const int threads = argc == 4 ? std::atoi(argv[2]) : 0;
  const double seconds = argc == 4 ? std::atof(argv[3]) : 0;
  if (kernel == nullptr || threads < 1 || !(seconds > 0)) {
    std::fprintf(
        stderr, "usage: fma_peak best|avx512|avx2|baseline THREADS SECONDS, with an ISA that this CPU has\n");
    return 2;
  }
  std::printf("%.3f\n", measure(kernel, static_cast<std::size_t>(threads), seconds) * 1e-9);
}
