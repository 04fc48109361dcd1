// The kernels of the Table for AVX-512 (F, BW, DQ, VL) and FMA. On other processors than x86-64 this file is
// empty.
#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined operands inside its own intrinsics for a mistake.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "lamina/kernels/kernels.h"

#define LAMINA_ISA 2

namespace lamina::kernels {
namespace {
#include "lamina/kernels/body/forward.inl"
constexpr Table kTable = make_table("avx512");
}  // namespace

const Table* avx512_table() {
  return &kTable;
}

}  // namespace lamina::kernels
#endif
