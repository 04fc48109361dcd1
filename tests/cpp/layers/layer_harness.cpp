#include "layers/layer_harness.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <random>

#include "lamina/kernels/dispatch.h"

namespace lamina::test {

namespace {

constexpr float kGuard = 12345.678F;
constexpr std::size_t kGuards = 16;

std::vector<float> guarded(std::size_t floats) {
  std::vector<float> memory(floats + kGuards, std::numeric_limits<float>::quiet_NaN());
  std::fill(memory.end() - kGuards, memory.end(), kGuard);
  return memory;
}

bool guards_hold(const std::vector<float>& memory) {
  return std::all_of(memory.end() - kGuards, memory.end(), [](float value) { return value == kGuard; });
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

float largest(const std::vector<float>& values) {
  float result = 0;
  for (const float value : values) result = std::max(result, std::abs(value));
  return result;
}

std::vector<float> mask_for(const LayerCase& test, std::size_t rows) {
  std::vector<float> mask(test.masked ? rows : 0);
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = i % 3 == 1 ? 0.0F : 1.0F;
  return mask;
}

const float* data_or_null(const std::vector<float>& values) {
  return values.empty() ? nullptr : values.data();
}

// A pool of a given size while it lives.
class PoolOf {
 public:
  explicit PoolOf(std::size_t threads) : before_(num_threads()) { set_num_threads(threads); }
  ~PoolOf() { set_num_threads(before_); }

 private:
  std::size_t before_;
};

// Everything that a training step of the layer computes, in one list.
std::vector<std::vector<float>> step_results(const LayerCase& test, std::size_t rows, Executor& executor) {
  LayerRunner runner(test.layer, test.input, rows);
  const std::vector<float> mask = mask_for(test, rows);
  const RunSettings settings{.update_state = true, .mask = data_or_null(mask), .executor = &executor};
  runner.forward(settings);
  runner.backward(settings);
  std::vector<std::vector<float>> results = {runner.y, runner.d_x};
  results.insert(results.end(), runner.d_parameters.begin(), runner.d_parameters.end());
  results.insert(results.end(), runner.state.begin(), runner.state.end());
  runner.forward({.mode = Mode::inference, .executor = &executor});
  results.push_back(runner.y);
  return results;
}

}  // namespace

std::vector<float> uniform(std::size_t n, double low, double high, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<float> values(n);
  for (float& value : values) {
    const double unit = static_cast<double>(generator() >> 11) * 0x1p-53;
    value = static_cast<float>(low + (high - low) * unit);
  }
  return values;
}

LayerRunner::LayerRunner(LayerPtr tested, const Shape& input, std::size_t row_count, std::uint64_t seed)
    : layer(std::move(tested)), rows(row_count), input_specs_{{input}} {
  spec = layer->build(input_specs_, "tested");
  REQUIRE(spec.outputs.size() == 1);
  x_shape = input.with_batch(rows);
  y_shape = spec.outputs[0].shape.with_batch(rows);
  x = uniform(x_shape.elements(), -2, 2, seed);
  y.assign(y_shape.elements(), std::numeric_limits<float>::quiet_NaN());
  d_y = uniform(y_shape.elements(), -1, 1, seed + 1);
  d_x.assign(x.size(), std::numeric_limits<float>::quiet_NaN());
  for (const ParameterSpec& parameter : spec.parameters) {
    parameters.push_back(uniform(parameter.shape.elements(), -1, 1, seed + 2 + parameters.size()));
    d_parameters.emplace_back(parameter.shape.elements(), std::numeric_limits<float>::quiet_NaN());
  }
  // Positive, since a variance may be among them.
  for (const StateSpec& entry : spec.state) {
    state.push_back(uniform(entry.shape.elements(), 0.5, 1.5, seed + 20 + state.size()));
  }
  for (const MemorySpec& memory : spec.saved) saved_.push_back(guarded(memory.floats(rows)));
  forward_scratch_ = guarded(layer->forward_scratch(input_specs_, rows));
  backward_scratch_ = guarded(layer->backward_scratch(input_specs_, rows));
}

double LayerRunner::forward(const RunSettings& settings) {
  const std::array<ConstView, 1> inputs{{{x.data(), x_shape}}};
  const std::array<View, 1> outputs{{{y.data(), y_shape}}};
  std::vector<const float*> parameter_data, state_data;
  std::vector<float*> state_out, saved_data;
  for (const auto& values : parameters) parameter_data.push_back(values.data());
  for (auto& values : state) state_data.push_back(values.data());
  if (settings.update_state) {
    for (auto& values : state) state_out.push_back(values.data());
  }
  if (settings.keeps_saved) {
    for (auto& values : saved_) saved_data.push_back(values.data());
  }
  double activity_loss = 0;
  ForwardContext context;
  context.rows = rows;
  context.mode = settings.mode;
  context.inputs = inputs;
  context.outputs = outputs;
  context.parameters = parameter_data;
  context.state = state_data;
  context.state_out = state_out;
  context.saved = saved_data;
  context.scratch = forward_scratch_.data();
  context.emit_logits = settings.emit_logits;
  context.mask = settings.mask;
  context.random_key = settings.random_key;
  context.activity_loss = &activity_loss;
  context.executor = settings.executor;
  context.training_kernels = &kernels::training_table();
  layer->forward(context);
  check_guards();
  return activity_loss;
}

void LayerRunner::backward(const RunSettings& settings, const GradientSettings& wanted) {
  const std::array<ConstView, 1> inputs{{{spec.backward_reads_inputs ? x.data() : nullptr, x_shape}}};
  const std::array<ConstView, 1> outputs{{{spec.backward_reads_outputs ? y.data() : nullptr, y_shape}}};
  const std::array<ConstView, 1> d_outputs{{{d_y.data(), y_shape}}};
  const std::array<View, 1> d_inputs{{{wanted.input ? d_x.data() : nullptr, x_shape}}};
  const std::array<bool, 1> accumulate_input{wanted.accumulate};
  std::array<bool, 8> accumulate{};
  accumulate.fill(wanted.accumulate);
  std::vector<const float*> parameter_data, state_data;
  std::vector<float*> saved_data, d_parameter_data;
  for (const auto& values : parameters) parameter_data.push_back(values.data());
  for (const auto& values : state) state_data.push_back(values.data());
  for (auto& values : saved_) saved_data.push_back(values.data());
  for (auto& values : d_parameters) d_parameter_data.push_back(wanted.parameters ? values.data() : nullptr);
  BackwardContext context;
  context.rows = rows;
  context.mode = settings.mode;
  context.inputs = inputs;
  context.outputs = outputs;
  context.parameters = parameter_data;
  context.state = state_data;
  context.saved = saved_data;
  context.d_outputs = d_outputs;
  context.d_inputs = d_inputs;
  context.accumulate_d_inputs = accumulate_input;
  context.d_parameters = d_parameter_data;
  context.accumulate_d_parameters = std::span(accumulate.data(), parameters.size());
  context.scratch = backward_scratch_.data();
  context.emit_logits = settings.emit_logits;
  context.mask = settings.mask;
  context.random_key = settings.random_key;
  context.activity_scale = wanted.activity_scale;
  context.executor = settings.executor;
  context.training_kernels = &kernels::training_table();
  layer->backward(context);
  check_guards();
}

double LayerRunner::functional(const RunSettings& settings, const GradientSettings& wanted) {
  const double penalty = forward(settings);
  double sum = static_cast<double>(wanted.activity_scale) * penalty;
  for (std::size_t i = 0; i < y.size(); ++i) {
    sum += static_cast<double>(d_y[i]) * static_cast<double>(y[i]);
  }
  return sum;
}

void LayerRunner::check_guards() const {
  CHECK(guards_hold(forward_scratch_));
  CHECK(guards_hold(backward_scratch_));
  for (const auto& values : saved_) CHECK(guards_hold(values));
}

namespace {

// d functional / d value by central differences of steps h and 2h, combined so that the error of order h^2
// goes; nothing where the two disagree, which in a smooth function they don't.
struct Difference {
  double step;
  double rounding;  // of one functional, divided by step
  std::optional<double> operator()(LayerRunner& runner, const RunSettings& settings,
                                   const GradientSettings& wanted, float& value) const {
    const float before = value;
    const auto slope = [&](double distance) {
      value = static_cast<float>(static_cast<double>(before) + distance);
      const double high = static_cast<double>(value);
      const double above = runner.functional(settings, wanted);
      value = static_cast<float>(static_cast<double>(before) - distance);
      const double low = static_cast<double>(value);
      const double below = runner.functional(settings, wanted);
      value = before;
      return (above - below) / (high - low);
    };
    const double near = slope(step);
    const double far = slope(2 * step);
    const double curvature = 0.01 * (1 + std::abs(near));
    if (std::abs(near - far) > curvature + 4 * rounding) return std::nullopt;
    return near + (near - far) / 3;
  }
};

}  // namespace

// Tolerance. Each of the m outputs is float32 with an error of at most some 8 ulp (kernels are within 4, sums
// of a few hundred terms add as much), independent of the others: sqrt(m) * 8 * 2^-24 * max|y| in the
// functional, where weights are below 1; the difference divides that by h. What the combined difference
// leaves out is h^4 / 30 * f''''' = 5e-9 f''''' for h = 0.02, below 1e-4 for what stands here. The gradient
// itself is float32, with a like relative error.
void check_gradients(const LayerCase& test, Mode mode, bool emit_logits) {
  LayerRunner runner(test.layer, test.input, test.rows);
  const std::vector<float> mask = mask_for(test, test.rows);
  const RunSettings settings{.mode = mode, .emit_logits = emit_logits, .mask = data_or_null(mask)};
  const GradientSettings wanted;
  runner.forward(settings);
  runner.backward(settings);
  const std::vector<float> d_x = runner.d_x;
  const std::vector<std::vector<float>> d_parameters = runner.d_parameters;

  const double step = test.has_kinks ? 0.004 : 0.02;
  const double size = static_cast<double>(std::max(1.0F, largest(runner.y)));
  const double rounding = 8 * 0x1p-24 * size * std::sqrt(static_cast<double>(runner.y.size())) / step;
  const Difference difference{step, rounding};
  std::size_t compared = 0, skipped = 0;
  const auto compare = [&](const char* what, std::vector<float>& values, const std::vector<float>& gradient) {
    const double relative = 1e-4 * (1 + static_cast<double>(largest(gradient)));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto expected = difference(runner, settings, wanted, values[i]);
      if (!expected) {
        ++skipped;
        continue;
      }
      ++compared;
      INFO(test.label << ": gradient of " << what << " at " << i << ": numeric " << *expected << ", computed "
                      << gradient[i]);
      CHECK(std::abs(*expected - static_cast<double>(gradient[i])) <= 1.5 * rounding + relative);
    }
  };
  compare("x", runner.x, d_x);
  for (std::size_t p = 0; p < runner.parameters.size(); ++p) {
    compare(runner.spec.parameters[p].name.c_str(), runner.parameters[p], d_parameters[p]);
  }
  INFO(test.label << ": " << skipped << " skipped, " << compared << " compared");
  CHECK(compared > 0);
  CHECK(skipped <= (test.has_kinks ? compared / 4 : 0));
}

// With the flag, a gradient is added to what stands there. Sums may start from it, so the last bits differ.
void check_accumulation(const LayerCase& test) {
  LayerRunner runner(test.layer, test.input, test.rows);
  const RunSettings settings;
  runner.forward(settings);
  runner.backward(settings);
  const std::vector<float> d_x = runner.d_x;
  const std::vector<std::vector<float>> d_parameters = runner.d_parameters;
  std::fill(runner.d_x.begin(), runner.d_x.end(), 3.0F);
  for (auto& gradient : runner.d_parameters) std::fill(gradient.begin(), gradient.end(), 3.0F);
  runner.backward(settings, {.accumulate = true});
  const auto compare = [&](const std::vector<float>& once, const std::vector<float>& added) {
    const float tolerance = 1e-5F * (3 + largest(once));
    for (std::size_t i = 0; i < once.size(); ++i) CHECK(std::abs(added[i] - (once[i] + 3)) <= tolerance);
  };
  compare(d_x, runner.d_x);
  for (std::size_t p = 0; p < d_parameters.size(); ++p) compare(d_parameters[p], runner.d_parameters[p]);
}

void check_skipped_gradients(const LayerCase& test) {
  LayerRunner all(test.layer, test.input, test.rows);
  LayerRunner some(test.layer, test.input, test.rows);
  all.forward({});
  all.backward({});
  some.forward({});
  some.backward({}, {.parameters = false});
  CHECK(same_bits(some.d_x, all.d_x));
  some.backward({}, {.input = false});
  for (std::size_t p = 0; p < all.d_parameters.size(); ++p) {
    CHECK(same_bits(some.d_parameters[p], all.d_parameters[p]));
  }
  some.backward({}, {.input = false, .parameters = false});
}

// A tensor that the spec says is read must matter (else it would be kept for nothing); LayerRunner withholds
// the others.
void check_what_backward_reads(const LayerCase& test) {
  const auto gradients_change = [&](std::vector<float> LayerRunner::* tensor) {
    LayerRunner runner(test.layer, test.input, test.rows);
    runner.forward({});
    runner.backward({});
    const std::vector<float> d_x = runner.d_x;
    const std::vector<std::vector<float>> d_parameters = runner.d_parameters;
    for (float& value : runner.*tensor) value = value > 0 ? -1 - value : 1 - value;
    runner.backward({});
    return !same_bits(d_x, runner.d_x) || d_parameters != runner.d_parameters;
  };
  const LayerSpec spec = LayerRunner(test.layer, test.input, 1).spec;
  if (spec.backward_reads_inputs) CHECK(gradients_change(&LayerRunner::x));
  if (spec.backward_reads_outputs) CHECK(gradients_change(&LayerRunner::y));
}

// In inference, a row's output has the same bits alone as among others.
void check_rows_are_independent(const LayerCase& test) {
  constexpr std::size_t kRows = 19;
  const RunSettings inference{.mode = Mode::inference, .keeps_saved = false};
  LayerRunner batch(test.layer, test.input, kRows);
  LayerRunner alone(test.layer, test.input, 1);
  batch.forward(inference);
  alone.parameters = batch.parameters;
  alone.state = batch.state;
  const std::size_t in = test.input.elements();
  const std::size_t out = batch.y.size() / kRows;
  for (std::size_t row = 0; row < kRows; ++row) {
    std::copy_n(batch.x.data() + row * in, in, alone.x.data());
    alone.forward(inference);
    INFO(test.label << ": row " << row);
    CHECK(std::memcmp(alone.y.data(), batch.y.data() + row * out, out * sizeof(float)) == 0);
  }
}

// The same bits on 1, 2 and 3 threads, for a batch that is large enough to be shared out.
void check_threads(const LayerCase& test) {
  const std::size_t rows = 40000 / test.input.elements() + 1;
  const auto serial = step_results(test, rows, serial_executor());
  for (const std::size_t threads : {1U, 2U, 3U}) {
    const PoolOf pool(threads);
    const auto results = step_results(test, rows, thread_pool());
    REQUIRE(results.size() == serial.size());
    INFO(test.label << ": " << threads << " threads");
    for (std::size_t i = 0; i < results.size(); ++i) CHECK(same_bits(results[i], serial[i]));
  }
}

void check_modes(const LayerCase& test) {
  LayerRunner runner(test.layer, test.input, test.rows);
  runner.forward({.mode = Mode::training});
  const std::vector<float> training = runner.y;
  runner.forward({.mode = Mode::inference});
  CHECK(same_bits(training, runner.y) == !test.layer->depends_on_mode());
}

// A layer made again from its description is the same layer.
void check_config(const LayerCase& test) {
  const LayerPtr copy = Layer::registry().make(test.layer->config());
  CHECK(copy->config() == test.layer->config());
  CHECK(copy->repr() == test.layer->repr());
  LayerRunner original(test.layer, test.input, test.rows);
  LayerRunner again(copy, test.input, test.rows);
  original.forward({});
  again.forward({});
  CHECK(same_bits(original.y, again.y));
}

void check_layer(const LayerCase& test) {
  CAPTURE(test.label);
  check_gradients(test, Mode::training, false);
  check_gradients(test, Mode::inference, false);
  if (test.layer->final_activation()) check_gradients(test, Mode::training, true);
  check_accumulation(test);
  check_skipped_gradients(test);
  check_what_backward_reads(test);
  check_rows_are_independent(test);
  check_threads(test);
  check_modes(test);
  check_config(test);
}

}  // namespace lamina::test
