// Forward and backward of LayerNormalization.
#include <algorithm>
#include <array>
#include <cmath>

#include "lamina/kernels/dispatch.h"
#include "lamina/layers/column_sums.h"
#include "lamina/layers/layer_normalization.h"

namespace lamina {

// How many numbers are normalised together.
std::size_t LayerNormalization::features(const Shape& shape) const {
  const std::size_t axes = options_.axis.values.size();
  return Shape(std::span(shape.end() - axes, axes)).elements();
}

void LayerNormalization::forward(const ForwardContext& context) const {
  const float* x = context.inputs[0].data;
  const View& y = context.outputs[0];
  const std::size_t n = features(y.shape);
  const float* gamma = options_.scale ? context.parameters[0] : nullptr;
  const float* beta = options_.center ? context.parameters[options_.scale ? 1 : 0] : nullptr;
  float* means = context.saved.empty() ? nullptr : context.saved[0];
  float* inverses = context.saved.empty() ? nullptr : context.saved[1];
  const kernels::Table& table = kernels::table();
  const auto normalize = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      float* row = y.data + i * n;
      const auto mean = static_cast<float>(table.sum(x + i * n, n) / static_cast<double>(n));
      table.affine(x + i * n, 1.0F, -mean, row, n, false);
      const double variance = table.sum_squares(row, n) / static_cast<double>(n);
      const auto inverse = static_cast<float>(1.0 / std::sqrt(variance + options_.epsilon));
      table.affine(row, inverse, 0.0F, row, n, false);
      if (gamma != nullptr) table.multiply(row, gamma, row, n);
      if (beta != nullptr) table.add(row, beta, row, n);
      if (means != nullptr) {
        means[i] = mean;
        inverses[i] = inverse;
      }
    }
  };
  for_chunks(y.elements() / n, std::max<std::size_t>(1, kChunk / n), *context.executor, normalize);
}

// With r = 1 / sqrt(variance + epsilon), h = (x - mean) * r and g = d_y * gamma:
//   d_beta = sum(d_y),  d_gamma = sum(d_y * h) over all groups,
//   d_x = r * (g - mean(g) - h * mean(g * h)) within each.
void LayerNormalization::backward(const BackwardContext& context) const {
  const std::size_t n = features(context.inputs[0].shape);
  if (context.d_inputs[0].data != nullptr) input_gradient(context, n);
  float* d_gamma = options_.scale ? context.d_parameters[0] : nullptr;
  float* d_beta = options_.center ? context.d_parameters[options_.scale ? 1 : 0] : nullptr;
  if (d_gamma == nullptr && d_beta == nullptr) return;

  const float* x = context.inputs[0].data;
  const float* d_y = context.d_outputs[0].data;
  const float* means = context.saved[0];
  const float* inverses = context.saved[1];
  const auto add = [=](std::size_t row, std::size_t begin, std::size_t end, float* a, float* b) {
    const float mean = means[row];
    const float inverse = inverses[row];
    for (std::size_t j = begin; j < end; ++j) {
      const float d = d_y[row * n + j];
      a[j - begin] += d;
      b[j - begin] += d * ((x[row * n + j] - mean) * inverse);
    }
  };
  const auto store = [&](std::size_t j, double sum, double product) {
    const auto put = [&](float* gradient, std::size_t index, double value) {
      const float old = context.accumulate_d_parameters[index] ? gradient[j] : 0.0F;
      gradient[j] = old + static_cast<float>(value);
    };
    if (d_gamma != nullptr) put(d_gamma, 0, product);
    if (d_beta != nullptr) put(d_beta, options_.scale ? 1 : 0, sum);
  };
  column_sums(context.inputs[0].elements() / n, n, *context.executor, add, store);
}

void LayerNormalization::input_gradient(const BackwardContext& context, std::size_t n) const {
  const float* gamma = options_.scale ? context.parameters[0] : nullptr;
  const View& d_x = context.d_inputs[0];
  const bool accumulate = context.accumulate_d_inputs[0];
  const auto rows = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const float* x = context.inputs[0].data + i * n;
      const float* d_y = context.d_outputs[0].data + i * n;
      float* d_row = d_x.data + i * n;
      const float mean = context.saved[0][i];
      const float inverse = context.saved[1][i];
      const auto scaled = [=](std::size_t j) { return gamma != nullptr ? d_y[j] * gamma[j] : d_y[j]; };
      // Eight partial sums, so that they run in parallel; the order depends on n alone.
      constexpr std::size_t kLanes = 8;
      std::array<double, kLanes> sums{}, products{};
      const auto add = [&](std::size_t j, std::size_t lane) {
        const auto g = static_cast<double>(scaled(j));
        sums[lane] += g;
        products[lane] += g * static_cast<double>(x[j] - mean);
      };
      const std::size_t whole = n / kLanes * kLanes;
      for (std::size_t j = 0; j < whole; j += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) add(j + lane, lane);
      }
      for (std::size_t j = whole; j < n; ++j) add(j, j - whole);
      double sum = 0, product = 0;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sum += sums[lane];
        product += products[lane];
      }
      const double r = static_cast<double>(inverse);
      const auto constant = static_cast<float>(sum / static_cast<double>(n));
      const auto slope = static_cast<float>(r * r * product / static_cast<double>(n));
      for (std::size_t j = 0; j < n; ++j) {
        const float gradient = inverse * (scaled(j) - constant - (x[j] - mean) * slope);
        d_row[j] = accumulate ? d_row[j] + gradient : gradient;
      }
    }
  };
  for_chunks(d_x.elements() / n, std::max<std::size_t>(1, kChunk / n), *context.executor, rows);
}

}  // namespace lamina
