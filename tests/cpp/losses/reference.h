// Float64 references of every loss, written from the formulas of Keras 3, for one row.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace lamina::testing {

using Row = std::vector<double>;
// The loss of a row from its target and its prediction.
using RowLoss = std::function<double(const Row& target, const Row& prediction)>;

// Keras clips in float32, so the bounds are the floats nearest to 1e-7 and 1 - 1e-7.
inline const double kLow = static_cast<double>(1e-7F);
inline const double kHigh = static_cast<double>(1.0F - 1e-7F);

inline double clip(double x, double low, double high) {
  return std::min(std::max(x, low), high);
}

inline RowLoss mean_of(std::function<double(double t, double p)> f) {
  return [f](const Row& t, const Row& p) {
    double sum = 0;
    for (std::size_t i = 0; i < t.size(); ++i) sum += f(t[i], p[i]);
    return sum / static_cast<double>(t.size());
  };
}

inline double log_sum_exp(const Row& x) {
  const double top = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (const double value : x) sum += std::exp(value - top);
  return top + std::log(sum);
}

inline double smooth(double t, double s, double share) {
  return t * (1 - s) + s * share;
}

inline RowLoss crossentropy(double smoothing, bool logits) {
  return [=](const Row& t, const Row& p) {
    double total = 0, loss = 0;
    for (const double value : p) total += value;
    const double log_sum = logits ? log_sum_exp(p) : 0;
    const auto n = static_cast<double>(t.size());
    for (std::size_t i = 0; i < t.size(); ++i) {
      const double log_p = logits ? p[i] - log_sum : std::log(clip(p[i] / total, kLow, kHigh));
      loss -= smooth(t[i], smoothing, 1 / n) * log_p;
    }
    return loss;
  };
}

// log(1 + exp(x))
inline double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

inline double binary_term(double t, double p, bool logits) {
  if (logits) return t * softplus(-p) + (1 - t) * softplus(p);
  const double c = clip(p, kLow, kHigh);
  return -t * std::log(c) - (1 - t) * std::log1p(-c);
}

inline RowLoss binary(double smoothing, bool logits) {
  return mean_of([=](double t, double p) { return binary_term(smooth(t, smoothing, 0.5), p, logits); });
}

inline RowLoss focal(double smoothing, bool logits, bool balance, double alpha, double gamma) {
  return mean_of([=](double target, double p) {
    const double t = smooth(target, smoothing, 0.5);
    const double yes = logits ? 1 / (1 + std::exp(-p)) : p;
    const double no = logits ? 1 / (1 + std::exp(p)) : 1 - p;
    const double weight = balance ? t * alpha + (1 - t) * (1 - alpha) : 1;
    return weight * std::pow(t * no + (1 - t) * yes, gamma) * binary_term(t, p, logits);
  });
}

inline RowLoss squared_error() {
  return mean_of([](double t, double p) { return (t - p) * (t - p); });
}
inline RowLoss absolute_error() {
  return mean_of([](double t, double p) { return std::fabs(t - p); });
}
inline RowLoss huber(double delta) {
  return mean_of([=](double t, double p) {
    const double e = std::fabs(t - p);
    return e <= delta ? 0.5 * e * e : delta * e - 0.5 * delta * delta;
  });
}
inline RowLoss log_cosh() {
  return mean_of([](double t, double p) {
    const double e = p - t;
    return e + softplus(-2 * e) - std::log(2.0);
  });
}
inline RowLoss hinge(bool squared, bool binary_targets) {
  return mean_of([=](double t, double p) {
    const double e = std::max(1 - (binary_targets ? 2 * t - 1 : t) * p, 0.0);
    return squared ? e * e : e;
  });
}
inline RowLoss poisson() {
  return mean_of([](double t, double p) { return p - t * std::log(p + kLow); });
}
inline RowLoss kl_divergence() {
  return [](const Row& t, const Row& p) {
    double sum = 0;
    for (std::size_t i = 0; i < t.size(); ++i) {
      const double y = clip(t[i], kLow, 1);
      sum += y * std::log(y / clip(p[i], kLow, 1));
    }
    return sum;
  };
}
inline RowLoss cosine() {
  return [](const Row& t, const Row& p) {
    double tt = 0, pp = 0, tp = 0;
    for (std::size_t i = 0; i < t.size(); ++i) {
      tt += t[i] * t[i];
      pp += p[i] * p[i];
      tp += t[i] * p[i];
    }
    return -tp * std::min(1 / std::sqrt(tt), 1e7) * std::min(1 / std::sqrt(pp), 1e7);
  };
}

// d loss / d prediction[i], by a fourth-order central difference.
inline double derivative(const RowLoss& loss, const Row& target, const Row& prediction, std::size_t i) {
  const double h = 1e-4 * std::max(1e-3, std::fabs(prediction[i]));
  const auto at = [&](double offset) {
    Row moved = prediction;
    moved[i] += offset;
    return loss(target, moved);
  };
  return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
}

}  // namespace lamina::testing
