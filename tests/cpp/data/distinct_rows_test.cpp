// Equal rows, against comparing each row with each.
#include "lamina/data/distinct_rows.h"

#include <array>
#include <cstdint>
#include <numeric>

#include "kernels/testing.h"

namespace lamina {
namespace {

TEST_CASE("distinct rows are those that differ, in an order of their own") {
  kernels::testing::Numbers numbers(3);
  for (const std::size_t count : {0U, 1U, 2U, 40U, 300U}) {
    for (const std::size_t columns : {0U, 1U, 2U, 5U}) {
      std::vector<float> x = numbers.floats(count * columns);
      for (float& value : x) value = std::floor(value);  // few values
      std::vector<std::uint8_t> y(count);
      for (std::size_t i = 0; i < count; ++i) y[i] = static_cast<std::uint8_t>(i % 2);
      std::vector<float> weights(count);
      for (std::size_t i = 0; i < count; ++i) weights[i] = static_cast<float>(i % 5) / 4;
      const auto equal = [&](std::size_t a, std::size_t b) {
        return y[a] == y[b] && std::equal(x.begin() + static_cast<std::ptrdiff_t>(a * columns),
                                          x.begin() + static_cast<std::ptrdiff_t>((a + 1) * columns),
                                          x.begin() + static_cast<std::ptrdiff_t>(b * columns));
      };
      const std::array<RowBytes, 2> tables = {{{x.data(), columns * sizeof(float)}, {y.data(), 1}}};
      const DistinctRows plain = distinct_rows(tables, count, {});
      const DistinctRows weighed = distinct_rows(tables, count, weights);
      CHECK(plain.rows == weighed.rows);

      double seen = 0;
      for (std::size_t i = 0; i < plain.rows.size(); ++i) {
        double alike = 0;
        double weight = 0;
        std::size_t first = count;
        for (std::size_t row = count; row-- > 0;) {
          if (!equal(row, plain.rows[i])) continue;
          alike += 1;
          weight += static_cast<double>(weights[row]);
          first = row;
        }
        CHECK(plain.rows[i] == first);
        CHECK((plain.weights.empty() ? 1 : plain.weights[i]) == alike);
        CHECK(weighed.weights[i] == static_cast<float>(weight));
        seen += alike;
      }
      CHECK(seen == count);

      std::vector<std::size_t> reversed(count);  // the same rows, the other way round
      std::iota(reversed.rbegin(), reversed.rend(), 0);
      std::vector<float> other_x(x.size());
      std::vector<std::uint8_t> other_y(count);
      for (std::size_t i = 0; i < count; ++i) {
        std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(reversed[i] * columns), columns,
                    other_x.begin() + static_cast<std::ptrdiff_t>(i * columns));
        other_y[i] = y[reversed[i]];
      }
      const std::array<RowBytes, 2> others = {
          {{other_x.data(), columns * sizeof(float)}, {other_y.data(), 1}}};
      const DistinctRows other = distinct_rows(others, count, {});
      REQUIRE(other.rows.size() == plain.rows.size());
      CHECK(other.weights == plain.weights);
      for (std::size_t i = 0; i < other.rows.size(); ++i)
        CHECK(equal(reversed[other.rows[i]], plain.rows[i]));
    }
  }
}

TEST_CASE("distinct rows that weigh 1 each have no weights") {
  const std::array<std::uint16_t, 3> x = {0x0100, 0x0001, 0x0002};
  const std::array<RowBytes, 1> tables = {{{x.data(), 2}}};
  const std::array<float, 3> one = {1, 1, 1};
  const std::array<float, 3> two = {1, 2, 1};
  CHECK(distinct_rows(tables, 3, {}).weights.empty());
  CHECK(distinct_rows(tables, 3, one).weights.empty());
  CHECK(distinct_rows(tables, 3, two).weights.size() == 3);
}

}  // namespace
}  // namespace lamina
