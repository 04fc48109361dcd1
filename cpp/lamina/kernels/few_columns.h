// Matrix products of few columns in training, which would leave most lanes of a vector empty. (That of one
// column is matmul()'s own.)
#pragma once

#include <cstddef>

#include "lamina/kernels/matmul.h"

namespace lamina::kernels {

constexpr std::size_t kFewColumns = 4;       // that share a vector with other rows
constexpr std::size_t kMostFewColumns = 12;  // that become rows of C'

// Computes the product, but for a row-wise activation, and returns true, where it is one of those; else does
// nothing. The bits and the scratch are those of matmul().
bool matmul_few_columns(const Matmul& product, float* scratch, Executor& executor);

}  // namespace lamina::kernels
