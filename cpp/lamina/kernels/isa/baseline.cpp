// The kernels of the Table for any processor that the library is built for (x86-64: SSE2; ARM: NEON).
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "lamina/kernels/kernels.h"

#define LAMINA_ISA 0

namespace lamina::kernels {
namespace {
#include "lamina/kernels/body/forward.inl"
constexpr Table kTable = make_table("baseline");
}  // namespace

const Table* baseline_table() {
  return &kTable;
}

}  // namespace lamina::kernels
