#include "lamina/losses/crossentropy.h"

#include <algorithm>
#include <array>
#include <limits>

#include "lamina/kernels/dispatch.h"
#include "lamina/losses/loss_rows.h"

namespace lamina {

using kernels::Activation;
using kernels::Unary;

namespace {

constexpr const char* kFromLogitsDoc = "Whether predictions are logits, not probabilities.";
constexpr std::size_t kRows = 128;  // rows whose softmax is worked on at once

// One call of evaluate(): where everything lies.
struct Evaluation {
  Evaluation(const LossBatch& of, float gradient_scale, const LossOutputs& to, float* scratch)
      : batch(of),
        scale(gradient_scale),
        d_prediction(to.d_prediction),
        row_losses(to.row_losses != nullptr ? to.row_losses : scratch),
        room(scratch + of.rows) {
    softmax = to.activated != nullptr ? to.activated : (d_prediction != nullptr ? d_prediction : room);
  }

  const LossBatch& batch;
  float scale;
  float* d_prediction;  // or null
  float* row_losses;    // (rows)
  float* room;          // (rows, columns) of scratch
  float* softmax;       // (rows, columns): where the softmax of logits goes; may be d_prediction
};

std::size_t scratch_for(std::size_t rows, std::size_t columns) {
  return rows + rows * columns;
}

// The softmax of up to kRows rows, and what the exact logarithm of a class needs: log p_j = x_j - largest -
// excess.
struct SoftmaxRows {
  std::array<float, kRows> largest;  // logit
  std::array<float, kRows> rest;     // the probability of all but the largest
  std::array<float, kRows> excess;   // log(sum(exp(x - largest)))

  SoftmaxRows(const float* x, float* p, std::size_t rows, std::size_t columns) {
    std::array<float, kRows> others;
    const kernels::TrainingTable& table = kernels::training_table();
    table.softmax_sums(x, p, rows, columns, largest.data(), others.data());
    for (std::size_t i = 0; i < rows; ++i) rest[i] = others[i] / (1.0F + others[i]);
    table.map(Unary::log1p, others.data(), excess.data(), rows);
  }
};

// ---- integer labels
bool in_range(std::int32_t label, std::size_t columns) {
  return label >= 0 && static_cast<std::size_t>(label) < columns;
}

// loss = log(sum(exp(x))) - x[label]; gradient softmax - one_hot(label).
void sparse_from_logits(const Evaluation& run, std::optional<std::int32_t> ignored, std::size_t first,
                        std::size_t last) {
  const std::size_t columns = run.batch.columns;
  for (std::size_t begin = first; begin < last; begin += kRows) {
    const std::size_t count = std::min(kRows, last - begin);
    const SoftmaxRows rows(run.batch.prediction + begin * columns, run.softmax + begin * columns, count,
                           columns);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = begin + i;
      const float* x = run.batch.prediction + row * columns;
      const float* p = run.softmax + row * columns;
      float* d_x = run.d_prediction == nullptr ? nullptr : run.d_prediction + row * columns;
      const std::int32_t label = run.batch.labels[row];
      if (!in_range(label, columns) || label == ignored) {
        run.row_losses[row] = 0.0F;
        if (d_x != nullptr) std::fill_n(d_x, columns, 0.0F);
        continue;
      }
      const auto y = static_cast<std::size_t>(label);
      run.row_losses[row] = (rows.largest[i] - x[y]) + rows.excess[i];
      if (d_x == nullptr) continue;
      const float factor = row_factor(run.batch, row, run.scale);
      const float of_label = x[y] == rows.largest[i] && rows.rest[i] < 0.5F ? -rows.rest[i] : p[y] - 1.0F;
      for (std::size_t j = 0; j < columns; ++j) d_x[j] = factor * p[j];
      d_x[y] = factor * of_label;
    }
  }
}

// The sum that a row of probabilities is divided by.
float normalizer(const float* p, std::size_t columns) {
  const float sum = static_cast<float>(sum_of(p, columns));
  return sum == 0.0F ? 1.0F : sum;
}

// loss = -log(clip(p[label] / s)), s the sum of the row. Inside the clip it is log(s) - log(p[label]).
void sparse_from_probabilities(const Evaluation& run, std::optional<std::int32_t> ignored, std::size_t first,
                               std::size_t last) {
  const std::size_t columns = run.batch.columns;
  for (std::size_t row = first; row < last; ++row) {
    const float* p = run.batch.prediction + row * columns;
    float* d_p = run.d_prediction == nullptr ? nullptr : run.d_prediction + row * columns;
    const std::int32_t label = run.batch.labels[row];
    const bool counts = in_range(label, columns) && label != ignored;
    const auto y = counts ? static_cast<std::size_t>(label) : 0;
    const float s = normalizer(p, columns);
    const float share = p[y] / s;
    run.row_losses[row] = counts ? clip_probability(share) : 1.0F;  // its logarithm follows
    if (d_p == nullptr) continue;
    if (!counts || is_clipped(share)) {
      std::fill_n(d_p, columns, 0.0F);
      continue;
    }
    const float factor = row_factor(run.batch, row, run.scale);
    std::fill_n(d_p, columns, factor / s);
    d_p[y] = factor * ((share - 1.0F) / p[y]);
  }
  float* losses = run.row_losses + first;
  kernels::training_table().map(Unary::log, losses, losses, last - first);
  for (std::size_t i = 0; i < last - first; ++i) losses[i] = 0.0F - losses[i];
}

// ---- targets of the shape of the prediction
struct Smoothing {
  Smoothing(double s, std::size_t columns)
      : keep(1.0 - s), add(columns == 0 ? 0.0 : s / static_cast<double>(columns)) {}
  float operator()(float target) const { return target * static_cast<float>(keep) + static_cast<float>(add); }
  double keep, add;
};

// The sums of t and of t x over a row.
struct TargetSums {
  double total = 0, product = 0;

