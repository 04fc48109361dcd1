#include "values.h"

namespace lamina::python {
namespace {

std::string to_text(const py::handle& object) {
  py::ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(object.ptr(), &size);
  if (text == nullptr) {  // half of a surrogate pair
    PyErr_Clear();
    throw ArgumentError("expected a text of whole Unicode characters, got half of a surrogate pair.");
  }
  return {text, static_cast<std::size_t>(size)};
}

bool is_config(const py::handle& object) {
  if (!py::isinstance<py::tuple>(object)) return false;
  const auto tuple = py::reinterpret_borrow<py::tuple>(object);
  return tuple.size() == 2 && py::isinstance<py::str>(tuple[0]) && py::isinstance<py::dict>(tuple[1]);
}

}  // namespace

Value to_value(const py::handle& object) {
  if (object.is_none()) return {};
  if (py::isinstance<py::bool_>(object)) return object.cast<bool>();
  if (py::isinstance<py::str>(object)) return to_text(object);
  if (py::isinstance<Describable>(object)) return object.cast<const Describable&>().config();
  if (is_config(object)) {
    const auto tuple = py::reinterpret_borrow<py::tuple>(object);
    return to_config(tuple[0].cast<std::string>(), tuple[1]);
  }
  if (py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object)) {
    Value::List list;
    for (const py::handle item : object) list.push_back(to_value(item));
    return list;
  }
  // Numbers of any kind, NumPy's included: whole ones have __index__.
  if (PyIndex_Check(object.ptr()) != 0) {
    const py::object whole = py::reinterpret_steal<py::object>(PyNumber_Index(object.ptr()));
    if (!whole) throw py::error_already_set();
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(whole.ptr(), &overflow);
    if (overflow != 0)
      throw ArgumentError("expected a whole number of at most 64 bits, got " +
                          py::str(object).cast<std::string>() + ".");
    return static_cast<std::int64_t>(number);
  }
  if (py::hasattr(object, "__float__"))
    return py::float_(py::reinterpret_borrow<py::object>(object)).cast<double>();
  throw ArgumentError("expected a number, text, list or object of lamina, got " +
                      py::repr(object).cast<std::string>() + ".");
}

py::object from_value(const Value& value) {
  struct Visitor {
    py::object operator()(std::monostate) const { return py::none(); }
    py::object operator()(bool flag) const { return py::bool_(flag); }
    py::object operator()(std::int64_t number) const { return py::int_(number); }
    py::object operator()(double number) const { return py::float_(number); }
    py::object operator()(const std::string& text) const { return py::str(text); }
    py::object operator()(const std::shared_ptr<const Value::List>& list) const {
      py::list result;
      for (const Value& item : *list) result.append(from_value(item));
      return result;
    }
    py::object operator()(const std::shared_ptr<const Config>& object) const { return from_config(*object); }
  };
  return std::visit(Visitor{}, value.storage());
}

py::tuple from_config(const Config& config) {
  py::dict fields;
  for (const auto& [name, value] : config.fields) fields[py::str(name)] = from_value(value);
  return py::make_tuple(config.type, fields);
}

Config to_config(const std::string& type, const py::dict& fields) {
  Config config{type, {}};
  for (const auto& [name, value] : fields) {
    try {
      config.fields.emplace_back(name.cast<std::string>(), to_value(value));
    } catch (const ArgumentError& error) {
      throw ArgumentError(type + ": " + name.cast<std::string>() + ": " + error.what());
    }
  }
  return config;
}

}  // namespace lamina::python
