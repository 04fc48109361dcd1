#include "lamina/parameters/regularizers.h"

#include "lamina/kernels/dispatch.h"

namespace lamina {

const Registry<Regularizer>& Regularizer::registry() {
  using Types = TypeList<  //
      L1,                  //
      L2,                  //
      L1L2>;
  static const auto* const kRegistry = new Registry<Regularizer>("regularizer", Types());
  return *kRegistry;
}

double Regularizer::penalty(const float* values, std::size_t count) const {
  double result = 0.0;
  if (l1() != 0.0) result += l1() * kernels::table().sum_abs(values, count);
  if (l2() != 0.0) result += l2() * kernels::table().sum_squares(values, count);
  return result;
}

void L1::fields(Fields<L1Options>& field) {
  field("l1", &L1Options::l1, "Factor of the sum of absolute values.", non_negative());
}

void L2::fields(Fields<L2Options>& field) {
  field("l2", &L2Options::l2, "Factor of the sum of squares.", non_negative());
}

void L1L2::fields(Fields<L1L2Options>& field) {
  field("l1", &L1L2Options::l1, "Factor of the sum of absolute values.", non_negative());
  field("l2", &L1L2Options::l2, "Factor of the sum of squares.", non_negative());
}

RegularizerPtr l1(L1Options options) {
  return make_described<L1>(options);
}
RegularizerPtr l2(L2Options options) {
  return make_described<L2>(options);
}
RegularizerPtr l1_l2(L1L2Options options) {
  return make_described<L1L2>(options);
}

}  // namespace lamina
