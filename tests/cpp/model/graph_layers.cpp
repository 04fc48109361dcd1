#include "model/graph_layers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "lamina/layers/dense.h"

namespace lamina::test {
namespace {

constexpr std::size_t kScratch = 40;

// A layer without hyperparameters.
class TestLayer : public Layer {
 public:
  explicit TestLayer(std::string type) : type_(std::move(type)) {}
  std::string type() const override { return type_; }
  Config config() const override { return {type_, {}}; }
  std::string given_name() const override { return ""; }
  bool initially_trainable() const override { return true; }

 protected:
  static void put(const View& out, std::size_t i, float value, bool accumulate) {
    out.data[i] = accumulate ? out.data[i] + value : value;
  }

 private:
  std::string type_;
};

LayerSpec reads(std::vector<TensorSpec> outputs, bool inputs) {
  LayerSpec spec;
  spec.outputs = std::move(outputs);
  spec.backward_reads_inputs = inputs;
  spec.backward_reads_outputs = false;
  return spec;
}

class Add final : public TestLayer {
 public:
  Add() : TestLayer("Add") {}
  LayerSpec build(std::span<const TensorSpec> inputs, const std::string&) const override {
    return reads({inputs[0]}, false);
  }
  void forward(const ForwardContext& context) const override {
    for (std::size_t i = 0; i < context.outputs[0].elements(); ++i) {
      context.outputs[0].data[i] = context.inputs[0].data[i] + context.inputs[1].data[i];
    }
  }
  void backward(const BackwardContext& context) const override {
    for (std::size_t input = 0; input < 2; ++input) {
      const View& d_x = context.d_inputs[input];
      if (d_x.data == nullptr) continue;
      for (std::size_t i = 0; i < d_x.elements(); ++i) {
        put(d_x, i, context.d_outputs[0].data[i], context.accumulate_d_inputs[input]);
      }
    }
  }
};

class Multiply final : public TestLayer {
 public:
  Multiply() : TestLayer("Multiply") {}
  LayerSpec build(std::span<const TensorSpec> inputs, const std::string&) const override {
    return reads({inputs[0]}, true);
  }
  void forward(const ForwardContext& context) const override {
    for (std::size_t i = 0; i < context.outputs[0].elements(); ++i) {
      context.outputs[0].data[i] = context.inputs[0].data[i] * context.inputs[1].data[i];
    }
  }
  void backward(const BackwardContext& context) const override {
    for (std::size_t input = 0; input < 2; ++input) {
      const View& d_x = context.d_inputs[input];
      if (d_x.data == nullptr) continue;
      const float* other = context.inputs[1 - input].data;
      for (std::size_t i = 0; i < d_x.elements(); ++i) {
        put(d_x, i, context.d_outputs[0].data[i] * other[i], context.accumulate_d_inputs[input]);
      }
    }
  }
};

class Split final : public TestLayer {
 public:
  Split() : TestLayer("Split") {}
  LayerSpec build(std::span<const TensorSpec> inputs, const std::string&) const override {
    const TensorSpec half{Shape{inputs[0].shape[0] / 2}};
    return reads({half, half}, false);
  }
  void forward(const ForwardContext& context) const override {
    const std::size_t n = context.outputs[0].shape[1];
    for (std::size_t row = 0; row < context.rows; ++row) {
      for (std::size_t half = 0; half < 2; ++half) {
        std::copy_n(context.inputs[0].data + (2 * row + half) * n, n, context.outputs[half].data + row * n);
      }
    }
  }
  void backward(const BackwardContext& context) const override {
    const View& d_x = context.d_inputs[0];
    if (d_x.data == nullptr) return;
    const std::size_t n = context.d_outputs[0].shape[1];
    for (std::size_t i = 0; i < d_x.elements(); ++i) {
      const std::size_t row = i / (2 * n);
      const std::size_t column = i % (2 * n);
      put(d_x, i, context.d_outputs[column / n].data[row * n + column % n], context.accumulate_d_inputs[0]);
    }
  }
};

class Same final : public TestLayer {
 public:
  Same() : TestLayer("Same") {}
  LayerSpec build(std::span<const TensorSpec> inputs, const std::string&) const override {
    return reads({inputs[0]}, false);
  }
  void forward(const ForwardContext& context) const override {
    std::copy_n(context.inputs[0].data, context.outputs[0].elements(), context.outputs[0].data);
  }
  void backward(const BackwardContext& context) const override {
    const View& d_x = context.d_inputs[0];
    if (d_x.data == nullptr) return;
    for (std::size_t i = 0; i < d_x.elements(); ++i) {
      put(d_x, i, context.d_outputs[0].data[i], context.accumulate_d_inputs[0]);
    }
  }
};

class Exponential final : public TestLayer {
 public:
  Exponential() : TestLayer("Exponential") {}
  LayerSpec build(std::span<const TensorSpec> inputs, const std::string&) const override {
    LayerSpec spec = reads({inputs[0]}, false);
    spec.saved = {{.per_row = inputs[0].shape.elements()}};
    return spec;
  }
  std::size_t forward_scratch(std::span<const TensorSpec>, std::size_t rows) const override {
    return kScratch * rows;
  }
  std::size_t backward_scratch(std::span<const TensorSpec>, std::size_t rows) const override {
    return 2 * kScratch * rows;
  }
  void forward(const ForwardContext& context) const override {
    std::fill_n(context.scratch, kScratch * context.rows, std::numeric_limits<float>::quiet_NaN());
    for (std::size_t i = 0; i < context.outputs[0].elements(); ++i) {
      const float y = std::exp(context.inputs[0].data[i]);
      context.outputs[0].data[i] = y;
      if (!context.saved.empty()) context.saved[0][i] = y;
    }
  }
  void backward(const BackwardContext& context) const override {
    std::fill_n(context.scratch, 2 * kScratch * context.rows, std::numeric_limits<float>::quiet_NaN());
    const View& d_x = context.d_inputs[0];
    if (d_x.data == nullptr) return;
    for (std::size_t i = 0; i < d_x.elements(); ++i) {
      put(d_x, i, context.d_outputs[0].data[i] * context.saved[0][i], context.accumulate_d_inputs[0]);
    }
  }
};

using Tensor = std::vector<double>;

Tensor dense_reference(const Graph& graph, const Node& node, const Tensor& x, const Tensor& parameters,
                       std::size_t rows) {
  const LayerEntry& entry = graph.layers[node.layer];
  const auto& options = dynamic_cast<const Dense&>(*entry.layer).options();
  const double* kernel = parameters.data() + graph.parameters[entry.parameters[0]].offset;
  const double* bias = parameters.data() + graph.parameters[entry.parameters[1]].offset;
  const std::size_t in = node.input_specs[0].shape.back();
  const std::size_t out = node.spec.outputs[0].shape.back();
  const std::size_t m = rows * node.input_specs[0].shape.elements() / in;
  Tensor y(m * out);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < out; ++j) {
      double z = bias[j];
      for (std::size_t k = 0; k < in; ++k) z += x[i * in + k] * kernel[k * out + j];
      y[i * out + j] = options.activation == kernels::Activation::tanh ? std::tanh(z) : z;
    }
  }
  return y;
}

