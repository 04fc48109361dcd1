// Layers that exist for tests alone, for graphs that are no chains, and what such graphs compute, in float64.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lamina/layers/layer.h"
#include "lamina/model/graph.h"

namespace lamina::test {

LayerPtr add();       // (a, b) -> a + b
LayerPtr multiply();  // (a, b) -> a * b; backward reads the inputs
LayerPtr split();     // (batch, 2n) -> the first n columns and the last n
LayerPtr same();      // x -> x
// x -> exp(x): backward reads what forward saved and nothing else; both passes fill their scratch with NaN.
LayerPtr exponential();

std::vector<float> random_floats(std::size_t n, std::uint64_t seed, double scale = 1.0);
std::vector<double> to_double(const std::vector<float>& values);

// Computes the outputs of a graph of the layers above, Dense (linear or tanh), Flatten and Reshape.
std::vector<std::vector<double>> reference_outputs(const Graph& graph, const std::vector<double>& parameters,
                                                   const std::vector<std::vector<double>>& inputs,
                                                   std::size_t rows);

}  // namespace lamina::test
