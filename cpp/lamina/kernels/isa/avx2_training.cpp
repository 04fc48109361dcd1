// The kernels of the TrainingTable for AVX2, FMA and F16C. On other processors than x86-64 this file is
// empty.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "lamina/kernels/kernels.h"

#define LAMINA_ISA 1

namespace lamina::kernels {
namespace {
#include "lamina/kernels/body/training.inl"
constexpr TrainingTable kTable = make_training_table("avx2");
}  // namespace

const TrainingTable* avx2_training_table() {
  return &kTable;
}

}  // namespace lamina::kernels
#endif
