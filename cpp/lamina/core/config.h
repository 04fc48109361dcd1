// Hyperparameters: declared once by each layer, loss, optimizer, ... and used for everything that needs them.
//
// A type declares its options struct and, in `fields()`, the name, member, check and meaning of each. The
// file format, repr, the Python class and its signature, and the checks at construction all come from that
// declaration:
//
//   class Dropout final : public Described<Dropout, Layer, DropoutOptions> {
//    public:
//     static constexpr const char* kType = "Dropout";
//     static constexpr const char* kDoc = "Sets each input to zero with probability `rate` while training.";
//     static void fields(Fields<DropoutOptions>& field) {
//       field("rate", &DropoutOptions::rate, "Fraction of the inputs to drop.", in_range(0, 1));
//     }
//     using Described::Described;
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lamina/core/error.h"
#include "lamina/core/tensor.h"

namespace lamina {

class Value;

// The description of an object: its type and its fields in declared order. What JSON and Python see.
struct Config {
  std::string type;
  std::vector<std::pair<std::string, Value>> fields;

  const Value* find(std::string_view name) const;
  friend bool operator==(const Config& a, const Config& b);
};

// A value of a field: nothing, a truth value, a number, a text, a list, or an object.
class Value {
 public:
  using List = std::vector<Value>;
  using Storage = std::variant<std::monostate, bool, std::int64_t, double, std::string,
                               std::shared_ptr<const List>, std::shared_ptr<const Config>>;

  Value();
  Value(bool value) : storage_(value) {}
  Value(std::int64_t value) : storage_(value) {}
  Value(int value) : storage_(std::int64_t{value}) {}
  Value(double value) : storage_(value) {}
  Value(std::string value) : storage_(std::move(value)) {}
  Value(const char* value) : storage_(std::string(value)) {}
  Value(List value);
  Value(Config value);
  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();

  const Storage& storage() const { return storage_; }
  bool is_none() const { return std::holds_alternative<std::monostate>(storage_); }
  const Config* object() const;  // null unless it is one
  const List* list() const;
  const std::string* text() const;
  std::string str() const;  // as Python writes it: None, True, 0.001, 'relu', (3, 4), L2(l2=0.01)

  friend bool operator==(const Value& a, const Value& b);

 private:
  Storage storage_;
};

// Shortest text that reads back as the same number ("0.001").
std::string format_number(double value);
// The double that a person meant by a float: 0.1f becomes 0.1. Doubles that are no floats stay as they are.
double decimal(double value);
// The candidate nearest to `name` by edit distance, or "" when none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);
// "Unknown activation 'rleu'; did you mean 'relu'?" as an ArgumentError.
[[noreturn]] void throw_unknown(std::string_view what, std::string_view name,
                                const std::vector<std::string>& known);

// What a field may hold; returns "" or what was expected ("a number in [0, 1)").
using Check = std::function<std::string(const Value&)>;
Check any_value();
Check in_range(double low, double high_exclusive);  // low <= x < high
Check in_closed_range(double low, double high);     // low <= x <= high
Check positive();                                   // x > 0, finite
Check non_negative();                               // x >= 0, finite
Check finite();
Check at_least(std::int64_t low);  // whole numbers
Check one_of(std::vector<std::string> names);

// One declared hyperparameter, without the struct that it lives in.
struct FieldInfo {
  std::string name;
  std::string kind;  // "float", "int", "bool", "str", "shape", "activation", "initializer", "regularizer",
                     // ...; a trailing "?" means that None is allowed
  bool required = false;
  Value default_value;
  std::string doc;
};

struct Schema {
  std::string type;
  std::string doc;
  std::vector<FieldInfo> fields;
  std::vector<std::string>
      aliases;  // strings that name the object with its defaults ("mse"); the type itself is no alias
};

// How a C++ type becomes a Value and back. Specialised for the basic types below, and for pointers to
// described objects beside their registries. `from` throws ArgumentError with what was expected and got.
template <class T>
struct FieldType;

// ---- the declaration
// What follows works on untyped memory, so that each type of member is compiled once, not each options
// struct.

// A member as a Value and back.
struct FieldAccess {
  std::string (*kind)();
  Value (*to)(const void* member);
  void (*from)(const Value& value, void* member);
};

template <class T>
inline constexpr FieldAccess kFieldAccess = {
    &FieldType<T>::kind, [](const void* member) { return FieldType<T>::to(*static_cast<const T*>(member)); },
    [](const Value& value, void* member) { *static_cast<T*>(member) = FieldType<T>::from(value); }};

struct Field {
  FieldInfo info;
  Check check;             // or none
  std::size_t offset = 0;  // of the member within the options
  const FieldAccess* access = nullptr;

