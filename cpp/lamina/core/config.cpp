#include "lamina/core/config.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "lamina/core/number.h"

namespace lamina {

// ---- numbers as text

namespace {

// A program may have set a locale in which numbers have another sign than a point.
std::string with_point(std::string text) {
  const std::size_t at = text.find_first_not_of("+-0123456789e");
  if (at == std::string::npos) return text;
  const std::size_t end = text.find_first_of("0123456789", at);
  return text.replace(at, end - at, ".");
}

// The fewest digits that read back as the same T, as in "1.25e-07". What fewer than digits10 of them name is,
// in the normal range, printed with digits10 as these and zeros. (std::to_chars does it, too, and makes a
// program that links the C++ library in 200 KB larger.)
template <class T>
std::string shortest(T value) {
  using Limits = std::numeric_limits<T>;
  std::string text;
  for (int digits = std::abs(value) < Limits::min() ? 1 : Limits::digits10; digits <= Limits::max_digits10;
       ++digits) {
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.*e", digits - 1, static_cast<double>(value));
    text = with_point(buffer.data());
    if (static_cast<T>(nearest_double(text)) == value) break;
  }
  const std::size_t exponent = text.find('e');
  std::size_t end = text.find_last_not_of('0', exponent - 1) + 1;
  if (text[end - 1] == '.') --end;
  return text.erase(end, exponent - end);
}

}  // namespace

std::string format_number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  // The layout is Python's: plain from 1e-4 up to 1e16, exponents of at least two digits elsewhere, and
  // always a sign that it is no whole number (".0").
  const std::string scientific = shortest(value);
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  if (!plain) return scientific;
  const std::size_t point = scientific.find('.');
  const std::size_t exponent_at = scientific.find('e');
  const int decimals = point == std::string::npos ? 0 : static_cast<int>(exponent_at - point - 1);
  const int exponent = std::atoi(scientific.c_str() + exponent_at + 1);
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", std::max(0, decimals - exponent), value);
  std::string text = with_point(buffer.data());
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

double decimal(double value) {
  const float narrow = static_cast<float>(value);
  if (!std::isfinite(value) || static_cast<double>(narrow) != value) return value;
  return nearest_double(shortest(narrow));
}

namespace {

// A bound in a message: "0", "0.5", "inf".
std::string bound_text(double value) {
  std::string text = format_number(value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

// A text as Python's repr quotes it.
std::string quoted(const std::string& text) {
  const bool holds_single = text.find('\'') != std::string::npos;
  const bool holds_double = text.find('"') != std::string::npos;
  const char quote = holds_single && !holds_double ? '"' : '\'';
  std::string result(1, quote);
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\r') {
      result += "\\r";
    } else if (c == '\t') {
      result += "\\t";
    } else if (code < 0x20 || code == 0x7F) {
      constexpr const char* kHex = "0123456789abcdef";
      result += "\\x";
      result += kHex[code >> 4];
      result += kHex[code & 15];
    } else {
      result += c;
    }
  }
  return result + quote;
}

std::string list_text(const Value::List& list) {
  std::string text = "(";
  for (std::size_t i = 0; i < list.size(); ++i) text += (i > 0 ? ", " : "") + list[i].str();
  return text + (list.size() == 1 ? ",)" : ")");
}

std::string object_text(const Config& config) {
  std::string text = config.type + "(";
  for (std::size_t i = 0; i < config.fields.size(); ++i) {
    text += (i > 0 ? ", " : "") + config.fields[i].first + "=" + config.fields[i].second.str();
  }
  return text + ")";
}

}  // namespace

// ---- Config and Value

const Value* Config::find(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (key == name) return &value;
  }
  return nullptr;
}

bool operator==(const Config& a, const Config& b) {
  return a.type == b.type && a.fields == b.fields;
}

// Out of line, so that programs that include the header need not compile them.
Value::Value() = default;
Value::Value(List value) : storage_(std::make_shared<const List>(std::move(value))) {}
Value::Value(Config value) : storage_(std::make_shared<const Config>(std::move(value))) {}
Value::Value(const Value& other) = default;
Value::Value(Value&& other) noexcept = default;
Value& Value::operator=(const Value& other) = default;
Value& Value::operator=(Value&& other) noexcept = default;
Value::~Value() = default;

const Config* Value::object() const {
  const auto* pointer = std::get_if<std::shared_ptr<const Config>>(&storage_);
  return pointer != nullptr ? pointer->get() : nullptr;
}

