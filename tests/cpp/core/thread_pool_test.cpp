// The pool: every task once, nested and concurrent callers, resizing, forking, and the end of the process.
#include "lamina/core/thread_pool.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "lamina/core/error.h"

namespace lamina {
namespace {

// Sets the pool's size for one test.
class PoolSize {
 public:
  explicit PoolSize(std::size_t size) : before_(num_threads()) { set_num_threads(size); }
  ~PoolSize() { set_num_threads(before_); }
  PoolSize(const PoolSize&) = delete;
  PoolSize& operator=(const PoolSize&) = delete;

 private:
  std::size_t before_;
};

bool runs_each_task_once(Executor& executor, std::size_t count) {
  std::vector<std::atomic<int>> calls(count);
  executor.run(count, [&](std::size_t i) { calls[i].fetch_add(1); });
  for (const std::atomic<int>& n : calls) {
    if (n.load() != 1) return false;
  }
  return true;
}

TEST_CASE("every task runs exactly once, for any number of threads") {
  for (std::size_t threads : {1U, 2U, 3U, 8U}) {
    const PoolSize size(threads);
    CHECK(num_threads() == threads);
    CHECK(thread_pool().threads() == threads);
    for (std::size_t count : {0U, 1U, 2U, 3U, 100U}) {
      for (int repeat = 0; repeat < 200; ++repeat) REQUIRE(runs_each_task_once(thread_pool(), count));
    }
  }
  CHECK(runs_each_task_once(serial_executor(), 10));
}

TEST_CASE("work is shared with another thread, also after workers fell asleep") {
  const PoolSize size(2);
  for (int repeat = 0; repeat < 3; ++repeat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    // Each task waits for the other, so this ends only when two threads are at work.
    std::atomic<int> arrived{0};
    thread_pool().run(2, [&](std::size_t) {
      arrived.fetch_add(1);
      while (arrived.load() < 2) std::this_thread::yield();
    });
    CHECK(arrived.load() == 2);
  }
}

TEST_CASE("a nested caller runs on its own thread") {
  const PoolSize size(3);
  std::atomic<int> total{0};
  std::atomic<int> foreign{0};
  thread_pool().run(6, [&](std::size_t) {
    const std::thread::id self = std::this_thread::get_id();
    thread_pool().run(5, [&](std::size_t) {
      total.fetch_add(1);
      if (std::this_thread::get_id() != self) foreign.fetch_add(1);
    });
  });
  CHECK(total.load() == 30);
  CHECK(foreign.load() == 0);
}

TEST_CASE("concurrent callers all finish") {
  const PoolSize size(2);
  std::atomic<int> total{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 500; ++repeat) {
        thread_pool().run(7, [&](std::size_t) { total.fetch_add(1, std::memory_order_relaxed); });
      }
    });
  }
  for (int repeat = 0; repeat < 10; ++repeat) set_num_threads(1 + static_cast<std::size_t>(repeat) % 3);
  for (std::thread& caller : callers) caller.join();
  CHECK(total.load() == 4 * 500 * 7);
}

TEST_CASE("the size of the pool is checked") {
  CHECK_THROWS_AS(set_num_threads(0), ArgumentError);
  CHECK_THROWS_AS(set_num_threads(257), ArgumentError);
  const PoolSize size(2);
  std::atomic<int> refused{0};
  thread_pool().run(2, [&](std::size_t) {
    try {
      set_num_threads(1);
    } catch (const StateError&) {
      refused.fetch_add(1);
    }
  });
  CHECK(refused.load() == 2);
}

// The child's exit code, or -1 when it had to be killed after `seconds`.
int exit_code_of(pid_t child, int seconds) {
  for (int wait = 0; wait < seconds * 100; ++wait) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return -1;
}

// Lets all threads of the pool work, so that what they do as they start is behind them: a sanitizer takes
// locks then, which a child that is forked meanwhile would never get.
bool all_threads_work() {
  const std::size_t threads = num_threads();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::atomic<std::size_t> arrived{0};
  thread_pool().run(threads, [&](std::size_t) {
    arrived.fetch_add(1);
    while (arrived.load() < threads && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  });
  return arrived.load() == threads && std::chrono::steady_clock::now() < deadline;
}

TEST_CASE("the pool works in a forked child, which exits") {
  const PoolSize size(3);
  CHECK(all_threads_work());
  CHECK(runs_each_task_once(thread_pool(), 50));
  for (const bool uses_pool : {true, false}) {
    std::fflush(stdout);  // else the child writes it again
    const pid_t child = fork();
    if (child == 0) {
      const bool right = !uses_pool || (num_threads() == 3 && runs_each_task_once(thread_pool(), 50));
      std::exit(right ? 0 : 1);  // through the handlers of exit, unlike _exit
    }
    CHECK(exit_code_of(child, 10) == 0);
  }
  CHECK(runs_each_task_once(thread_pool(), 50));
}

TEST_CASE("a child forked while another thread uses the pool can use its own") {
  const PoolSize size(2);
  CHECK(all_threads_work());
  std::atomic<bool> runs{false}, stop{false};
  std::thread user([&] {
    while (!stop.load()) {
      thread_pool().run(4, [](std::size_t) {});
      runs.store(true);
    }
  });
  while (!runs.load()) std::this_thread::yield();
  for (int repeat = 0; repeat < 5; ++repeat) {
    std::fflush(stdout);  // else the child writes it again
    const pid_t child = fork();
    if (child == 0) _exit(runs_each_task_once(thread_pool(), 20) ? 0 : 1);
    CHECK(exit_code_of(child, 10) == 0);
  }
  stop.store(true);
  user.join();
}

}  // namespace
}  // namespace lamina
