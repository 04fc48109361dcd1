// The kernels of prediction, in the order of their dependencies, and the table of them. Included by each
// isa/*.cpp of that table inside an anonymous namespace, with LAMINA_ISA defined.
#include "lamina/kernels/body/vec.inl"
// (vectors come first)
#include "lamina/kernels/body/math.inl"
// (functions of one variable come before their users)
#include "lamina/kernels/body/activation_functions.inl"
// (and the order of sums before what adds)
#include "lamina/kernels/body/sums.inl"

#include "lamina/kernels/body/activation.inl"
#include "lamina/kernels/body/column_sum.inl"
#include "lamina/kernels/body/elementwise.inl"
#include "lamina/kernels/body/matmul.inl"
#include "lamina/kernels/body/reduce.inl"
#include "lamina/kernels/body/rows.inl"

constexpr Table make_table(const char* name) {
  Table t = {};
  t.name = name;
  t.tile_rows = kTileRows;
  t.tile_cols = kTileCols;
  t.pack_b = pack_b;
  t.matmul_tile = matmul_tile;
  t.finish_rows = finish_rows;
  t.column_sum = column_sum;
  t.activation_forward = activation_forward;
  t.add = add;
  t.multiply = multiply;
  t.affine = affine;
  t.softmax = softmax;
  t.log_softmax = log_softmax;
  t.sum = sum;
  t.sum_abs = sum_abs;
  t.sum_squares = sum_squares;
  t.dot = dot;
  return t;
}