  Value get(const void* options) const { return access->to(static_cast<const char*>(options) + offset); }
  void set(void* options, const Value& value) const {
    access->from(value, static_cast<char*>(options) + offset);
  }
};

class FieldList {
 public:
  const std::vector<Field>& all() const { return fields_; }
  // Marks the field declared last as one without a default.
  void require_last() { fields_.back().info.required = true; }

  // Canonicalises and checks every field of the options, ArgumentError otherwise.
  void check(const char* type, void* options) const;
  // Sets what the description has; fields that are missing keep what they are, unknown ones are an
  // ArgumentError, and missing required ones.
  void assign(const char* type, const Config& config, void* options) const;
  Config describe(const char* type, const void* options) const;

 protected:
  void add(const char* name, const FieldAccess& access, std::size_t offset, const void* default_member,
           const char* doc, Check check);

 private:
  std::vector<Field> fields_;
};

template <class Options>
class Fields : public FieldList {
 public:
  // Declares a field; its default is what a default-constructed Options holds.
  template <class T>
  Fields& operator()(const char* name, T Options::* member, const char* doc, Check check = {}) {
    const char* at = reinterpret_cast<const char*>(&(defaults_.*member));
    add(name, kFieldAccess<T>, static_cast<std::size_t>(at - reinterpret_cast<const char*>(&defaults_)), at,
        doc, std::move(check));
    return *this;
  }
  Fields& required() {
    require_last();
    return *this;
  }

 private:
  Options defaults_{};
};

template <class T>
const Fields<typename T::OptionsType>& fields_of() {
  static const auto* const kFields = [] {
    auto* fields = new Fields<typename T::OptionsType>();
    T::fields(*fields);
    return fields;
  }();
  return *kFields;
}

// "Dropout: expected rate to be a number in [0, 1), got 1.5."
[[noreturn]] void throw_bad_field(const std::string& type, const std::string& field,
                                  const std::string& expected, const Value& got);

// Options from a description.
template <class T>
typename T::OptionsType options_from(const Config& config) {
  typename T::OptionsType options;
  fields_of<T>().assign(T::kType, config, &options);
  return options;
}

// Types that only the program knows (written in Python, say) start with this; files keep their names.
inline constexpr const char* kCustomPrefix = "custom:";

// ---- described objects
// Anything with
// hyperparameters. Immutable hyperparameters are checked once, at construction.
class Describable {
 public:
  virtual ~Describable() = default;
  virtual std::string type() const = 0;
  virtual Config config() const = 0;
  std::string repr() const { return Value(config()).str(); }
};

// Options that have been checked. They are a base beside the kind, made before it and destroyed after it, so
// that tables of virtual functions of the classes in between are never in use, and compilers leave them out.
template <class Self, class Options>
class CheckedOptions {
 protected:
  explicit CheckedOptions(Options options) : options_(std::move(options)) {
    fields_of<Self>().check(Self::kType, &options_);
  }
  Options options_;
};

// Gives `Self`, a kind of `Base`, its options, config() and checks from Self::fields().
template <class Self, class Base, class Options>
class Described : protected CheckedOptions<Self, Options>, public Base {
 public:
  using KindType = Base;
  using OptionsType = Options;

  explicit Described(Options options = {}) : CheckedOptions<Self, Options>(std::move(options)) {}
  std::string type() const override { return Self::kType; }
  Config config() const override { return fields_of<Self>().describe(Self::kType, &this->options_); }
  const Options& options() const { return this->options_; }
};

// A T as its kind. (std::make_shared compiles to a class of its own for each T.)
template <class T>
std::shared_ptr<typename T::KindType> make_described(typename T::OptionsType options = {}) {
  typename T::KindType* object = new T(std::move(options));
  return std::shared_ptr<typename T::KindType>(object);
}

// ---- registries
template <class... Types>
struct TypeList {};

// The types of one kind, without the kind's own class.
class RegistryList {
 public:
  struct Entry {
    Schema schema;
    void* (*make)(const Config&);  // a new object, as a pointer to the kind's class
  };

