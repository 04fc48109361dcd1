#include "lamina/layers/layer.h"

#include <string_view>

#include "lamina/core/error.h"
#include "lamina/kernels/activation.h"
#include "lamina/layers/registered.h"

namespace lamina {

const Registry<Layer>& Layer::registry() {
  static const auto* const kRegistry = new Registry<Layer>("layer", RegisteredLayers{});
  return *kRegistry;
}

ActivationChoice::ActivationChoice(std::string_view name) {
  const auto activation = kernels::activation_named(name);
  if (!activation) {
    std::vector<std::string> known;
    for (const std::string_view each : kernels::activation_names()) known.emplace_back(each);
    throw_unknown("activation", name, known);
  }
  kind = *activation;
}

Value FieldType<ActivationChoice>::to(ActivationChoice value) {
  return value.kind == ActivationKind::linear ? Value() : Value(std::string(kernels::name_of(value.kind)));
}

ActivationChoice FieldType<ActivationChoice>::from(const Value& value) {
  if (value.is_none()) return ActivationKind::linear;
  if (value.text() == nullptr) {
    throw ArgumentError("expected the name of an activation, got " + value.str() + ".");
  }
  return *value.text();
}

}  // namespace lamina
