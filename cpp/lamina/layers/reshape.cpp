#include "lamina/layers/reshape.h"

#include <algorithm>
#include <utility>

#include "lamina/layers/helpers.h"

namespace lamina {

namespace {

std::string check_target_shape(const Value& value) {
  const auto shape = FieldType<std::vector<std::int64_t>>::from(value);
  const bool fits = shape.size() < Shape::kMaxRank;
  const bool positive = std::all_of(shape.begin(), shape.end(),
                                    [](std::int64_t extent) { return extent >= 1 || extent == -1; });
  if (fits && positive && std::count(shape.begin(), shape.end(), -1) <= 1) return "";
  return "at most " + std::to_string(Shape::kMaxRank - 1) + " positive extents, at most one of them -1";
}

}  // namespace

void Reshape::fields(Fields<ReshapeOptions>& field) {
  field("target_shape", &ReshapeOptions::target_shape,
        "New shape of one row, without the batch; one extent may be -1.", check_target_shape)
      .required();
  layer_fields(field);
}

LayerSpec Reshape::build(std::span<const TensorSpec> inputs, const std::string& name) const {
  const TensorSpec& input = single_input(inputs, kType, name);
  const std::size_t elements = input.shape.elements();
  std::vector<std::size_t> extents;
  for (const std::int64_t extent : options_.target_shape) {
    extents.push_back(extent == -1 ? 1 : static_cast<std::size_t>(extent));
  }
  const auto free = std::find(options_.target_shape.begin(), options_.target_shape.end(), -1);
  if (free != options_.target_shape.end()) {
    const std::size_t others = Shape(extents).elements();
    extents[static_cast<std::size_t>(free - options_.target_shape.begin())] = elements / others;
  }
  const Shape output(extents);
  if (output.elements() != elements) {
    const std::string target = FieldType<std::vector<std::int64_t>>::to(options_.target_shape).str();
    const std::string expected = "rows whose elements fill the target shape " + target;
    throw_shape(kType, name, expected, "input of shape " + input.shape.str_with_batch());
  }
  return spec_like({output, input.dtype});
}

void Reshape::forward(const ForwardContext& context) const {
  pass_values(context);
}

void Reshape::backward(const BackwardContext& context) const {
  pass_gradient(context);
}

LayerPtr reshape(std::vector<std::int64_t> target_shape, std::string name) {
  return make_described<Reshape>(
      ReshapeOptions{.target_shape = std::move(target_shape), .name = std::move(name)});
}

}  // namespace lamina
