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

Value FieldType<kernels::Activation>::to(kernels::Activation value) {
  return value == kernels::Activation::linear ? Value() : Value(std::string(kernels::name_of(value)));
}

kernels::Activation FieldType<kernels::Activation>::from(const Value& value) {
  if (value.is_none()) return kernels::Activation::linear;
  if (value.text() == nullptr) {
    throw ArgumentError("expected the name of an activation, got " + value.str() + ".");
  }
  const auto activation = kernels::activation_named(*value.text());
  if (!activation) {
    std::vector<std::string> known;
    for (const std::string_view name : kernels::activation_names()) known.emplace_back(name);
    throw_unknown("activation", *value.text(), known);
  }
  return *activation;
}

}  // namespace lamina
