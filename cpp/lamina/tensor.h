// Matrices and formulas over anyone's memory, on the kernels of lamina: useful without any network.
//
//   std::vector<float> x(8 * 20), w(20 * 4), b(4), y(8 * 4);
//   lamina::MatrixView out(y.data(), 8, 4);
//   lamina::gemm({x.data(), 8, 20}, {w.data(), 20, 4}, out);                       // out = x w
//   out = lamina::tanh(out + b) * 0.5F;                                            // one pass, b for every
//   row const double norm = lamina::norm(out);
//
// Views take pointers and extents, vectors, spans, lamina's tensors, and matrices of Eigen without a copy.
// Kernels for the best instruction set of the CPU do the work, whatever the program is compiled for.
#pragma once

#include "lamina/tensor/expression.h"
#include "lamina/tensor/linear_algebra.h"
#include "lamina/tensor/matrix_view.h"
#include "lamina/tensor/reduce.h"
