// JSON (RFC 8259), read strictly and within bounds: depth, number of values, UTF-8, no key twice.
#include <charconv>
#include <cmath>

#include "lamina/core/error.h"
#include "lamina/core/number.h"
#include "lamina/model/json_text.h"
#include "lamina/model/model_file.h"

namespace lamina {
namespace {

using Fields = std::vector<std::pair<std::string, Value>>;

// {"class_name": type, "config": {...}} is an object of ours; any other stays a plain one, of type "".
Value object_of(Fields fields) {
  Config plain{"", std::move(fields)};
  if (plain.fields.size() == 2) {
    const Value* type = plain.find("class_name");
    const Value* config = plain.find("config");
    if (type != nullptr && type->text() != nullptr && config != nullptr && config->object() != nullptr) {
      return Config{*type->text(), config->object()->fields};
    }
  }
  return plain;
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) return put(code);
  const unsigned more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;  // bytes after the first
  put(((0xFF00U >> (more + 1)) & 0xFFU) | code >> (6 * more));
  for (unsigned i = more; i-- > 0;) put(0x80U | ((code >> (6 * i)) & 0x3FU));
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Value document() {
    Value result = value(0);
    if (at_ != text_.size()) fail();
    return result;
  }

 private:
  [[noreturn]] void fail() const {
    throw FormatError("expected JSON, got an error at byte " + std::to_string(at_) + ".");
  }

  // The next byte, 0 at the end; a byte 0 within the text stands nowhere in JSON.
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail();
  }
  void expect(std::string_view word) {
    for (const char c : word) expect(c);
  }
  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') ++at_;
  }
  bool take_after_space(char c) {
    skip_space();
    return take(c);
  }

  // With the white space around it. `depth` counts the lists and objects that it lies in.
  Value value(std::size_t depth) {
    skip_space();
    if (++count_ > json::kMaxValues) throw FormatError("expected at most 50000 JSON values, got more.");
    Value result = bare_value(depth);
    skip_space();
    return result;
  }

  Value bare_value(std::size_t depth) {
    switch (peek()) {
      case '{':
        return object(depth);
      case '[':
        return list(depth);
      case '"':
        return text();
      case 't':
        return expect("true"), true;
      case 'f':
        return expect("false"), false;
      case 'n':
        return expect("null"), Value();
      default:
        return number();
    }
  }

  void check_depth(std::size_t depth) const {
    if (depth >= json::kMaxDepth) throw FormatError("expected JSON of depth 32 at most, got deeper.");
  }

  Value object(std::size_t depth) {
    check_depth(depth);
    expect('{');
    Fields fields;
    if (!take_after_space('}')) {
      do {
        skip_space();
        std::string key = text();
        skip_space();
        expect(':');
        Value field = value(depth + 1);
        fields.emplace_back(std::move(key), std::move(field));
      } while (take(','));
      expect('}');
    }
    const std::string* twice = json::repeated_key(fields);
    if (twice != nullptr) throw FormatError("the key '" + *twice + "' stands twice.");
    return object_of(std::move(fields));
  }

  Value list(std::size_t depth) {
    check_depth(depth);
    expect('[');
    Value::List items;
    if (!take_after_space(']')) {
      do items.push_back(value(depth + 1));
      while (take(','));
      expect(']');
    }
    return items;
  }

  std::string text() {
    expect('"');
    std::string result;
    while (!take('"')) {
      const std::size_t begin = at_;
      if (take('\\')) {
        append_utf8(result, escape());
        continue;
      }
      if (static_cast<unsigned char>(peek()) < 0x20) fail();  // and at the end
      const std::size_t length = json::utf8_length(text_.substr(at_));
      if (length == 0) fail();
      at_ += length;
      result.append(text_, begin, length);
    }
    return result;
  }

  // The character that follows a backslash.
  std::uint32_t escape() {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const std::size_t index = kNames.find(peek());
    if (at_ < text_.size() && index != std::string_view::npos) {
      ++at_;
      return static_cast<unsigned char>(kMeanings[index]);
    }
    const std::uint32_t code = code_unit();
    if (code < 0xD800 || code > 0xDFFF) return code;
    if (code > 0xDBFF) fail();  // the second half of a pair comes first
    expect('\\');
    const std::uint32_t low = code_unit();
    if (low < 0xDC00 || low > 0xDFFF) fail();
    return 0x10000 + ((code & 0x3FFU) << 10U | (low & 0x3FFU));
  }

  // u and four hexadecimal digits.
  std::uint32_t code_unit() {
    expect('u');
    std::uint32_t code = 0;
    const char* begin = text_.data() + at_;
    const char* end = begin + std::min<std::size_t>(4, text_.size() - at_);
    const auto read = std::from_chars(begin, end, code, 16);
    if (read.ec != std::errc() || read.ptr != begin + 4) fail();
    at_ += 4;
    return code;
  }

  void digits() {
    if (peek() < '0' || peek() > '9') fail();
    while (peek() >= '0' && peek() <= '9') ++at_;
  }

  Value number() {
    const std::size_t begin = at_;
    bool whole = true;
    take('-');
    if (!take('0')) digits();
    if (take('.')) {
      whole = false;
      digits();
    }
    if (take('e') || take('E')) {
      whole = false;
      if (!take('+')) take('-');
      digits();
    }
    const std::string_view token = text_.substr(begin, at_ - begin);
    const char* end = token.data() + token.size();
    std::int64_t integer = 0;
    if (whole && std::from_chars(token.data(), end, integer).ec == std::errc()) return integer;
    std::uint64_t larger = 0;
    if (whole && token[0] != '-' && std::from_chars(token.data(), end, larger).ec == std::errc())
      throw FormatError("a number is too large.");
    const double number = nearest_double(token);
    if (!std::isfinite(number)) fail();
    return number;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

Value from_json(std::string_view text) {
  return Reader(text).document();
}

}  // namespace lamina
