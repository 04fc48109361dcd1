#include "lamina/training/line_search.h"

#include <algorithm>
#include <cmath>

namespace lamina {
namespace {

constexpr double kDecrease = 1e-3;   // share of the decrease that the slope at 0 promises
constexpr double kCurvature = 0.9;   // share of the slope at 0
constexpr double kResolution = 0.1;  // of the upper end of the interval

// The minimum of the cubic with these values and slopes lies at from.step + ratio * (to.step - from.step).
struct Cubic {
  double ratio, gamma;  // gamma is 0 where the cubic has no minimum
};

Cubic cubic_through(const LinePoint& from, const LinePoint& to) {
  const double theta = 3 * (from.value - to.value) / (to.step - from.step) + from.slope + to.slope;
  const double size = std::max({std::abs(theta), std::abs(from.slope), std::abs(to.slope)});
  const double inside = (theta / size) * (theta / size) - (from.slope / size) * (to.slope / size);
  const double gamma = std::copysign(size * std::sqrt(std::max(0.0, inside)), to.step - from.step);
  return {(gamma - from.slope + theta) / (gamma - from.slope + gamma + to.slope), gamma};
}

double cubic_step(const LinePoint& from, const LinePoint& to) {
  return from.step + cubic_through(from, to).ratio * (to.step - from.step);
}

// Where the line through the slopes is 0.
double secant_step(const LinePoint& from, const LinePoint& to) {
  return from.step + from.slope / (from.slope - to.slope) * (to.step - from.step);
}

double nearest(double to, double a, double b) {
  return std::abs(a - to) < std::abs(b - to) ? a : b;
}

double farthest(double from, double a, double b) {
  return std::abs(a - from) > std::abs(b - from) ? a : b;
}

}  // namespace

LineSearch::LineSearch(double value, double slope, double first, double longest)
    : start_value_(value),
      start_slope_(slope),
      longest_(longest),
      step_(first),
      best_{0, value, slope},
      other_(best_),
      low_(0),
      high_(5 * first),
      width_(longest),
      width_before_(2 * longest) {}

void LineSearch::take(double value, double slope) {
  if (!std::isfinite(value) || !std::isfinite(slope)) {
    longest_ = step_ = best_.step + 0.1 * (step_ - best_.step);
    return;
  }
  const double promised = kDecrease * start_slope_;
  const double enough = start_value_ + step_ * promised;
  const bool decreases = value <= enough;
  if (auxiliary_ && decreases && slope >= 0) auxiliary_ = false;
  done_ = (decreases && std::abs(slope) <= -kCurvature * start_slope_) ||
          (decreases && slope <= promised && step_ == longest_) || step_ == 0 ||
          (bracketed_ && (step_ <= low_ || step_ >= high_ || high_ - low_ <= kResolution * high_));
  if (done_) return;

  double next = 0;
  if (auxiliary_ && value <= best_.value && !decreases) {
    // on the function less what was promised, whose minimum decreases enough
    const auto shift = [promised](LinePoint point, double sign) {
      return LinePoint{point.step, point.value - sign * point.step * promised, point.slope - sign * promised};
    };
    best_ = shift(best_, 1);
    other_ = shift(other_, 1);
    next = narrow(shift({step_, value, slope}, 1));
    best_ = shift(best_, -1);
    other_ = shift(other_, -1);
  } else {
    next = narrow({step_, value, slope});
  }
  if (bracketed_) {
    const double width = std::abs(other_.step - best_.step);
    if (width >= 0.66 * width_before_) next = best_.step + 0.5 * (other_.step - best_.step);
    width_before_ = width_;
    width_ = width;
    low_ = std::min(best_.step, other_.step);
    high_ = std::max(best_.step, other_.step);
  } else {
    low_ = next + 1.1 * (next - best_.step);
    high_ = next + 4 * (next - best_.step);
  }
  next = std::clamp(next, 0.0, longest_);
  const bool exhausted = bracketed_ && (next <= low_ || next >= high_ || high_ - low_ <= kResolution * high_);
  step_ = exhausted ? best_.step : next;
}

double LineSearch::narrow(const LinePoint& at) {
  const bool turns = at.slope * best_.slope < 0;
  double next = 0;
  if (at.value > best_.value) {  // too far: a minimum lies before
    const double cubic = cubic_step(best_, at);
    const double mean_slope = (at.value - best_.value) / (at.step - best_.step);
    const double quadratic =
        best_.step + best_.slope / (best_.slope - mean_slope) / 2 * (at.step - best_.step);
    next = std::abs(cubic - best_.step) < std::abs(quadratic - best_.step) ? cubic : (cubic + quadratic) / 2;
    bracketed_ = true;
  } else if (turns) {  // a minimum lies between
    next = farthest(at.step, cubic_step(at, best_), secant_step(at, best_));
    bracketed_ = true;
  } else if (std::abs(at.slope) < std::abs(best_.slope)) {  // it flattens
    const Cubic through = cubic_through(at, best_);
    const bool ahead = through.ratio < 0 && through.gamma != 0;  // the cubic's minimum, or there is none
    const double cubic =
        ahead ? at.step + through.ratio * (best_.step - at.step) : (at.step > best_.step ? high_ : low_);
    const double secant = secant_step(at, best_);
    if (bracketed_) {
      next = nearest(at.step, cubic, secant);
      const double bound = at.step + 0.66 * (other_.step - at.step);
      next = at.step > best_.step ? std::min(bound, next) : std::max(bound, next);
    } else {
      next = std::clamp(farthest(at.step, cubic, secant), low_, high_);
    }
  } else if (bracketed_) {
    next = cubic_step(at, other_);
  } else {
    next = at.step > best_.step ? high_ : low_;
  }
  if (at.value > best_.value) {
    other_ = at;
  } else {
    if (turns) other_ = best_;
    best_ = at;
  }
  return next;
}

}  // namespace lamina
