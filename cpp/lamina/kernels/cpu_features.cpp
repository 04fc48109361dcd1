#include "lamina/kernels/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lamina::kernels {

#if defined(__x86_64__)

namespace {

// Which register states the operating system saves (XGETBV of XCR0).
unsigned saved_states() {
  unsigned low = 0;
  unsigned high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool has(unsigned bits, unsigned wanted) {
  return (bits & wanted) == wanted;
}

}  // namespace

CpuFeatures cpu_features() {
  CpuFeatures features;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return features;
  const unsigned leaf1 = bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C;
  if (!has(ecx, leaf1)) return features;
  const unsigned states = saved_states();
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return features;
  const unsigned avx_states = 0x06;     // SSE and AVX registers
  const unsigned avx512_states = 0xe6;  // and masks, upper halves, registers 16 to 31
  features.avx2 = has(ebx, bit_AVX2) && has(states, avx_states);
  features.avx512 = features.avx2 && has(states, avx512_states) &&
                    has(ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL);
  return features;
}

#else

CpuFeatures cpu_features() {
  return {};
}

#endif

}  // namespace lamina::kernels
