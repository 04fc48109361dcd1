// Matrix products, and the functions of whole rows.
#pragma once

#include <cstddef>

#include "lamina/core/operations.h"
#include "lamina/core/thread_pool.h"
#include "lamina/tensor/matrix_view.h"

namespace lamina {

struct GemmOptions {
  bool transpose_a = false;
  bool transpose_b = false;
  bool accumulate = false;                             // add to c, else overwrite it
  ConstMatrixView bias = {};                           // one row, added to each row of c; or none
  ActivationKind activation = ActivationKind::linear;  // of the result; any of them
  Executor* executor = nullptr;                        // where the work runs; the pool where null
};

// c (+)= op(a) op(b), then bias and activation. Rows or columns of each matrix must be contiguous; c must not
// overlap a or b. Each element is one chain of multiply-adds in increasing k, so its bits don't depend on
// threads or on other rows. ShapeError where extents don't fit; a bias and an activation need a c with
// contiguous rows, and go with accumulate as activation(c + op(a) op(b) + bias). The first call for a size
// may allocate memory, which the thread keeps.
void gemm(ConstMatrixView a, ConstMatrixView b, MatrixView c, const GemmOptions& options = {});

// y = softmax or log_softmax of each row. Rows must be contiguous; y may be x, else they don't overlap.
void softmax(ConstMatrixView x, MatrixView y);
void log_softmax(ConstMatrixView x, MatrixView y);

}  // namespace lamina