const Value::List* Value::list() const {
  const auto* pointer = std::get_if<std::shared_ptr<const List>>(&storage_);
  return pointer != nullptr ? pointer->get() : nullptr;
}

const std::string* Value::text() const {
  return std::get_if<std::string>(&storage_);
}

std::string Value::str() const {
  if (const auto* truth = std::get_if<bool>(&storage_)) return *truth ? "True" : "False";
  if (const auto* whole = std::get_if<std::int64_t>(&storage_)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&storage_)) return format_number(*number);
  if (text() != nullptr) return quoted(*text());
  if (list() != nullptr) return list_text(*list());
  if (object() != nullptr) return object_text(*object());
  return "None";
}

bool operator==(const Value& a, const Value& b) {
  if (a.list() != nullptr && b.list() != nullptr) return *a.list() == *b.list();
  if (a.object() != nullptr && b.object() != nullptr) return *a.object() == *b.object();
  return a.storage_ == b.storage_;
}

// ---- names

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// The least number of insertions, deletions, substitutions and swaps of neighbours that turn a into b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({substitute, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongest = 100;  // no name of ours is longer; keeps the cost of a bad one small
  if (name.empty() || name.size() > kLongest) return "";
  const std::string wanted = lower(name);
  std::string nearest;
  std::size_t least = (name.size() + 2) / 3 + 1;  // up to a third of the letters may be wrong
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(wanted, lower(candidate));
    if (distance < least && distance < std::max(name.size(), candidate.size())) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

void throw_unknown(std::string_view what, std::string_view name, const std::vector<std::string>& known) {
  std::string message = "Unknown " + std::string(what) + " " + quoted(std::string(name)) + "; ";
  const std::string nearest = nearest_name(name, known);
  if (!nearest.empty()) throw ArgumentError(message + "did you mean " + quoted(nearest) + "?");
  if (known.empty()) throw ArgumentError(message + "none is known.");
  message += known.size() == 1 ? "expected " : "expected one of ";
  for (std::size_t i = 0; i < known.size(); ++i) message += (i > 0 ? ", " : "") + quoted(known[i]);
  throw ArgumentError(message + ".");
}

void throw_bad_field(const std::string& type, const std::string& field, const std::string& expected,
                     const Value& got) {
  throw ArgumentError(type + ": expected " + field + " to be " + expected + ", got " + got.str() + ".");
}

// ---- checks

namespace {

// The number that a value holds, or NaN.
double number_in(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value.storage())) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&value.storage())) return *number;
  return std::numeric_limits<double>::quiet_NaN();
}

// A check that every number passes `allowed`. None passes: whether a field may be None is its type's
// business. A list passes when all its items do.
template <class Allowed>
Check check_numbers(std::string expected, Allowed allowed) {
  return [expected = std::move(expected), allowed](const Value& value) -> std::string {
    if (value.is_none()) return "";
    if (const auto* list = value.list()) {
      const bool all = std::all_of(list->begin(), list->end(),
                                   [&](const Value& item) { return allowed(number_in(item)); });
      return all ? "" : "a list whose items are each " + expected;
    }
    return allowed(number_in(value)) ? "" : expected;
  };
}

}  // namespace

Check any_value() {
  return [](const Value&) { return std::string(); };
}

Check in_range(double low, double high_exclusive) {
  return check_numbers("a number in [" + bound_text(low) + ", " + bound_text(high_exclusive) + ")",
                       [=](double x) { return x >= low && x < high_exclusive; });
}

Check in_closed_range(double low, double high) {
  return check_numbers("a number in [" + bound_text(low) + ", " + bound_text(high) + "]",
                       [=](double x) { return x >= low && x <= high; });
}

Check positive() {
  return check_numbers("a positive number", [](double x) { return x > 0 && std::isfinite(x); });
}

Check non_negative() {
  return check_numbers("a non-negative number", [](double x) { return x >= 0 && std::isfinite(x); });
}

Check finite() {
  return check_numbers("a finite number", [](double x) { return std::isfinite(x); });
}

Check at_least(std::int64_t low) {
  return check_numbers("a whole number of at least " + std::to_string(low), [=](double x) {
    return x >= static_cast<double>(low) && std::isfinite(x) && x == std::floor(x);
  });
}

Check one_of(std::vector<std::string> names) {
  return [names = std::move(names)](const Value& value) -> std::string {
    if (value.is_none()) return "";
    if (value.text() != nullptr && std::find(names.begin(), names.end(), *value.text()) != names.end()) {
      return "";
    }
    std::string expected = names.size() == 1 ? "" : "one of ";
    for (std::size_t i = 0; i < names.size(); ++i) expected += (i > 0 ? ", " : "") + quoted(names[i]);
    return expected;
  };
}

