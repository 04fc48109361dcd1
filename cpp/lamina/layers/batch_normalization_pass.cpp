// Forward and backward of BatchNormalization.
#include <algorithm>
#include <cmath>

#include "lamina/layers/batch_normalization.h"
#include "lamina/layers/column_sums.h"

namespace lamina {

namespace {

// x as a matrix (rows * positions, channels); a mask has one value for each of the rows.
struct Extents {
  std::size_t rows, channels, positions;

  Extents(const Shape& shape, std::size_t batch)
      : rows(shape.elements() / shape.back()),
        channels(shape.back()),
        positions(batch == 0 ? 1 : rows / batch) {}
  bool counts(const float* mask, std::size_t row) const {
    return mask == nullptr || mask[row / positions] != 0.0F;
  }
  double counted(const float* mask) const {
    if (mask == nullptr) return static_cast<double>(rows);
    std::size_t count = 0;
    for (std::size_t row = 0; row < rows; row += positions) count += mask[row / positions] != 0.0F;
    return static_cast<double>(count * positions);
  }
  std::size_t rows_per_chunk() const { return std::max<std::size_t>(1, kChunk / channels); }
};

}  // namespace

void BatchNormalization::forward(const ForwardContext& context) const {
  const float* x = context.inputs[0].data;
  float* y = context.outputs[0].data;
  const Extents extents(context.inputs[0].shape, context.rows);
  const std::size_t channels = extents.channels;
  const bool training = context.mode == Mode::training;
  const float* mean = training ? context.saved[0] : context.state[0];
  float* inverse = training ? context.saved[1] : context.scratch;
  if (training) {
    batch_statistics(context, context.saved[0], inverse);
  } else {
    moving_inverse(context.state[1], channels, inverse);
  }

  float* factor = context.scratch + channels;  // gamma / sqrt(variance + epsilon)
  float* beta = factor + channels;
  for (std::size_t j = 0; j < channels; ++j) {
    factor[j] = options_.scale ? inverse[j] * context.parameters[0][j] : inverse[j];
    beta[j] = options_.center ? context.parameters[options_.scale ? 1 : 0][j] : 0.0F;
  }
  for_chunks(extents.rows, extents.rows_per_chunk(), *context.executor,
             [=](std::size_t begin, std::size_t end) {
               for (std::size_t i = begin; i < end; ++i) {
                 for (std::size_t j = 0; j < channels; ++j) {
                   const std::size_t at = i * channels + j;
                   y[at] = (x[at] - mean[j]) * factor[j] + beta[j];
                 }
               }
             });
}

// With n counted rows, m_i = 1 for a counted row i and 0 for a masked one, r = 1 / sqrt(variance + epsilon)
// and h = (x - mean) * r (mean and variance depend on the counted rows alone):
//   d_beta = sum(d_y),  d_gamma = sum(d_y * h),
//   d_x_i = gamma * r * (d_y_i - m_i / n * (d_beta + h_i * d_gamma));
// in inference, mean and variance are constants: d_x = gamma * r * d_y.
void BatchNormalization::backward(const BackwardContext& context) const {
  const float* x = context.inputs[0].data;
  const float* d_y = context.d_outputs[0].data;
  float* d_x = context.d_inputs[0].data;
  const Extents extents(context.inputs[0].shape, context.rows);
  const std::size_t channels = extents.channels;
  const bool training = context.mode == Mode::training;
  const float* mean = training ? context.saved[0] : context.state[0];
  float* inverse = training ? context.saved[1] : context.scratch;
  if (!training) moving_inverse(context.state[1], channels, inverse);

  float* factor = context.scratch + channels;  // gamma * r
  float* constant = factor + channels;         // d_beta / n
  float* slope = constant + channels;          // r * d_gamma / n
  float* d_gamma = options_.scale ? context.d_parameters[0] : nullptr;
  float* d_beta = options_.center ? context.d_parameters[options_.scale ? 1 : 0] : nullptr;
  const double n = extents.counted(context.mask);
  const auto add = [=](std::size_t row, std::size_t begin, std::size_t end, float* a, float* b) {
    const float* x_row = x + row * channels;
    const float* d_row = d_y + row * channels;
    for (std::size_t j = begin; j < end; ++j) {
      a[j - begin] += d_row[j];
      b[j - begin] += d_row[j] * ((x_row[j] - mean[j]) * inverse[j]);
    }
  };
  const auto store = [&](std::size_t j, double sum, double product) {
    const auto put = [&](float* gradient, std::size_t index, double value) {
      const float old = context.accumulate_d_parameters[index] ? gradient[j] : 0.0F;
      gradient[j] = old + static_cast<float>(value);
    };
    if (d_gamma != nullptr) put(d_gamma, 0, product);
    if (d_beta != nullptr) put(d_beta, options_.scale ? 1 : 0, sum);
    factor[j] = options_.scale ? inverse[j] * context.parameters[0][j] : inverse[j];
    constant[j] = n == 0 ? 0.0F : static_cast<float>(sum / n);
    slope[j] = n == 0 ? 0.0F : static_cast<float>(static_cast<double>(inverse[j]) * product / n);
  };
  column_sums(extents.rows, channels, *context.executor, add, store);
  if (d_x == nullptr) return;

  const float* mask = context.mask;
  const bool accumulate = context.accumulate_d_inputs[0];
  for_chunks(extents.rows, extents.rows_per_chunk(), *context.executor,
             [=](std::size_t begin, std::size_t end) {
               for (std::size_t i = begin; i < end; ++i) {
                 const float counts = training && extents.counts(mask, i) ? 1.0F : 0.0F;
                 for (std::size_t j = 0; j < channels; ++j) {
                   const std::size_t at = i * channels + j;
                   const float through = constant[j] + (x[at] - mean[j]) * slope[j];
                   const float gradient = factor[j] * (d_y[at] - counts * through);
                   d_x[at] = accumulate ? d_x[at] + gradient : gradient;
                 }
               }
             });
}

// Mean and 1 / sqrt(variance + epsilon) of the batch, in two passes; moves the moving statistics where the
// context lets it.
void BatchNormalization::batch_statistics(const ForwardContext& context, float* mean, float* inverse) const {
  const float* x = context.inputs[0].data;
  const Extents extents(context.inputs[0].shape, context.rows);
  const std::size_t channels = extents.channels;
  const float* mask = context.mask;
  const double count = extents.counted(mask);
  const double n = std::max(count, 1.0);
  column_sums(
      extents.rows, channels, *context.executor,
      [=](std::size_t row, std::size_t begin, std::size_t end, float* a, float*) {
        if (!extents.counts(mask, row)) return;
        for (std::size_t j = begin; j < end; ++j) a[j - begin] += x[row * channels + j];
      },
      [=](std::size_t j, double sum, double) { mean[j] = static_cast<float>(sum / n); });

  const bool moves = !context.state_out.empty() && count > 0;
  const double momentum = options_.momentum;
  column_sums(
      extents.rows, channels, *context.executor,
      [=](std::size_t row, std::size_t begin, std::size_t end, float* a, float*) {
        if (!extents.counts(mask, row)) return;
        for (std::size_t j = begin; j < end; ++j) {
          const float centred = x[row * channels + j] - mean[j];
          a[j - begin] += centred * centred;
        }
      },
      [&](std::size_t j, double squares, double) {
        const double variance = squares / n;
        inverse[j] = static_cast<float>(1.0 / std::sqrt(variance + options_.epsilon));
        if (!moves) return;
        const auto move = [&](std::size_t index, double value) {
          const double old = static_cast<double>(context.state[index][j]);
          context.state_out[index][j] = static_cast<float>(momentum * old + (1 - momentum) * value);
        };
        move(0, static_cast<double>(mean[j]));
        move(1, variance);
      });
}

void BatchNormalization::moving_inverse(const float* variance, std::size_t channels, float* inverse) const {
  for (std::size_t j = 0; j < channels; ++j) {
    inverse[j] = static_cast<float>(1.0 / std::sqrt(static_cast<double>(variance[j]) + options_.epsilon));
  }
}

}  // namespace lamina
