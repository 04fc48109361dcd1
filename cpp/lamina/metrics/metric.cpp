#include "lamina/metrics/metric.h"

#include <algorithm>

#include "lamina/metrics/class_of.h"
#include "lamina/metrics/registered.h"

namespace lamina {

namespace {

// The type of the metric of that name; "" for none.
std::string type_named(const std::string& name) {
  for (const auto& entry : Metric::registry().entries()) {
    const auto& aliases = entry.schema.aliases;
    if (entry.schema.type == name || std::find(aliases.begin(), aliases.end(), name) != aliases.end()) {
      return entry.schema.type;
    }
  }
  return "";
}

[[noreturn]] void throw_unknown_metric(const std::string& name) {
  std::vector<std::string> known{"accuracy", "acc"};
  for (const auto& entry : Metric::registry().entries()) {
    known.insert(known.end(), entry.schema.aliases.begin(), entry.schema.aliases.end());
    known.push_back(entry.schema.type);
  }
  throw_unknown("metric", name, known);
}

// Whether each column answers a question of its own, so that a row may have many labels.
bool has_many_labels(const Loss& loss, std::size_t columns) {
  const std::string type = loss.type();
  return columns > 1 && (type == "BinaryCrossentropy" || type == "BinaryFocalCrossentropy");
}

// "accuracy" or "acc", in any case, as in Keras.
bool is_accuracy(std::string name) {
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return name == "accuracy" || name == "acc";
}

std::string accuracy_for(const Loss& loss, std::size_t columns, TargetKind targets) {
  if (columns == 1 || has_many_labels(loss, columns)) return "BinaryAccuracy";
  return targets == TargetKind::labels ? "SparseCategoricalAccuracy" : "CategoricalAccuracy";
}

}  // namespace

const Registry<Metric>& Metric::registry() {
  static const Registry<Metric> registry("metric", RegisteredMetrics{});
  return registry;
}

MetricPtr make_metric(const std::string& name, const Loss& loss, std::size_t columns, TargetKind targets) {
  const bool accuracy = is_accuracy(name);
  const std::string type = accuracy ? accuracy_for(loss, columns, targets) : type_named(name);
  if (type.empty()) throw_unknown_metric(name);
  Config config{type, {{"name", name}}};
  if (has_many_labels(loss, columns)) {
    if (type == "Precision" || type == "Recall") config.fields.emplace_back("thresholds", 0.5);
    if (type == "F1Score") config.fields.emplace_back("threshold", 0.5);
    if (type == "Precision" || type == "Recall" || type == "F1Score") {
      config.fields.emplace_back("average", "micro");
    }
  }
  return Metric::registry().make(config);
}

void require_values(const Metric& metric, std::size_t columns, TargetKind targets) {
  if (targets == TargetKind::labels && columns != 1) {
    throw ArgumentError(metric.name() + ": expected targets of the shape of the predictions, (batch, " +
                        std::to_string(columns) + "), got integer labels.");
  }
}

void require_classes(const Metric& metric, std::size_t columns) {
  if (columns < 2) {
    throw ArgumentError(metric.name() + ": expected predictions of at least 2 columns, one a class, got " +
                        std::to_string(columns) + "; 'accuracy' and 'binary_accuracy' take one column.");
  }
}

}  // namespace lamina
