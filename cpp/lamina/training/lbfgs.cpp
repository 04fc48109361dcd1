#include "lamina/training/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "lamina/core/error.h"
#include "lamina/kernels/dispatch.h"
#include "lamina/model/graph.h"
#include "lamina/training/line_search.h"

namespace lamina {
namespace {

constexpr std::size_t kEvaluationsOfALine = 20;
constexpr double kLongestStep = 1e10;
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

double dot(std::span<const double> a, std::span<const double> b) {
  return kernels::training_table().dot_float64(a.data(), b.data(), a.size());
}

double largest_magnitude(std::span<const double> x) {
  constexpr std::size_t kLanes = 8;  // so that one maximum need not wait for the other
  double largest[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= x.size(); i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) largest[j] = std::max(largest[j], std::abs(x[i + j]));
  }
  for (; i < x.size(); ++i) largest[0] = std::max(largest[0], std::abs(x[i]));
  return *std::max_element(largest, largest + kLanes);
}

// The last steps s and changes of the gradient y, and the inverse of the Hessian H that they stand for, in
// the compact form of Byrd, Nocedal and Schnabel (1994, eq. 3.1): with R_ij = s_i'y_j (i <= j), D its
// diagonal, Y'Y, and gamma = s'y / y'y of the last pair,
//   u = R^-1 S'g,   v = R^-T ((D + gamma Y'Y) u - gamma Y'g),   H g = gamma g + S v - gamma Y u.
// It reads each vector twice, where the two loops over the pairs read it four times and move g between. Pairs
// are kept in float32, which is all that a gradient of float32 weights tells.
class CurvaturePairs {
 public:
  CurvaturePairs(std::size_t most, std::size_t size) : most_(most), size_(size) {}

  bool empty() const { return pairs_.empty(); }
  void clear() {
    pairs_.clear();
    scale_ = 1;
  }

  // Takes a pair, in the place of the oldest one when full: the step length * direction, and the change from
  // the gradient that descend() saw last. `curvature` is their dot product, above 0.
  void add(std::span<const double> direction, double length, double curvature,
           std::span<const double> gradient, std::span<const double> gradient_before) {
    if (pairs_.size() < most_) {
      pairs_.push_back({std::vector<float>(size_), std::vector<float>(size_), {}, {}});
    } else {
      std::rotate(pairs_.begin(), pairs_.begin() + 1, pairs_.end());
      for (Pair& pair : pairs_) {
        if (!pair.steps.empty()) pair.steps.erase(pair.steps.begin());
        if (!pair.changes.empty()) pair.changes.erase(pair.changes.begin());
      }
      pairs_.back().steps.clear();
      pairs_.back().changes.clear();
    }
    Pair& pair = pairs_.back();
    for (std::size_t i = 0; i < size_; ++i) {
      pair.step[i] = static_cast<float>(length * direction[i]);
      pair.change[i] = static_cast<float>(gradient[i] - gradient_before[i]);
    }
    curvature_ = curvature;
  }

  // direction = -H gradient.
  void descend(std::span<const double> gradient, std::span<double> direction) {
    const std::size_t count = pairs_.size();
    std::vector<const float*> vectors;
    for (const Pair& pair : pairs_) vectors.insert(vectors.end(), {pair.step.data(), pair.change.data()});
    std::vector<double> dots(2 * count);
    const kernels::TrainingTable& kernel = kernels::training_table();
    kernel.dots_float64(gradient.data(), vectors.data(), 2 * count, size_, dots.data());
    if (count > 0 && pairs_.back().steps.empty()) add_products(dots);
    for (std::size_t i = 0; i < count; ++i) {
      pairs_[i].step_dot = dots[2 * i];
      pairs_[i].change_dot = dots[2 * i + 1];
    }
    std::vector<double> weights(2 * count);  // of the vectors in the direction
    solve(weights);
    kernel.combine_float64(-scale_, gradient.data(), vectors.data(), weights.data(), 2 * count, size_,
                           direction.data());
  }

