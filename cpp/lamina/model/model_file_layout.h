// What writing and reading a model file agree on.
#pragma once

#include <cstdint>

#include "lamina/model/graph.h"

namespace lamina {

inline constexpr const char* kArchitecture = "lamina";
inline constexpr const char* kChecksum = "lamina.crc32";
inline constexpr std::int64_t kVersion = 1;

// Calls function(range, the buffer that it lies in) for each tensor of a model.
template <class F>
void for_each_range(const Graph& graph, const F& function) {
  for (const Parameter& parameter : graph.parameters) function(parameter, graph.parameter_values.data());
  for (const StateRange& state : graph.state) function(state, graph.state_values.data());
}

}  // namespace lamina
