// JSON through nlohmann_json, the only place that knows it. Parsing is bounded: depth, number of values, no
// repeated keys.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "lamina/core/error.h"
#include "lamina/model/model_file.h"

namespace lamina {
namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxValues = 50000;  // bounds what a small hostile file can make us allocate

using Json = nlohmann::ordered_json;

// Nothing is written that from_json() would refuse.
Json json_of(const Value& value, std::size_t& count, std::size_t depth) {
  if (++count > kMaxValues || depth > kMaxDepth) {
    throw ArgumentError("File: expected at most 50000 values of depth 32 to describe a model, got more.");
  }
  struct Visitor {
    std::size_t& count;
    std::size_t depth;
    Json operator()(std::monostate) const { return nullptr; }
    Json operator()(bool flag) const { return flag; }
    Json operator()(std::int64_t number) const { return number; }
    Json operator()(double number) const { return number; }
    Json operator()(const std::string& text) const { return text; }
    Json operator()(const std::shared_ptr<const Value::List>& list) const {
      Json result = Json::array();
      for (const Value& item : *list) result.push_back(json_of(item, count, depth + 1));
      return result;
    }
    Json operator()(const std::shared_ptr<const Config>& object) const {
      Json fields = Json::object();
      for (const auto& [name, field] : object->fields)
        fields[name] = json_of(field, count, depth + (object->type.empty() ? 1 : 2));
      if (object->type.empty()) return fields;
      count += 2;
      return Json{{"class_name", object->type}, {"config", std::move(fields)}};
    }
  };
  return std::visit(Visitor{count, depth}, value.storage());
}

// {"class_name": type, "config": {...}} is an object of ours; any other stays a plain one, of type "".
Value object_of(std::vector<std::pair<std::string, Value>> fields) {
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

// Builds a Value from nlohmann's events, without its document in between.
class Builder {
 public:
  bool null() { return add(Value()); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      throw FormatError("a number is too large.");
    return add(static_cast<std::int64_t>(value));
  }
  bool number_float(double value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(std::vector<std::uint8_t>&) { throw FormatError("binary values are not allowed."); }
  bool start_object(std::size_t) { return open(true); }
  bool start_array(std::size_t) { return open(false); }
  bool key(std::string& name) {
    frames_.back().key = std::move(name);
    return true;
  }
  bool end_object() {
    check_keys(frames_.back().fields);
    Value value = object_of(std::move(frames_.back().fields));
    frames_.pop_back();
    return add(std::move(value));
  }
  bool end_array() {
    Value value(std::move(frames_.back().list));
    frames_.pop_back();
    return add(std::move(value));
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    throw FormatError("expected JSON, got an error at byte " + std::to_string(position) + ".");
  }

  Value result() { return std::move(result_); }

 private:
  struct Frame {
    bool is_object = false;
    std::string key;
    std::vector<std::pair<std::string, Value>> fields;
    Value::List list;
  };

  static void check_keys(const std::vector<std::pair<std::string, Value>>& fields) {
    std::vector<std::string_view> keys;
    for (const auto& field : fields) keys.emplace_back(field.first);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) throw FormatError("the key '" + std::string(*twice) + "' stands twice.");
  }

  bool open(bool is_object) {
    if (frames_.size() >= kMaxDepth) throw FormatError("expected JSON of depth 32 at most, got deeper.");
    frames_.push_back({is_object, {}, {}, {}});
    return true;
  }
  bool add(Value value) {
    if (++count_ > kMaxValues) throw FormatError("expected at most 50000 JSON values, got more.");
    if (frames_.empty()) {
      result_ = std::move(value);
    } else if (frames_.back().is_object) {
      frames_.back().fields.emplace_back(std::move(frames_.back().key), std::move(value));
    } else {
      frames_.back().list.push_back(std::move(value));
    }
    return true;
  }

  std::vector<Frame> frames_;
  std::size_t count_ = 0;
  Value result_;
};

}  // namespace

std::string to_json(const Value& value) {
  std::size_t count = 0;
  try {
    return json_of(value, count, 0).dump();
  } catch (const nlohmann::json::exception&) {
    throw ArgumentError("File: expected texts and names in UTF-8, got other bytes.");
  }
}

Value from_json(std::string_view text) {
  // nlohmann takes a NUL for the end, whatever follows.
  if (text.find('\0') != std::string_view::npos) throw FormatError("expected JSON, got a NUL byte.");
  Builder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder))
    throw FormatError("expected JSON, got something else.");
  return builder.result();
}

}  // namespace lamina