std::vector<Tensor> node_reference(const Graph& graph, const Node& node,
                                   const std::vector<const Tensor*>& inputs, const Tensor& parameters,
                                   std::size_t rows) {
  const std::string type = graph.layers[node.layer].layer->type();
  const Tensor& x = *inputs[0];
  if (type == "Dense") return {dense_reference(graph, node, x, parameters, rows)};
  if (type == "Split") {
    const std::size_t n = node.spec.outputs[0].shape[0];
    std::vector<Tensor> halves(2);
    for (std::size_t i = 0; i < x.size(); ++i) halves[i % (2 * n) / n].push_back(x[i]);
    return halves;
  }
  Tensor y = x;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (type == "Add") y[i] += (*inputs[1])[i];
    if (type == "Multiply") y[i] *= (*inputs[1])[i];
    if (type == "Exponential") y[i] = std::exp(y[i]);
  }
  return {y};
}

}  // namespace

LayerPtr add() {
  return std::make_shared<Add>();
}
LayerPtr multiply() {
  return std::make_shared<Multiply>();
}
LayerPtr split() {
  return std::make_shared<Split>();
}
LayerPtr same() {
  return std::make_shared<Same>();
}
LayerPtr exponential() {
  return std::make_shared<Exponential>();
}

std::vector<float> random_floats(std::size_t n, std::uint64_t seed, double scale) {
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<double> uniform(-scale, scale);
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(uniform(generator));
  return values;
}

std::vector<double> to_double(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

std::vector<std::vector<double>> reference_outputs(const Graph& graph, const std::vector<double>& parameters,
                                                   const std::vector<std::vector<double>>& inputs,
                                                   std::size_t rows) {
  std::vector<std::vector<Tensor>> values;
  std::size_t input = 0;
  for (const Node& node : graph.nodes) {
    if (node.is_input()) {
      values.push_back({inputs[input++]});
      continue;
    }
    std::vector<const Tensor*> arguments;
    for (const Edge& edge : node.inputs) arguments.push_back(&values[edge.node][edge.output]);
    values.push_back(node_reference(graph, node, arguments, parameters, rows));
  }
  std::vector<Tensor> outputs;
  for (const Edge& edge : graph.outputs) outputs.push_back(values[edge.node][edge.output]);
  return outputs;
}

}  // namespace lamina::test
