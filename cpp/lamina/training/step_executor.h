// Where the steps of a session run: on all threads of a pool, or on the calling one where the others don't
// pay.
//
// Sharing a short step out costs what it brings where CPUs have no cache in common, or where other programs
// keep them busy. So some steps are timed on all threads and some on one, now and then, and those between
// them run on what was faster. Results never depend on it.
#pragma once

#include <array>
#include <cstddef>

#include "lamina/core/thread_pool.h"

namespace lamina {

// Seconds of a clock that never goes back.
double steady_seconds();

class StepExecutor final : public Executor {
 public:
  explicit StepExecutor(Executor& pool = thread_pool(), double (*clock)() = steady_seconds)
      : pool_(pool), clock_(clock) {}

  std::size_t threads() const override { return threads_; }
  void run(std::size_t count, TaskRef task) override;

  // Before and after a step, which may end by an exception in their stead.
  void begin_step();
  void end_step();

 private:
  static constexpr std::size_t kTimed = 5;  // steps whose median counts; one more goes before them
  enum class Phase { try_all, try_one, settled };

  void begin(Phase phase);
  void settle(std::size_t threads, double slower_by);

  Executor& pool_;
  double (*clock_)();
  std::size_t available_ = 0;  // threads of the pool
  std::size_t threads_ = 1;    // of the step at hand
  Phase phase_ = Phase::try_all;
  std::size_t count_ = 0;       // steps of this phase that are done
  std::size_t last_ = 0;        // so many of them end it
  std::size_t settled_on_ = 0;  // threads of the last decision; 0 before the first
  double steps_ = 0;            // that it held for
  std::array<double, kTimed> seconds_{};
  double with_all_ = 0;
  double start_ = 0;
};

}  // namespace lamina
