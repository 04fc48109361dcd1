// The other kernels, in the order of their dependencies, and the table of them. Included by each isa/*.cpp of
// that table inside an anonymous namespace, with LAMINA_ISA defined.
#include "lamina/kernels/body/vec.inl"
// (vectors come first)
#include "lamina/kernels/body/math.inl"
// (functions of one variable come before their users)
#include "lamina/kernels/body/activation_functions.inl"
// (and the order of sums before what adds)
#include "lamina/kernels/body/sums.inl"

#include "lamina/kernels/body/activation_backward.inl"
#include "lamina/kernels/body/combine.inl"
#include "lamina/kernels/body/convert.inl"
#include "lamina/kernels/body/few_columns.inl"
#include "lamina/kernels/body/float64.inl"
#include "lamina/kernels/body/map.inl"
#include "lamina/kernels/body/optimizer.inl"
#include "lamina/kernels/body/random.inl"
#include "lamina/kernels/body/rows_backward.inl"
#include "lamina/kernels/body/zero_skipping.inl"

constexpr TrainingTable make_training_table(const char* name) {
  TrainingTable t = {};
  t.name = name;
  t.map = map;
  t.combine = combine;
  t.combine_scalar = combine_scalar;
  t.activation_backward = activation_backward;
  t.softmax_sums = softmax_sums;
  t.softmax_backward = softmax_backward;
  t.log_softmax_backward = log_softmax_backward;
  t.extreme = extreme;
  t.all_finite = all_finite;
  t.convert = convert;
  t.dropout = dropout;
  t.random_words = random_words;
  t.optimizer = optimizer;
  t.regularize = regularize;
  t.dot_float64 = dot_float64;
  t.dots_float64 = dots_float64;
  t.combine_float64 = combine_float64;
  t.few_columns = few_columns;
  t.has_skippable_zeros = has_skippable_zeros;
  t.matmul_tile_skipping_zeros = matmul_tile_skipping_zeros;
  return t;
}
