// Conversion of each element type to float32: exact or rounded to nearest even.
#include <type_traits>

#include "testing.h"

namespace lamina::kernels::testing {
namespace {

// Converts from an odd address, at every tail length, and compares with `want` bit by bit.
template <class T>
void check_values(const TrainingTable& table, ElementType type, const std::vector<T>& x,
                  const std::vector<float>& want) {
  std::vector<char> raw(x.size() * sizeof(T) + 1);
  for (std::size_t skip = 0; skip < std::min<std::size_t>(x.size(), 40); ++skip) {
    const std::size_t n = x.size() - skip;
    std::memcpy(raw.data() + 1, x.data() + skip, n * sizeof(T));
    Guarded<> y(n);
    table.convert(type, raw.data() + 1, y.data(), n);
    CHECK(y.intact());
    for (std::size_t i = 0; i < n; ++i) {
      if (std::isnan(want[skip + i])) {
        REQUIRE(std::isnan(y[i]));
      } else {
        REQUIRE(same_bits(&y[i], &want[skip + i], 1));
      }
    }
  }
  table.convert(type, raw.data() + 1, nullptr, 0);
}

// The nearest float, ties to even, of a whole number.
template <class T>
float nearest(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<float>(
        value);  // the language's conversion, correctly rounded by the C library's rules
  } else {
    const bool negative = value < 0;
    std::uint64_t m = static_cast<std::uint64_t>(value);
    if (negative) m = 0 - m;
    int shift = 0;
    while ((m >> shift) >= (std::uint64_t{1} << 24)) ++shift;
    std::uint64_t kept = m >> shift;
    if (shift > 0) {
      const std::uint64_t rest = m & ((std::uint64_t{1} << shift) - 1);
      const std::uint64_t half = std::uint64_t{1} << (shift - 1);
      if (rest > half || (rest == half && (kept & 1) != 0)) ++kept;
    }
    const double exact = std::ldexp(static_cast<double>(kept), shift);
    return static_cast<float>(negative ? -exact : exact);
  }
}

template <class T>
void check_type(const TrainingTable& table, ElementType type) {
  Numbers numbers(6);
  std::vector<T> x = {T{0}, T{1}, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(),
                      std::numeric_limits<T>::lowest()};
  for (int i = 0; i < 400; ++i) {
    // Numbers of every width, and neighbours of halfway cases.
    const std::uint64_t random = numbers.next() >> (numbers.next() % 64);
    x.push_back(static_cast<T>(random));
    x.push_back(static_cast<T>((random & ~std::uint64_t{0xffffffff}) | 0x80000000U));
    x.push_back(static_cast<T>((std::uint64_t{1} << (numbers.next() % 64)) + numbers.next() % 3 - 1));
  }
  if constexpr (std::is_same_v<T, double>) {
    for (double v :
         {1e-320, 7.0e-46, 7.1e-46, 1e-40, 3.4028235e38, 3.4028235677973366e38, 3.5e38, -1e300, HUGE_VAL,
          -HUGE_VAL, std::nan(""), 1.0 + 0x1p-24, 1.0 + 0x1p-24 + 0x1p-50, 1.0 + 3 * 0x1p-24, -0.0}) {
      x.push_back(v);
    }
  }
  std::vector<float> want;
  for (T value : x) want.push_back(nearest(value));
  check_values(table, type, x, want);
}

TEST_CASE("numbers convert to the nearest float") {
  for (const TrainingTable* table : available_training_tables()) {
    check_type<std::uint8_t>(*table, ElementType::u8);
    check_type<std::int8_t>(*table, ElementType::i8);
    check_type<std::uint16_t>(*table, ElementType::u16);
    check_type<std::int16_t>(*table, ElementType::i16);
    check_type<std::uint32_t>(*table, ElementType::u32);
    check_type<std::int32_t>(*table, ElementType::i32);
    check_type<std::uint64_t>(*table, ElementType::u64);
    check_type<std::int64_t>(*table, ElementType::i64);
    check_type<double>(*table, ElementType::f64);
    check_type<float>(*table, ElementType::f32);
  }
}

TEST_CASE("booleans convert to 0 and 1, whatever byte stands for true") {
  std::vector<std::uint8_t> x;
  std::vector<float> want;
  for (int i = 0; i < 256; ++i) {
    x.push_back(static_cast<std::uint8_t>(i));
    want.push_back(i == 0 ? 0.0F : 1.0F);
  }
  for (const TrainingTable* table : available_training_tables())
    check_values(*table, ElementType::boolean, x, want);
}

float half_to_float(std::uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const double fraction = half & 1023;
  double value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024.0 + fraction, exponent - 25);
  if (exponent == 31) value = fraction == 0 ? HUGE_VAL : std::nan("");
  return static_cast<float>((half & 0x8000) != 0 ? -value : value);
}

TEST_CASE("every float16 converts exactly") {
  std::vector<std::uint16_t> x;
  std::vector<float> want;
  for (std::uint32_t i = 0; i < 65536; ++i) {
    x.push_back(static_cast<std::uint16_t>(i));
    want.push_back(half_to_float(x.back()));
  }
  for (const TrainingTable* table : available_training_tables())
    check_values(*table, ElementType::f16, x, want);
}

}  // namespace
}  // namespace lamina::kernels::testing