  const std::vector<Entry>& entries() const { return entries_; }
  const std::string& kind() const { return kind_; }

 protected:
  explicit RegistryList(const char* kind) : kind_(kind) {}
  void add(const char* type, const char* doc, const FieldList& fields, std::span<const char* const> aliases,
           void* (*make)(const Config&));
  void* make_type(const Config& config) const;
  void* make_named(std::string_view name) const;

 private:
  std::string kind_;
  std::vector<Entry> entries_;
};

// The types of one kind ("layer", "optimizer", ...): made from a TypeList, one line a type.
template <class Base>
class Registry : public RegistryList {
 public:
  template <class... Types>
  Registry(const char* kind, TypeList<Types...>) : RegistryList(kind) {
    (add_type<Types>(), ...);
  }

  // An object from its description. ArgumentError for an unknown type, with the nearest known one.
  std::shared_ptr<Base> make(const Config& config) const {
    return std::shared_ptr<Base>(static_cast<Base*>(make_type(config)));
  }
  // An object with its defaults from one of its aliases ("adam", "mse") or its type.
  std::shared_ptr<Base> make(std::string_view name) const {
    return std::shared_ptr<Base>(static_cast<Base*>(make_named(name)));
  }

 private:
  template <class T>
  void add_type() {
    std::span<const char* const> aliases;
    if constexpr (requires { T::kAliases; }) aliases = T::kAliases;
    add(T::kType, T::kDoc, fields_of<T>(), aliases,
        [](const Config& config) -> void* { return static_cast<Base*>(new T(options_from<T>(config))); });
  }
};

// Base::registry() returns the Registry of the kind. A pointer to such an object as a field: null, a name or
// an object.
template <class Base>
concept Registered = requires { Base::registry(); };

// ---- field types
template <>
struct FieldType<double> {
  static std::string kind() { return "float"; }
  static Value to(double value) { return decimal(value); }
  static double from(const Value& value);
};
template <>
struct FieldType<bool> {
  static std::string kind() { return "bool"; }
  static Value to(bool value) { return value; }
  static bool from(const Value& value);
};
template <>
struct FieldType<std::int64_t> {
  static std::string kind() { return "int"; }
  static Value to(std::int64_t value) { return value; }
  static std::int64_t from(const Value& value);
};
template <>
struct FieldType<std::string> {
  static std::string kind() { return "str"; }
  static Value to(const std::string& value) { return value; }
  static std::string from(const Value& value);
};
template <>
struct FieldType<Shape> {
  static std::string kind() { return "shape"; }
  static Value to(const Shape& value);
  static Shape from(const Value& value);
};
template <class T>
struct FieldType<std::optional<T>> {
  static std::string kind() { return FieldType<T>::kind() + "?"; }
  static Value to(const std::optional<T>& value) { return value ? FieldType<T>::to(*value) : Value(); }
  static std::optional<T> from(const Value& value) {
    return value.is_none() ? std::nullopt : std::optional<T>(FieldType<T>::from(value));
  }
};
template <class T>
struct FieldType<std::vector<T>> {
  static std::string kind() { return "list of " + FieldType<T>::kind(); }
  static Value to(const std::vector<T>& value) {
    Value::List list;
    for (const T& item : value) list.push_back(FieldType<T>::to(item));
    return list;
  }
  static std::vector<T> from(const Value& value) {
    if (value.list() == nullptr) throw ArgumentError("expected a list, got " + value.str() + ".");
    std::vector<T> result;
    for (const Value& item : *value.list()) result.push_back(FieldType<T>::from(item));
    return result;
  }
};
template <Registered Base>
struct FieldType<std::shared_ptr<const Base>> {
  static std::string kind() { return Base::registry().kind() + "?"; }
  static Value to(const std::shared_ptr<const Base>& value) {
    return value ? Value(value->config()) : Value();
  }
  static std::shared_ptr<const Base> from(const Value& value) {
    if (value.is_none()) return nullptr;
    if (value.text() != nullptr) return Base::registry().make(std::string_view(*value.text()));
    if (value.object() != nullptr) return Base::registry().make(*value.object());
    throw ArgumentError("expected a name or an object, got " + value.str() + ".");
  }
};

}  // namespace lamina
