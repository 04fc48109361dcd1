// Sums, products and affine maps of any size.
#include "testing.h"

namespace lamina::kernels::testing {
namespace {

TEST_CASE("add, multiply and affine are right at any size") {
  Numbers numbers(5);
  for (const Table* table : available_tables()) {
    for (std::size_t n : sizes()) {
      const std::vector<float> a = numbers.floats(n, 100.0F);
      const std::vector<float> b = numbers.floats(n, 100.0F);
      Guarded<> sum(n);
      Guarded<> product(n);
      Guarded<> map(n);
      Guarded<> total(n, 7.0F);
      table->add(a.data(), b.data(), sum.data(), n);
      table->multiply(a.data(), b.data(), product.data(), n);
      table->affine(a.data(), 0.3F, -2.0F, map.data(), n, false);
      table->affine(a.data(), 0.3F, -2.0F, total.data(), n, true);
      CHECK((sum.intact() && product.intact() && map.intact() && total.intact()));
      for (std::size_t i = 0; i < n; ++i) {
        REQUIRE(sum[i] == a[i] + b[i]);
        REQUIRE(product[i] == a[i] * b[i]);
        // Fused or not: at most two roundings of terms below 32.
        const double want = static_cast<double>(a[i]) * static_cast<double>(0.3F) - 2.0;
        REQUIRE(distance(map[i], want) <= 2 * 32 * 0x1p-24);
        REQUIRE(total[i] == map[i] + 7.0F);
      }
      Guarded<> in_place(a);
      table->add(in_place.data(), b.data(), in_place.data(), n);
      CHECK(same_bits(in_place.data(), sum.data(), n));
      CHECK(in_place.intact());
    }
  }
}

}  // namespace
}  // namespace lamina::kernels::testing
