// What this CPU and its operating system can run.
#pragma once

namespace lamina::kernels {

struct CpuFeatures {
  bool avx2 = false;    // with FMA and F16C
  bool avx512 = false;  // F, BW, DQ and VL, and all of avx2
};

CpuFeatures cpu_features();

}  // namespace lamina::kernels
