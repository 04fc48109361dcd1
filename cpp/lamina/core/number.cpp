// Few digits and a small exponent take one exact multiplication or division (Clinger, "How to Read Floating
// Point Numbers Accurately", 1990). Else the number is a quotient of two whole numbers of any size, divided
// bit by bit.
//
// The C library's strtod does the same, goes by the locale, and brings 37 KB to a program that links it in;
// the C++ library's from_chars brings more.
#include "lamina/core/number.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace lamina {

namespace {

// A whole number from 0 on of any size, as words of 32 bits, the lowest first.
class Natural {
 public:
  explicit Natural(std::uint32_t value) : words_{value} {}

  void multiply_and_add(std::uint32_t factor, std::uint32_t addend) {
    std::uint64_t carry = addend;
    for (std::uint32_t& word : words_) {
      carry += std::uint64_t{word} * factor;
      word = static_cast<std::uint32_t>(carry);
      carry >>= 32U;
    }
    if (carry != 0) words_.push_back(static_cast<std::uint32_t>(carry));
  }
  void multiply_by_power_of_ten(int exponent) {
    for (; exponent > 0; --exponent) multiply_and_add(10, 0);
  }

  int bits() const {
    int count = static_cast<int>(32 * words_.size());
    for (std::size_t i = words_.size(); i-- > 0 && words_[i] == 0;) count -= 32;
    if (count == 0) return 0;
    for (std::uint32_t top = words_[static_cast<std::size_t>(count / 32 - 1)]; (top & 0x80000000U) == 0;
         top <<= 1U) {
      --count;
    }
    return count;
  }

  void shift_left(int count) {
    for (; count >= 16; count -= 16) multiply_and_add(1U << 16U, 0);
    multiply_and_add(1U << static_cast<unsigned>(count), 0);
  }
  void halve() {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::uint32_t next = i + 1 < words_.size() ? words_[i + 1] : 0;
      words_[i] = words_[i] >> 1U | next << 31U;
    }
  }

  // Subtracts `other` where that leaves no less than 0, and tells.
  bool subtract(const Natural& other) {
    if (is_below(other)) return false;
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::uint64_t difference = std::uint64_t{words_[i]} - other.word(i) - borrow;
      words_[i] = static_cast<std::uint32_t>(difference);
      borrow = difference >> 63U;
    }
    return true;
  }

 private:
  std::uint32_t word(std::size_t i) const { return i < words_.size() ? words_[i] : 0; }
  bool is_below(const Natural& other) const {
    for (std::size_t i = std::max(words_.size(), other.words_.size()); i-- > 0;) {
      if (word(i) != other.word(i)) return word(i) < other.word(i);
    }
    return false;
  }

  std::vector<std::uint32_t> words_;
};

// numerator / denominator, both above 0, to the nearest double.
double nearest_quotient(Natural numerator, Natural denominator) {
  // quotient = floor(2^scale * numerator / denominator) has 54 or 55 bits.
  constexpr int kMantissa = std::numeric_limits<double>::digits;
  constexpr int kLeastExponent = std::numeric_limits<double>::min_exponent - kMantissa;  // of the last bit
  const int scale = kMantissa + 1 - (numerator.bits() - denominator.bits());
  (scale > 0 ? numerator : denominator).shift_left(std::abs(scale));
  constexpr int kSteps = kMantissa + 2;
  denominator.shift_left(kSteps - 1);
  std::uint64_t quotient = 0;
  for (int step = 0; step < kSteps; ++step) {
    quotient = quotient << 1U | (numerator.subtract(denominator) ? 1U : 0U);
    denominator.halve();
  }
  const bool exact = numerator.bits() == 0;
  const int surplus = (quotient >> (kMantissa + 1)) != 0 ? 2 : 1;
  const int dropped = std::max(surplus, kLeastExponent + scale);  // more below the normal range
  if (dropped > kSteps) return 0.0;
  std::uint64_t kept = quotient >> static_cast<unsigned>(dropped);
  const std::uint64_t rest = quotient - (kept << static_cast<unsigned>(dropped));
  const std::uint64_t half = std::uint64_t{1} << static_cast<unsigned>(dropped - 1);
  if (rest > half || (rest == half && (!exact || (kept & 1U) != 0))) ++kept;
  return std::ldexp(static_cast<double>(kept), dropped - scale);
}

// digits * 10^exponent
double nearest(const std::string& digits, int exponent) {
  constexpr std::size_t kExactDigits = 15;
  constexpr int kExactPower = 22;  // 10^22 is the last power of ten that a double holds
  constexpr int kLargest = std::numeric_limits<double>::max_exponent10;
  constexpr int kLeast =
      std::numeric_limits<double>::min_exponent10 - std::numeric_limits<double>::digits10 - 2;
  const int size = static_cast<int>(digits.size()) + exponent;  // the number is below 10^size
  if (digits.empty() || size < kLeast) return 0.0;
  if (size > kLargest + 1) return std::numeric_limits<double>::infinity();
  if (digits.size() <= kExactDigits && std::abs(exponent) <= kExactPower) {
    double whole = 0;
    for (const char digit : digits) whole = 10 * whole + (digit - '0');
    double power = 1;
    for (int i = 0; i < std::abs(exponent); ++i) power *= 10;
    return exponent < 0 ? whole / power : whole * power;
  }
  Natural numerator(0);
  for (const char digit : digits) numerator.multiply_and_add(10, static_cast<std::uint32_t>(digit - '0'));
  Natural denominator(1);
  (exponent < 0 ? denominator : numerator).multiply_by_power_of_ten(std::abs(exponent));
  return nearest_quotient(std::move(numerator), std::move(denominator));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

double nearest_double(std::string_view text) {
  constexpr std::size_t kMostDigits = 800;  // no halfway point between doubles has more
  constexpr int kFar = 1 << 24;  // far beyond what a double has, and what a text of digits may have
  std::size_t at = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) ++at;
  std::string digits;  // without zeros in front
  int exponent = 0;
  bool after_point = false;
  bool more = false;  // digits were left out that are not 0
  for (; at < text.size() && (is_digit(text[at]) || text[at] == '.'); ++at) {
    if (text[at] == '.') {
      after_point = true;
      continue;
    }
    const bool kept = digits.size() < kMostDigits;
    if (kept && (!digits.empty() || text[at] != '0')) digits += text[at];
    if (!kept) more = more || text[at] != '0';
    if (exponent > -kFar && exponent < kFar) exponent += (kept ? 0 : 1) - (after_point ? 1 : 0);
  }
  if (more) digits.back() = '1';  // a little more than the digits kept: any 1 this far behind breaks a tie
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    const bool down = at < text.size() && text[at] == '-';
    if (down || (at < text.size() && text[at] == '+')) ++at;
    int power = 0;
    for (; at < text.size() && is_digit(text[at]); ++at)
      power = std::min(kFar, 10 * power + (text[at] - '0'));
    exponent += down ? -power : power;
  }
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  const double size = nearest(digits, exponent);
  return negative ? -size : size;
}

}  // namespace lamina
