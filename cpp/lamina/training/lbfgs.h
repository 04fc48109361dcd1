// L-BFGS: a quasi-Newton method over whole gradients, for data and networks small enough that each of its
// steps can see all rows. Where it fits it needs far fewer passes than a stochastic optimizer.
//
// Nocedal, "Updating quasi-Newton matrices with limited storage", Math. Comp. 35 (1980), with the line search
// of Moré and Thuente; it takes the steps, and ends by the tests, of L-BFGS-B (Zhu, Byrd, Lu, Nocedal, ACM
// TOMS 23, 1997) without bounds, which SciPy has.
//
//   lamina::TrainingSession session(model, {...});
//   lamina::LbfgsResult result = lamina::fit_lbfgs(session, data, {.max_iterations = 200});
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

#include "lamina/training/session.h"

namespace lamina {

// Of an iteration that is over.
struct LbfgsProgress {
  std::size_t iterations = 0, evaluations = 0;
  double value = 0;
};

struct LbfgsOptions {
  std::size_t max_iterations = 15000;
  std::size_t max_evaluations = 15000;     // looked at between iterations, which take one to twenty
  double gradient_tolerance = 1e-5;        // ends where no element of the gradient is larger
  double value_tolerance = 0x1p-52 * 1e7;  // ends where (before - now) / max(|before|, |now|, 1) is no larger
  std::size_t history = 10;                // pairs of steps and changes of the gradient that are kept
  // Called after each iteration; false ends it there.
  std::function<bool(const LbfgsProgress&)> on_iteration = {};
};

enum class LbfgsEnd {
  gradient_tolerance,
  value_tolerance,
  max_iterations,
  max_evaluations,
  no_descent,  // not even along the gradient: the limits of the numbers, or a gradient that isn't that of the
               // value
  stopped,     // by on_iteration
};

struct LbfgsResult {
  double value = 0;
  std::size_t iterations = 0, evaluations = 0;
  double last_decrease = 0;  // of the value, by the last iteration
  LbfgsEnd end = LbfgsEnd::no_descent;
  bool converged() const { return end == LbfgsEnd::gradient_tolerance || end == LbfgsEnd::value_tolerance; }
};

// "the gradient is within its tolerance", ...
std::string_view describe(LbfgsEnd end);

// Writes the gradient at x and returns the value. What isn't finite counts as infinitely high.
using LbfgsObjective = std::function<double(std::span<const double> x, std::span<double> gradient)>;

// Moves x, from where it stands, to where the objective is small. Steps and changes of the gradient are kept
// in float32, so their elements should lie within its range: scale an objective for which they don't. When
// something throws, x is that of the last iteration. ArgumentError for options out of range.
LbfgsResult minimize_lbfgs(const LbfgsObjective& objective, std::span<double> x,
                           const LbfgsOptions& options = {});

// Trains the model of a session on all rows of `data`, which prepare() has seen: mean loss and penalties,
// without dropout and with the statistics that batch normalization has. The optimizer of the session takes no
// part. An error leaves the weights of the last iteration; ArgumentError where a weight has a constraint.
LbfgsResult fit_lbfgs(TrainingSession& session, const Dataset& data, const LbfgsOptions& options = {});

}  // namespace lamina