// ---- field types

double FieldType<double>::from(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value.storage())) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&value.storage())) return *number;
  throw ArgumentError("expected a number, got " + value.str() + ".");
}

bool FieldType<bool>::from(const Value& value) {
  if (const auto* truth = std::get_if<bool>(&value.storage())) return *truth;
  throw ArgumentError("expected True or False, got " + value.str() + ".");
}

std::int64_t FieldType<std::int64_t>::from(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value.storage())) return *whole;
  throw ArgumentError("expected a whole number, got " + value.str() + ".");
}

std::string FieldType<std::string>::from(const Value& value) {
  if (value.text() != nullptr) return *value.text();
  throw ArgumentError("expected a text, got " + value.str() + ".");
}

Value FieldType<Shape>::to(const Shape& value) {
  Value::List list;
  for (const std::size_t extent : value) list.emplace_back(static_cast<std::int64_t>(extent));
  return list;
}

Shape FieldType<Shape>::from(const Value& value) {
  const Value::List* list = value.list();
  if (list == nullptr) throw ArgumentError("expected a shape such as (28, 28), got " + value.str() + ".");
  std::vector<std::size_t> extents;
  for (const Value& item : *list) {
    const auto* whole = std::get_if<std::int64_t>(&item.storage());
    if (whole == nullptr || *whole < 0) {
      throw ArgumentError("expected a shape of non-negative whole numbers, got " + value.str() + ".");
    }
    extents.push_back(static_cast<std::size_t>(*whole));
  }
  return Shape(extents);
}

// ---- fields
void FieldList::add(const char* name, const FieldAccess& access, std::size_t offset,
                    const void* default_member, const char* doc, Check check) {
  fields_.push_back(
      {{name, access.kind(), false, access.to(default_member), doc}, std::move(check), offset, &access});
}

void FieldList::check(const char* type, void* options) const {
  for (const Field& field : fields_) {
    const Value value = field.get(options);
    const std::string expected = field.check ? field.check(value) : "";
    if (!expected.empty()) throw_bad_field(type, field.info.name, expected, value);
    // An object is canonical already, and may be of a type that no registry can make again.
    if (value.object() == nullptr) field.set(options, value);
  }
}

void FieldList::assign(const char* type, const Config& config, void* options) const {
  for (const auto& [name, value] : config.fields) {
    const auto found = std::find_if(fields_.begin(), fields_.end(),
                                    [&name = name](const Field& field) { return field.info.name == name; });
    if (found == fields_.end()) {
      std::vector<std::string> known;
      for (const Field& field : fields_) known.push_back(field.info.name);
      throw_unknown(std::string("argument of ") + type, name, known);
    }
    try {
      found->set(options, value);
    } catch (const ArgumentError& error) {
      throw ArgumentError(std::string(type) + ": " + name + ": " + error.what());
    }
  }
  for (const Field& field : fields_) {
    if (field.info.required && config.find(field.info.name) == nullptr) {
      throw ArgumentError(std::string(type) + ": expected the argument '" + field.info.name + "', got none.");
    }
  }
}

Config FieldList::describe(const char* type, const void* options) const {
  Config config{type, {}};
  for (const Field& field : fields_) config.fields.emplace_back(field.info.name, field.get(options));
  return config;
}

// ---- registries
void RegistryList::add(const char* type, const char* doc, const FieldList& fields,
                       std::span<const char* const> aliases, void* (*make)(const Config&)) {
  Schema schema{type, doc, {}, {aliases.begin(), aliases.end()}};
  for (const Field& field : fields.all()) schema.fields.push_back(field.info);
  entries_.push_back({std::move(schema), make});
}

void* RegistryList::make_type(const Config& config) const {
  std::vector<std::string> known;
  for (const Entry& entry : entries_) {
    if (entry.schema.type == config.type) return entry.make(config);
    known.push_back(entry.schema.type);
  }
  throw_unknown(kind_, config.type, known);
}

void* RegistryList::make_named(std::string_view name) const {
  std::vector<std::string> known;
  for (const Entry& entry : entries_) {
    if (entry.schema.type == name) return entry.make({entry.schema.type, {}});
    for (const std::string& alias : entry.schema.aliases) {
      if (alias == name) return entry.make({entry.schema.type, {}});
      known.push_back(alias);
    }
  }
  throw_unknown(kind_, name, known);
}

}  // namespace lamina