  TargetSums(const float* t, const float* x, std::size_t columns) {
    constexpr std::size_t kShort = 64;  // up to here one plain loop is faster than two kernel calls
    if (columns > kShort) {
      total = kernels::table().sum(t, columns);
      product = kernels::table().dot(t, x, columns);
      return;
    }
    for (std::size_t j = 0; j < columns; ++j) {
      total += static_cast<double>(t[j]);
      product += static_cast<double>(t[j]) * static_cast<double>(x[j]);
    }
  }
};

// loss = T log(sum(exp(x))) - sum(t x), T = sum(t); gradient T softmax - t. In float64, where the difference
// keeps its digits.
void dense_from_logits(const Evaluation& run, double label_smoothing, std::size_t first, std::size_t last) {
  const std::size_t columns = run.batch.columns;
  const Smoothing smooth(label_smoothing, columns);
  for (std::size_t begin = first; begin < last; begin += kRows) {
    const std::size_t count = std::min(kRows, last - begin);
    const SoftmaxRows rows(run.batch.prediction + begin * columns, run.softmax + begin * columns, count,
                           columns);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = begin + i;
      const float* x = run.batch.prediction + row * columns;
      const float* t = run.batch.target + row * columns;
      const TargetSums sums(t, x, columns);
      const double total_target = smooth.keep * sums.total + smooth.add * static_cast<double>(columns);
      const double log_sum = static_cast<double>(rows.largest[i]) + static_cast<double>(rows.excess[i]);
      double product = smooth.keep * sums.product;
      if (smooth.add != 0) product += smooth.add * sum_of(x, columns);
      run.row_losses[row] = static_cast<float>(total_target * log_sum - product);
      if (run.d_prediction == nullptr) continue;
      const float factor = row_factor(run.batch, row, run.scale);
      const float weight = static_cast<float>(total_target);
      const float* p = run.softmax + row * columns;
      float* d_x = run.d_prediction + row * columns;
      for (std::size_t j = 0; j < columns; ++j) d_x[j] = factor * (weight * p[j] - smooth(t[j]));
    }
  }
}

// loss = -sum(t log(clip(p / s))). With U the sum of t over the columns that are not clipped, the gradient is
// (U - [not clipped] t s / p) / s.
void dense_from_probabilities(const Evaluation& run, double label_smoothing, std::size_t first,
                              std::size_t last) {
  const kernels::Table& table = kernels::table();
  const std::size_t columns = run.batch.columns;
  const Smoothing smooth(label_smoothing, columns);
  float* logs = run.room + first * columns;
  for (std::size_t row = first; row < last; ++row) {
    const float* p = run.batch.prediction + row * columns;
    const float s = normalizer(p, columns);
    for (std::size_t j = 0; j < columns; ++j) run.room[row * columns + j] = clip_probability(p[j] / s);
  }
  kernels::training_table().map(Unary::log, logs, logs, (last - first) * columns);
  for (std::size_t row = first; row < last; ++row) {
    const float* t = run.batch.target + row * columns;
    const float* log_p = run.room + row * columns;
    double loss = -smooth.keep * table.dot(t, log_p, columns);
    if (smooth.add != 0) loss -= smooth.add * sum_of(log_p, columns);
    run.row_losses[row] = static_cast<float>(loss);
    if (run.d_prediction == nullptr) continue;
    const float* p = run.batch.prediction + row * columns;
    float* d_p = run.d_prediction + row * columns;
    const float s = normalizer(p, columns);
    double unclipped = 0;
    for (std::size_t j = 0; j < columns; ++j) {
      if (!is_clipped(p[j] / s)) unclipped += static_cast<double>(smooth(t[j]));
    }
    const float common = static_cast<float>(unclipped) / s;
    const float factor = row_factor(run.batch, row, run.scale);
    for (std::size_t j = 0; j < columns; ++j) {
      d_p[j] = factor * (is_clipped(p[j] / s) ? common : common - smooth(t[j]) / p[j]);
    }
  }
}

}  // namespace

