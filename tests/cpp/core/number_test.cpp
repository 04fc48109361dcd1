#include "lamina/core/number.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

#include "lamina/core/config.h"

using namespace lamina;

namespace {

bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// In the C locale, which tests run in, strtod rounds correctly.
void check_as_strtod(const std::string& text) {
  const double want = std::strtod(text.c_str(), nullptr);
  if (same(nearest_double(text), want)) return;
  CAPTURE(text.substr(0, 200));
  CHECK(nearest_double(text) == want);
}

std::string printed(const char* format, int digits, double value) {
  std::string text(2000, '\0');
  text.resize(static_cast<std::size_t>(std::snprintf(text.data(), text.size(), format, digits, value)));
  return text;
}

// A double of any exponent and sign.
double random_double(std::mt19937_64& random) {
  for (;;) {
    const double value = std::bit_cast<double>(std::uint64_t{random()});
    if (std::isfinite(value)) return value;
  }
}

}  // namespace

TEST_CASE("nearest_double reads what numbers are printed as") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 30000; ++i) {
    const double value = i % 3 == 0 ? random_double(random) * 1e-310 : random_double(random);
    if (!std::isfinite(value)) continue;
    check_as_strtod(printed("%.*e", static_cast<int>(random() % 20), value));
    CHECK(same(nearest_double(printed("%.*e", 16, value)), value));
  }
}

TEST_CASE("nearest_double rounds numbers halfway to an even last bit, and sees what is behind many digits") {
  std::mt19937_64 random(2);
  for (int i = 0; i < 300; ++i) {
    // From 2^52 to 2^53 doubles are whole numbers.
    const std::uint64_t whole = (std::uint64_t{1} << 52) + random() % (std::uint64_t{1} << 52);
    const std::string digits = std::to_string(whole);
    for (const char* tail : {".5", ".4999999999999999999999999999", ".50000000000000000000000000001"}) {
      check_as_strtod(digits + tail);
      check_as_strtod(digits + tail + "e-300");
    }
    // Far below the normal range the halfway points have hundreds of digits.
    const double small = std::ldexp(static_cast<double>(random() % 1000), -1074);
    const std::string exact = printed("%.*e", 800, small);
    check_as_strtod(exact);
    check_as_strtod(std::string(exact).insert(exact.find('e'), "0000001"));
  }
  check_as_strtod("9007199254740993");
  check_as_strtod("9007199254740993." + std::string(1000, '0') + "1");
  check_as_strtod("9007199254740992." + std::string(900, '9'));
  check_as_strtod("2.4703282292062327e-324");
  check_as_strtod("2.4703282292062328e-324");
}

TEST_CASE("nearest_double at the ends of its range") {
  for (const char* text : {"0",
                           "-0",
                           "0.0",
                           "-0e5",
                           "0e99999999999",
                           "1e400",
                           "-1e400",
                           "1e-400",
                           "-1e-400",
                           "4.9e-324",
                           "1.7976931348623157e308",
                           "1.7976931348623158e308",
                           "1.7976931348623159e308",
                           "179769313486231580793e289",
                           "0.00000000000000000000000000000000000001e38",
                           "1E5",
                           "1e+5",
                           "123456789012345678901234567890",
                           "1e22",
                           "1e23",
                           "2.2250738585072011e-308",
                           "2.2250738585072014e-308",
                           "1e99999999999999999999",
                           "1e-99999999999999999999",
                           "100000000000000000000000e-23"}) {
    CAPTURE(std::string(text));
    CHECK(same(nearest_double(text), std::strtod(text, nullptr)));
  }
  check_as_strtod(std::string(100000, '1'));
  check_as_strtod("0." + std::string(100000, '0') + "1e100001");
}

TEST_CASE("numbers are written with the fewest digits that read back") {
  std::mt19937_64 random(3);
  for (int i = 0; i < 3000; ++i) {
    const double value = i % 3 == 0 ? random_double(random) * 1e-310 : random_double(random);
    if (!std::isfinite(value) || value == 0) continue;
    const std::string text = format_number(value);
    CHECK(same(std::strtod(text.c_str(), nullptr), value));
    std::size_t digits = 0;  // without zeros at either end
    std::size_t zeros = 0;
    for (const char c : text.substr(0, text.find('e'))) {
      if (c < '0' || c > '9' || (c == '0' && digits == 0)) continue;
      zeros = c == '0' ? zeros + 1 : 0;
      ++digits;
    }
    digits -= zeros;
    if (digits > 1) {
      CHECK(!same(std::strtod(printed("%.*e", static_cast<int>(digits) - 2, value).c_str(), nullptr), value));
    }
  }
  CHECK(format_number(5e-324) == "5e-324");
  CHECK(format_number(decimal(static_cast<double>(0.1F))) == "0.1");
  CHECK(format_number(decimal(static_cast<double>(1e-45F))) == "1e-45");
}
