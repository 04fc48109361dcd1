// JSON of a Value. Nothing is written that from_json() would refuse.
#include <cmath>

#include "lamina/core/error.h"
#include "lamina/model/json_text.h"
#include "lamina/model/model_file.h"

namespace lamina {
namespace {

class Writer {
 public:
  // `depth` counts the lists and objects that the value lies in.
  void write(const Value& value, std::size_t depth) {
    if (++count_ > json::kMaxValues || depth > json::kMaxDepth) {
      throw ArgumentError("File: expected at most 50000 values of depth 32 to describe a model, got more.");
    }
    if (const Config* object = value.object()) {
      write_object(*object, depth);
    } else if (const Value::List* list = value.list()) {
      text_ += '[';
      for (const Value& item : *list) {
        separate('[');
        write(item, depth + 1);
      }
      text_ += ']';
    } else if (const std::string* text = value.text()) {
      write_text(*text);
    } else if (const auto* flag = std::get_if<bool>(&value.storage())) {
      text_ += *flag ? "true" : "false";
    } else if (const auto* whole = std::get_if<std::int64_t>(&value.storage())) {
      text_ += std::to_string(*whole);
    } else {
      const auto* number = std::get_if<double>(&value.storage());
      text_ += number != nullptr && std::isfinite(*number) ? format_number(*number) : "null";
    }
  }

  std::string result() { return std::move(text_); }

 private:
  void separate(char opening) {
    if (text_.back() != opening) text_ += ',';
  }

  // A plain object, or {"class_name": type, "config": {...}}.
  void write_object(const Config& object, std::size_t depth) {
    if (!object.type.empty()) {
      count_ += 2;
      text_ += R"({"class_name":)";
      write_text(object.type);
      text_ += R"(,"config":)";
    }
    if (const std::string* twice = json::repeated_key(object.fields))
      throw ArgumentError("File: expected names that differ, got '" + *twice + "' twice.");
    text_ += '{';
    for (const auto& [name, field] : object.fields) {
      separate('{');
      write_text(name);
      text_ += ':';
      write(field, depth + (object.type.empty() ? 1 : 2));
    }
    text_ += object.type.empty() ? "}" : "}}";
  }

  void write_text(std::string_view text) {
    text_ += '"';
    while (!text.empty()) {
      const std::size_t length = json::utf8_length(text);
      if (length == 0) throw ArgumentError("File: expected texts and names in UTF-8, got other bytes.");
      if (length == 1) {
        write_ascii(text[0]);
      } else {
        text_ += text.substr(0, length);
      }
      text.remove_prefix(length);
    }
    text_ += '"';
  }

  void write_ascii(char c) {
    constexpr std::string_view kSpecial = "\"\\\b\f\n\r\t";
    constexpr std::string_view kNames = "\"\\bfnrt";
    const std::size_t index = kSpecial.find(c);
    const auto code = static_cast<unsigned char>(c);
    if (index != std::string_view::npos) {
      text_ += '\\';
      text_ += kNames[index];
    } else if (code < 0x20) {
      text_ += code < 0x10 ? "\\u000" : "\\u001";
      text_ += "0123456789abcdef"[code & 15U];
    } else {
      text_ += c;
    }
  }

  std::string text_;
  std::size_t count_ = 0;
};

}  // namespace

std::string to_json(const Value& value) {
  Writer writer;
  writer.write(value, 0);
  return writer.result();
}

}  // namespace lamina