 private:
  struct Pair {
    std::vector<float> step, change;
    // Products with the steps and changes of all pairs up to this one: a column of R, and of Y'Y.
    std::vector<double> steps, changes;
    double step_dot = 0, change_dot = 0;  // with the gradient that descend() saw last
  };

  // The columns of the newest pair. As y = g - g_before, s'y and y'y are differences of what is known.
  void add_products(const std::vector<double>& dots) {
    Pair& newest = pairs_.back();
    for (std::size_t i = 0; i + 1 < pairs_.size(); ++i) {
      newest.steps.push_back(dots[2 * i] - pairs_[i].step_dot);
      newest.changes.push_back(dots[2 * i + 1] - pairs_[i].change_dot);
    }
    const double squares = kernels::table().sum_squares(newest.change.data(), size_);
    newest.steps.push_back(curvature_);
    newest.changes.push_back(squares);
    scale_ = curvature_ / squares;
  }

  // Sets -v_i for each s_i, and gamma u_i for each y_i.
  void solve(std::vector<double>& weights) const {
    const std::size_t count = pairs_.size();
    if (count == 0) return;
    std::vector<double> u(count), v(count);
    for (std::size_t i = count; i-- > 0;) {
      u[i] = pairs_[i].step_dot;
      for (std::size_t j = i + 1; j < count; ++j) u[i] -= pairs_[j].steps[i] * u[j];
      u[i] /= pairs_[i].steps[i];
    }
    for (std::size_t i = 0; i < count; ++i) {
      double changes = -pairs_[i].change_dot;
      for (std::size_t j = 0; j < count; ++j)
        changes += pairs_[std::max(i, j)].changes[std::min(i, j)] * u[j];
      v[i] = pairs_[i].steps[i] * u[i] + scale_ * changes;
      for (std::size_t j = 0; j < i; ++j) v[i] -= pairs_[i].steps[j] * v[j];
      v[i] /= pairs_[i].steps[i];
    }
    for (std::size_t i = 0; i < count; ++i) {
      weights[2 * i] = -v[i];
      weights[2 * i + 1] = scale_ * u[i];
    }
  }

  std::size_t most_, size_;
  std::vector<Pair> pairs_;  // the oldest first
  double scale_ = 1;         // gamma
  double curvature_ = 0;     // of the newest pair
};

void check(const LbfgsOptions& options) {
  const auto refuse = [](const std::string& what) {
    throw ArgumentError("LbfgsOptions: expected " + what + ".");
  };
  if (options.max_iterations == 0) refuse("max_iterations of 1 or more, got 0");
  if (options.max_evaluations == 0) refuse("max_evaluations of 1 or more, got 0");
  if (options.history == 0) refuse("a history of 1 pair or more, got 0");
  if (!(options.gradient_tolerance >= 0)) {
    refuse("gradient_tolerance >= 0, got " + std::to_string(options.gradient_tolerance));
  }
  if (!(options.value_tolerance >= 0)) {
    refuse("value_tolerance >= 0, got " + std::to_string(options.value_tolerance));
  }
}

}  // namespace

std::string_view describe(LbfgsEnd end) {
  switch (end) {
    case LbfgsEnd::gradient_tolerance:
      return "the gradient is within its tolerance";
    case LbfgsEnd::value_tolerance:
      return "the value changes by less than its tolerance";
    case LbfgsEnd::max_iterations:
      return "the largest number of iterations is reached";
    case LbfgsEnd::max_evaluations:
      return "the largest number of evaluations is reached";
    case LbfgsEnd::no_descent:
      return "no step along the gradient makes the value smaller";
    case LbfgsEnd::stopped:
      return "a callback stopped it";
  }
  return "";
}

