#include "lamina/training/step_executor.h"

#include <algorithm>
#include <chrono>

namespace lamina {
namespace {

constexpr double kLong = 1e-3;        // seconds of a step that is worth sharing in any case
constexpr double kWorthwhile = 0.98;  // what all threads must take of the time of one
// Steps from one trial to the next, times how much slower the slower way was: trials then take 0.6 % of the
// time at most.
constexpr double kSteps = 1000;
// One thread is the faster one, too, while something else holds the other CPUs. So at first it is kept to for
// fewer steps, and for so many times more whenever a trial says it again.
constexpr double kFirstStepsOnOne = 100;
constexpr double kMoreSteps = 16;

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void StepExecutor::run(std::size_t count, TaskRef task) {
  (threads_ == 1 ? serial_executor() : pool_).run(count, task);
}

void StepExecutor::begin(Phase phase) {
  phase_ = phase;
  threads_ = phase == Phase::try_one ? 1 : available_;
  count_ = 0;
  last_ = kTimed + 1;
}

void StepExecutor::settle(std::size_t threads, double slower_by) {
  begin(Phase::settled);
  threads_ = threads;
  const double most = threads == settled_on_ ? kMoreSteps * steps_ : threads == 1 ? kFirstStepsOnOne : kSteps;
  settled_on_ = threads;
  steps_ = std::min(most, kSteps * std::clamp(slower_by, 1.0, 100.0));
  last_ = static_cast<std::size_t>(steps_);
}

void StepExecutor::begin_step() {
  if (const std::size_t available = pool_.threads(); available != available_) {
    available_ = available;
    settled_on_ = 0;
    begin(Phase::try_all);
  }
  if (available_ > 1 && phase_ != Phase::settled) start_ = clock_();
}

void StepExecutor::end_step() {
  if (available_ == 1) return;
  if (phase_ != Phase::settled && count_ > 0) seconds_[count_ - 1] = clock_() - start_;
  if (++count_ < last_) return;
  if (phase_ == Phase::settled) {
    begin(Phase::try_all);
    return;
  }
  std::nth_element(seconds_.begin(), seconds_.begin() + kTimed / 2, seconds_.end());
  const double median = seconds_[kTimed / 2];
  if (phase_ == Phase::try_one) {
    const bool all = with_all_ < kWorthwhile * median;
    settle(all ? available_ : 1, all ? median / with_all_ : with_all_ / median);
  } else if (median >= kLong) {
    settle(available_, 1.0);
  } else {
    with_all_ = median;
    begin(Phase::try_one);
  }
}

}  // namespace lamina
