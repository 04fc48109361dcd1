// Every kernel body, in the order of their dependencies, and the table of them. Included by each isa/*.cpp
// inside an anonymous namespace, with LAMINA_ISA defined.
#include "lamina/kernels/body/vec.inl"
// (vectors come first)
#include "lamina/kernels/body/math.inl"
// (functions of one variable come before their users)
#include "lamina/kernels/body/activation.inl"
#include "lamina/kernels/body/combine.inl"
#include "lamina/kernels/body/convert.inl"
#include "lamina/kernels/body/elementwise.inl"
#include "lamina/kernels/body/optimizer.inl"

#include "lamina/kernels/body/matmul.inl"
#include "lamina/kernels/body/random.inl"
#include "lamina/kernels/body/reduce.inl"
#include "lamina/kernels/body/rows.inl"

constexpr Table make_table(const char* name) {
  Table t = {};
  t.name = name;
  t.tile_rows = kTileRows;
  t.tile_cols = kTileCols;
  t.pack_b = pack_b;
  t.matmul_tile = matmul_tile;
  t.column_sum = column_sum;
  t.map = map;
  t.activation_forward = activation_forward;
  t.activation_backward = activation_backward;
  t.add = add;
  t.multiply = multiply;
  t.affine = affine;
  t.combine = combine;
  t.combine_scalar = combine_scalar;
  t.softmax = softmax;
  t.log_softmax = log_softmax;
  t.softmax_backward = softmax_backward;
  t.log_softmax_backward = log_softmax_backward;
  t.sum = sum;
  t.sum_abs = sum_abs;
  t.sum_squares = sum_squares;
  t.dot = dot;
  t.all_finite = all_finite;
  t.extreme = extreme;
  t.convert = convert;
  t.dropout = dropout;
  t.random_words = random_words;
  t.optimizer = optimizer;
  t.regularize = regularize;
  return t;
}