LbfgsResult minimize_lbfgs(const LbfgsObjective& objective, std::span<double> x,
                           const LbfgsOptions& options) {
  check(options);
  const std::size_t size = x.size();
  CurvaturePairs history(options.history, size);
  std::vector<double> gradient(size), direction(size), trial(size), trial_gradient(size);
  LbfgsResult result;
  const auto ended = [&result](LbfgsEnd end) {
    result.end = end;
    return result;
  };
  const auto evaluate = [&](std::span<const double> at, std::span<double> its_gradient) {
    ++result.evaluations;
    return objective(at, its_gradient);
  };

  result.value = evaluate(x, gradient);
  if (!std::isfinite(result.value)) return ended(LbfgsEnd::no_descent);
  if (largest_magnitude(gradient) <= options.gradient_tolerance) return ended(LbfgsEnd::gradient_tolerance);
  while (true) {
    history.descend(gradient, direction);
    const double slope = dot(gradient, direction);
    const double first =
        result.iterations > 0 ? 1.0 : std::min(1.0 / std::sqrt(dot(direction, direction)), kLongestStep);
    LineSearch search(result.value, slope, first, kLongestStep);
    double value = 0;
    double trial_slope = 0;
    for (std::size_t i = 0; slope < 0 && !search.done() && i < kEvaluationsOfALine; ++i) {
      const double step = search.step();
      for (std::size_t j = 0; j < size; ++j) trial[j] = x[j] + step * direction[j];
      value = evaluate(trial, trial_gradient);
      trial_slope = dot(trial_gradient, direction);
      search.take(value, trial_slope);
    }
    if (!search.done()) {
      if (history.empty()) return ended(LbfgsEnd::no_descent);
      history.clear();  // and along the gradient itself
      continue;
    }

    std::copy(trial.begin(), trial.end(), x.begin());
    const double before = std::exchange(result.value, value);
    result.last_decrease = before - value;
    ++result.iterations;
    if (options.on_iteration && !options.on_iteration({result.iterations, result.evaluations, value})) {
      return ended(LbfgsEnd::stopped);
    }
    if (result.iterations >= options.max_iterations) return ended(LbfgsEnd::max_iterations);
    if (result.evaluations > options.max_evaluations) return ended(LbfgsEnd::max_evaluations);
    if (largest_magnitude(trial_gradient) <= options.gradient_tolerance) {
      return ended(LbfgsEnd::gradient_tolerance);
    }
    if (result.last_decrease <=
        options.value_tolerance * std::max({std::abs(before), std::abs(value), 1.0})) {
      return ended(LbfgsEnd::value_tolerance);
    }
    const double curvature = (trial_slope - slope) * search.step();
    if (curvature > kEpsilon * -slope * search.step()) {
      history.add(direction, search.step(), curvature, trial_gradient, gradient);
    }
    gradient.swap(trial_gradient);
  }
}

LbfgsResult fit_lbfgs(TrainingSession& session, const Dataset& data, const LbfgsOptions& options) {
  Graph& graph = session.model().graph();
  if (!graph.weights_ready)
    throw StateError("fit_lbfgs: expected data that prepare() has seen, got no weights.");
  for (const Parameter& parameter : graph.parameters) {
    if (parameter.constraint && graph.layers[parameter.layer].trainable) {
      throw ArgumentError("fit_lbfgs: expected weights without constraints, got " + parameter.name +
                          " with one; it would not be kept.");
    }
  }
  const std::span<float> parameters = graph.parameter_values.span();
  std::vector<float> gradient(parameters.size());
  std::vector<double> x(parameters.begin(), parameters.end());
  const auto put = [parameters](std::span<const double> from) {
    std::transform(from.begin(), from.end(), parameters.begin(),
                   [](double v) { return static_cast<float>(v); });
  };
  const auto objective = [&](std::span<const double> at, std::span<double> its_gradient) {
    put(at);
    const double value = session.value_and_gradient(data, false, gradient);
    std::copy(gradient.begin(), gradient.end(), its_gradient.begin());
    return value;
  };
  try {
    const LbfgsResult result = minimize_lbfgs(objective, x, options);
    put(x);
    return result;
  } catch (...) {
    put(x);
    throw;
  }
}

}  // namespace lamina
