#include "lamina/training/trainer_record.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "lamina/core/config.h"
#include "lamina/core/error.h"
#include "lamina/model/model_file.h"

namespace lamina {
namespace {

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return to_json(Value(value));
}

// Numbers that JSON lacks, as texts: a name of a figure can't be taken for one, values are never texts.
std::string with_quotes(const std::string& text) {
  static constexpr std::array<std::string_view, 3> kWords{"-Infinity", "Infinity", "NaN"};
  std::string result;
  bool within = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (within && text[at] == '\\' && at + 1 < text.size()) {
      result.append(text, at++, 2);
      continue;
    }
    if (text[at] == '"') within = !within;
    bool replaced = false;
    for (const std::string_view word : kWords) {
      if (within || text.compare(at, word.size(), word) != 0) continue;
      result.append("\"").append(word).append("\"");
      at += word.size() - 1;
      replaced = true;
      break;
    }
    if (!replaced) result += text[at];
  }
  return result;
}

double number_of(const Value& value) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (const std::string* text = value.text()) {
    if (*text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (*text == "Infinity") return kInfinity;
    if (*text == "-Infinity") return -kInfinity;
  }
  return FieldType<double>::from(value);
}

const Value& field(const Value& object, const char* name) {
  const Value* found = object.object() != nullptr ? object.object()->find(name) : nullptr;
  if (found == nullptr) throw FormatError(std::string("expected the field '") + name + "', got none.");
  return *found;
}

const Value::List& list_of(const Value& value) {
  if (value.list() == nullptr) throw FormatError("expected a list.");
  return *value.list();
}

}  // namespace

History Trainer::Record::history(std::size_t first) const {
  History history;
  for (std::size_t i = first; i < rows.size(); ++i) {
    history.epoch.push_back(rows[i].epoch);
    for (const auto& [name, value] : rows[i].logs) history.history[name].push_back(value);
  }
  return history;
}

std::string Trainer::Record::to_text(const std::vector<std::string>& metrics) const {
  std::string epochs, figures, names;
  for (const Row& row : rows) {
    epochs += (epochs.empty() ? "" : ", ") + std::to_string(row.epoch);
    std::string logs;
    for (const auto& [name, value] : row.logs)
      logs += (logs.empty() ? "" : ", ") + to_json(Value(name)) + ": " + number_text(value);
    figures += (figures.empty() ? "{" : ", {") + logs + "}";
  }
  for (const std::string& name : metrics) names += (names.empty() ? "" : ", ") + to_json(Value(name));
  return "{\"epoch\": " + std::to_string(epoch) + ", \"history\": {\"epoch\": [" + epochs + "], \"rows\": [" +
         figures + "]}, \"callbacks\": [], \"metrics\": [" + names + "]}";
}

Trainer::Record Trainer::Record::from_text(const std::string& text) {
  try {
    const Value root = from_json(with_quotes(text));
    Record record;
    record.epoch = FieldType<std::int64_t>::from(field(root, "epoch"));
    const Value& history = field(root, "history");
    const Value::List& epochs = list_of(field(history, "epoch"));
    const Value::List& figures = list_of(field(history, "rows"));
    if (epochs.size() != figures.size()) throw FormatError("expected figures for each epoch.");
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      if (figures[i].object() == nullptr) throw FormatError("expected the figures of an epoch.");
      Row row{FieldType<std::int64_t>::from(epochs[i]), {}};
      for (const auto& [name, value] : figures[i].object()->fields) row.logs[name] = number_of(value);
      record.rows.push_back(std::move(row));
    }
    return record;
  } catch (const Error& error) {
    throw FormatError(
        std::string("Checkpoint: expected the trainer's record in the metadata, got a damaged one: ") +
        error.what());
  }
}

}  // namespace lamina