template <class Self>
void CategoricalCrossentropyAs<Self>::fields(Fields<CategoricalCrossentropyOptions>& field) {
  using Options = CategoricalCrossentropyOptions;
  field("from_logits", &Options::from_logits, kFromLogitsDoc);
  field("label_smoothing", &Options::label_smoothing,
        "In [0, 1]: moves every target towards 1 / classes, from t to t * (1 - s) + s / classes.",
        in_closed_range(0, 1));
  reduction_field(field);
}

template <class Self>
std::optional<Activation> CategoricalCrossentropyAs<Self>::fused_activation() const {
  return this->options_.from_logits ? std::nullopt : std::optional(Activation::softmax);
}

template <class Self>
std::size_t CategoricalCrossentropyAs<Self>::scratch(std::size_t rows, std::size_t columns) const {
  return scratch_for(rows, columns);
}

template <class Self>
LossValue CategoricalCrossentropyAs<Self>::evaluate(const LossBatch& batch, float scale,
                                                    const LossOutputs& outputs, float* scratch,
                                                    Executor& executor) const {
  const Evaluation run(batch, scale, outputs, scratch);
  const bool logits = this->options_.from_logits || batch.fused_logits;
  const double label_smoothing = this->options_.label_smoothing;
  for_row_blocks(batch, executor, [&](std::size_t first, std::size_t last) {
    (logits ? dense_from_logits : dense_from_probabilities)(run, label_smoothing, first, last);
  });
  return total(*this, batch, run.row_losses);
}

template class CategoricalCrossentropyAs<CategoricalCrossentropy>;
template class CategoricalCrossentropyAs<NegativeLogLikelihood>;

void SparseCategoricalCrossentropy::fields(Fields<SparseCategoricalCrossentropyOptions>& field) {
  using Options = SparseCategoricalCrossentropyOptions;
  constexpr double kLowest = std::numeric_limits<std::int32_t>::min();
  constexpr double kHighest = std::numeric_limits<std::int32_t>::max();
  field("from_logits", &Options::from_logits, kFromLogitsDoc);
  field("ignore_class", &Options::ignore_class,
        "A label whose rows have no loss, get no gradient and don't count in the mean; None for none.",
        in_closed_range(kLowest, kHighest));
  reduction_field(field);
}

std::optional<Activation> SparseCategoricalCrossentropy::fused_activation() const {
  return options_.from_logits ? std::nullopt : std::optional(Activation::softmax);
}

std::optional<std::int32_t> SparseCategoricalCrossentropy::ignored_label() const {
  if (!options_.ignore_class) return std::nullopt;
  return static_cast<std::int32_t>(*options_.ignore_class);
}

std::size_t SparseCategoricalCrossentropy::scratch(std::size_t rows, std::size_t columns) const {
  return scratch_for(rows, columns);
}

LossValue SparseCategoricalCrossentropy::evaluate(const LossBatch& batch, float scale,
                                                  const LossOutputs& outputs, float* scratch,
                                                  Executor& executor) const {
  const Evaluation run(batch, scale, outputs, scratch);
  const bool logits = options_.from_logits || batch.fused_logits;
  const std::optional<std::int32_t> ignored = ignored_label();
  for_row_blocks(batch, executor, [&](std::size_t first, std::size_t last) {
    (logits ? sparse_from_logits : sparse_from_probabilities)(run, ignored, first, last);
  });
  return total(*this, batch, run.row_losses);
}

LossPtr categorical_crossentropy(CategoricalCrossentropyOptions options) {
  return std::make_shared<const CategoricalCrossentropy>(std::move(options));
}

LossPtr negative_log_likelihood(CategoricalCrossentropyOptions options) {
  return std::make_shared<const NegativeLogLikelihood>(std::move(options));
}

LossPtr sparse_categorical_crossentropy(SparseCategoricalCrossentropyOptions options) {
  return std::make_shared<const SparseCategoricalCrossentropy>(std::move(options));
}

}  // namespace lamina
