#include "lamina/training/step_executor.h"

#include <doctest/doctest.h>

#include <cstddef>

namespace lamina {
namespace {

double now = 0;  // of the clock that the tests set

// A pool that counts what it is asked to run.
class CountingPool final : public Executor {
 public:
  explicit CountingPool(std::size_t threads) : size(threads) {}
  std::size_t threads() const override { return size; }
  void run(std::size_t count, TaskRef task) override {
    ++runs;
    serial_executor().run(count, task);
  }
  std::size_t size;
  std::size_t runs = 0;
};

// Steps that take so many seconds on one thread and on all.
struct Workload {
  double one, all;
};

struct Steps {
  std::size_t on_one = 0, on_all = 0;
};

Steps run_steps(StepExecutor& executor, const Workload& work, std::size_t count) {
  Steps steps;
  for (std::size_t i = 0; i < count; ++i) {
    executor.begin_step();
    const bool all = executor.threads() > 1;
    now += all ? work.all : work.one;
    ++(all ? steps.on_all : steps.on_one);
    executor.end_step();
  }
  return steps;
}

TEST_CASE("a step executor keeps to all threads where they are faster, and to one where they are not") {
  CountingPool pool(4);
  {
    StepExecutor executor(pool, [] { return now; });
    const Steps steps = run_steps(executor, {.one = 90e-6, .all = 30e-6}, 10000);
    CHECK(steps.on_one >= 6);
    CHECK(static_cast<double>(steps.on_one) * 60e-6 < 0.006 * now);  // what trying one thread cost
  }
  {
    StepExecutor executor(pool, [] { return now; });
    const Steps steps = run_steps(executor, {.one = 30e-6, .all = 40e-6}, 10000);
    CHECK(steps.on_all < 60);
  }
  {
    StepExecutor executor(pool, [] { return now; });
    CHECK(run_steps(executor, {.one = 30e-6, .all = 30e-6}, 10000).on_all < 70);  // others may use the CPUs
  }
}

TEST_CASE("a step executor notices that the faster way has become the slower one") {
  CountingPool pool(2);
  StepExecutor executor(pool, [] { return now; });
  run_steps(executor, {.one = 30e-6, .all = 20e-6}, 100);
  run_steps(executor, {.one = 30e-6, .all = 60e-6}, 3200);
  CHECK(run_steps(executor, {.one = 30e-6, .all = 60e-6}, 100).on_one == 100);
  run_steps(executor, {.one = 30e-6, .all = 20e-6}, 3200);
  CHECK(run_steps(executor, {.one = 30e-6, .all = 20e-6}, 100).on_all == 100);
}

TEST_CASE("a step executor that was disturbed while it tried all threads tries them again soon") {
  CountingPool pool(2);
  StepExecutor executor(pool, [] { return now; });
  run_steps(executor, {.one = 30e-6, .all = 90e-6}, 6);
  const Steps steps = run_steps(executor, {.one = 30e-6, .all = 17e-6}, 1006);
  CHECK(steps.on_one < 120);
  // and what was disturbed later, when it kept to all of them for long
  run_steps(executor, {.one = 30e-6, .all = 17e-6}, 10000);
  std::size_t tried = 0;
  while (run_steps(executor, {.one = 30e-6, .all = 60e-6}, 1).on_one == 0 && tried < 10000) ++tried;
  CHECK(run_steps(executor, {.one = 30e-6, .all = 17e-6}, 1000).on_one < 120);
}

TEST_CASE("a step executor goes by the median: interruptions and the first step don't count") {
  CountingPool pool(2);
  StepExecutor executor(pool, [] { return now; });
  for (const double seconds : {1.0, 20e-6, 0.5, 20e-6, 0.5, 20e-6}) {  // on all threads
    run_steps(executor, {.one = 0, .all = seconds}, 1);
  }
  CHECK(run_steps(executor, {.one = 30e-6, .all = 20e-6}, 6).on_one == 6);
  CHECK(run_steps(executor, {.one = 30e-6, .all = 20e-6}, 1000).on_all == 1000);
}

TEST_CASE("a step executor never tries long steps on one thread") {
  CountingPool pool(2);
  StepExecutor executor(pool, [] { return now; });
  CHECK(run_steps(executor, {.one = 9e-3, .all = 1.1e-3}, 5000).on_one == 0);
}

TEST_CASE("a step executor runs tasks where it says") {
  CountingPool pool(2);
  StepExecutor executor(pool, [] { return now; });
  std::size_t tasks = 0;
  const auto run = [&] { executor.run(3, [&](std::size_t) { ++tasks; }); };
  executor.begin_step();
  run();
  executor.end_step();
  CHECK(pool.runs == 1);
  run_steps(executor, {.one = 10e-6, .all = 20e-6}, 20);
  executor.begin_step();
  CHECK(executor.threads() == 1);
  run();
  CHECK(pool.runs == 1);
  CHECK(tasks == 6);
}

TEST_CASE("a step executor follows the size of its pool") {
  CountingPool pool(1);
  StepExecutor executor(pool, [] { return now; });
  CHECK(run_steps(executor, {.one = 10e-6, .all = 20e-6}, 100).on_all == 0);
  pool.size = 3;
  executor.begin_step();
  CHECK(executor.threads() == 3);
  executor.end_step();
  run_steps(executor, {.one = 10e-6, .all = 20e-6}, 100);
  pool.size = 1;
  CHECK(run_steps(executor, {.one = 10e-6, .all = 20e-6}, 3).on_all == 0);
}

}  // namespace
}  // namespace lamina
