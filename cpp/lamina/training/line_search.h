// How far to go along a direction: the line search of Moré and Thuente, "Line search algorithms with
// guaranteed sufficient decrease", ACM TOMS 20 (1994).
#pragma once

namespace lamina {

// A step on the line, the value there and its derivative by the step.
struct LinePoint {
  double step, value, slope;
};

// Looks for a step that fulfils the strong Wolfe conditions: value <= value(0) + 0.001 step slope(0), and
// |slope| <= 0.9 |slope(0)|. Ends without, too, where the interval that must hold one has shrunk to a tenth
// of its upper end, or at the longest step.
//
//   LineSearch search(value, slope, 1.0, 1e10);
//   while (!search.done()) search.take(value(search.step()), slope(search.step()));
class LineSearch {
 public:
  // At step 0: the value, and the slope, which is negative. `first` is the first step to try.
  LineSearch(double value, double slope, double first, double longest);

  double step() const { return step_; }  // the one to try, or, once done, the one that was found
  bool done() const { return done_; }
  // Tells value and slope at step(). What isn't finite is further than one may go.
  void take(double value, double slope);

 private:
  // Takes the point at step() into the interval, and gives the next step to try.
  double narrow(const LinePoint& at);

  double start_value_, start_slope_, longest_;
  double step_;
  LinePoint best_, other_;  // ends of the interval; the best has the lowest value
  bool bracketed_ = false;  // whether a minimum lies between them
  bool auxiliary_ = true;   // no step has come yet that decreases enough and lies beyond a minimum
  bool done_ = false;
  double low_, high_;  // what the next step is kept between
  double width_, width_before_;
};

}  // namespace lamina
