// How a job runs: the caller publishes it, opens the gate and bumps the epoch, on which workers spin and then
// sleep. A worker that finds the gate open counts itself in and takes tasks from a shared counter, as does
// the caller. When the tasks are gone the caller shuts the gate and waits for the count to fall to zero; late
// workers find it shut. So sleeping workers cost a job nothing, and a step takes no mutex.
#include "lamina/core/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "lamina/core/error.h"

namespace lamina {

namespace {

constexpr std::size_t kMostThreads = 256;

// ---- how many threads

std::size_t cpus_by_affinity() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
  }
#endif
  return std::max(1U, std::thread::hardware_concurrency());
}

// quota / period in CPUs, rounded up; kMostThreads when unlimited.
std::size_t cpus_of(double quota, double period) {
  if (!(quota > 0) || !(period > 0)) return kMostThreads;
  const double cpus = quota / period;
  if (cpus >= static_cast<double>(kMostThreads)) return kMostThreads;
  const auto whole = static_cast<std::size_t>(cpus);
  return std::max<std::size_t>(1, static_cast<double>(whole) < cpus ? whole + 1 : whole);
}

// The text of a small file, "" for none. With C's functions: streams would make a program that links the C++
// library in a megabyte larger.
std::string text_of(const std::string& path) {
  std::string text;
  std::FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return text;
  std::array<char, 1024> part{};
  for (std::size_t count = 1; count > 0;) {
    count = std::fread(part.data(), 1, part.size(), file);
    text.append(part.data(), count);
  }
  std::fclose(file);
  return text;
}

// "quota period", microseconds. A quota of "max" isn't a number: unlimited.
std::size_t cpus_of(const std::string& text) {
  char* after_quota = nullptr;
  char* after_period = nullptr;
  const long long quota = std::strtoll(text.c_str(), &after_quota, 10);
  const long long period = std::strtoll(after_quota, &after_period, 10);
  const bool numbers = after_quota != text.c_str() && after_period != after_quota;
  return numbers ? cpus_of(static_cast<double>(quota), static_cast<double>(period)) : kMostThreads;
}

std::size_t quota_v2(const std::string& folder) {
  return cpus_of(text_of(folder + "/cpu.max"));
}

std::size_t quota_v1(const std::string& folder) {
  return cpus_of(text_of(folder + "/cpu.cfs_quota_us") + " " + text_of(folder + "/cpu.cfs_period_us"));
}

// The least quota of a control group and of those above it.
template <class Quota>
std::size_t least_quota(const std::string& mount, std::string path, Quota quota) {
  std::size_t least = quota(mount);
  while (path.size() > 1) {
    least = std::min(least, quota(mount + path));
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
  return least;
}

// Lines of /proc/self/cgroup are "id:controllers:path"; version 2 has no controllers.
std::size_t cpus_by_cgroup() {
  std::size_t least = kMostThreads;
  const std::string text = text_of("/proc/self/cgroup");
  for (std::size_t begin = 0; begin < text.size();) {
    const std::string line = text.substr(begin, text.find('\n', begin) - begin);
    begin += line.size() + 1;
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    std::string controllers(1, ',');
    controllers.append(line, first + 1, second - first - 1).push_back(',');
    const std::string path = line.substr(second + 1);
    if (controllers == ",,") {
      least = std::min(least, least_quota("/sys/fs/cgroup", path, quota_v2));
    } else if (controllers.find(",cpu,") != std::string::npos) {
      least = std::min(least, least_quota("/sys/fs/cgroup/cpu", path, quota_v1));
    }
  }
  return least;
}

// LAMINA_NUM_THREADS (a value that isn't a whole number from 1 on is ignored), else what the process may use.
std::size_t default_size() {
  if (const char* text = std::getenv("LAMINA_NUM_THREADS"); text != nullptr) {
    char* end = nullptr;
    const long long value = std::strtoll(text, &end, 10);
    if (end != text && *end == '\0' && value >= 1) {
      return static_cast<std::size_t>(std::min<long long>(value, kMostThreads));
    }
  }
  return std::min({cpus_by_affinity(), cpus_by_cgroup(), kMostThreads});
}

// ---- the pool

void pause_briefly() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

thread_local bool inside_task = false;

void run_serially(std::size_t count, const TaskRef& task) {
  for (std::size_t i = 0; i < count; ++i) task(i);
}

class Pool {
 public:
  explicit Pool(std::size_t size) : size_(size) {}

  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

  void run(std::size_t count, const TaskRef& task) {
    if (count <= 1 || inside_task || size() == 1 || busy_.exchange(true, std::memory_order_acquire)) {
      run_serially(count, task);
      return;
    }
    if (workers_.size() + 1 < size() && !start_failed_) start_workers();
    inside_task = true;
    run_job(count, task);
    inside_task = false;
    busy_.store(false, std::memory_order_release);
  }

  void resize(std::size_t size) {
    while (busy_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
    stop_workers();
    size_.store(size, std::memory_order_relaxed);
    start_failed_ = false;
    busy_.store(false, std::memory_order_release);
  }

  // For the end of the process: waits a second at most for work that is under way, then leaves the workers
  // be.
  void shut_down() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (inside_task || busy_.exchange(true, std::memory_order_acquire)) {
      if (inside_task || std::chrono::steady_clock::now() > deadline) return;
      std::this_thread::yield();
    }
    stop_workers();  // busy_ stays set: whoever still calls runs serially
  }

 private:
  static constexpr std::uint32_t kOpen = 1U << 31;
  static constexpr int kSpins = 2000;  // some 30 us: the gap between two jobs of a training step

  void run_job(std::size_t count, const TaskRef& task) {
    task_ = &task;
    for (std::size_t member = 0; member < shares_.size(); ++member) {
      shares_[member].next.store(count * member / shares_.size(), std::memory_order_relaxed);
      shares_[member].end = count * (member + 1) / shares_.size();
    }
    gate_.fetch_or(kOpen);
    epoch_.fetch_add(1);
    epoch_.notify_all();
    take_tasks(0);
    std::uint32_t inside = gate_.fetch_and(~kOpen) & ~kOpen;
    for (int spin = 0; inside != 0; inside = gate_.load()) {
      if (++spin < kSpins) {
        pause_briefly();
      } else {
        gate_.wait(inside);
      }
    }
  }

  // Its own share first, then what the others have not begun.
  void take_tasks(std::size_t member) {
    for (std::size_t i = 0; i < shares_.size(); ++i) {
      Share& share = shares_[(member + i) % shares_.size()];
      while (share.next.load(std::memory_order_relaxed) < share.end) {
        const std::size_t task = share.next.fetch_add(1, std::memory_order_relaxed);
        if (task < share.end) (*task_)(task);
      }
    }
  }

  void work(std::size_t member) {
    inside_task = true;
    std::uint32_t seen = 0;
    for (;;) {
      seen = wait_for_change(seen);
      if (stop_.load()) return;
      // Counting in before looking at the gate: either the caller sees the count, or this thread sees the
      // gate shut.
      if ((gate_.fetch_add(1) & kOpen) != 0) take_tasks(member);
      if (gate_.fetch_sub(1) == 1) gate_.notify_one();
    }
  }

  std::uint32_t wait_for_change(std::uint32_t seen) {
    for (int spin = 0; spin < kSpins; ++spin) {
      const std::uint32_t now = epoch_.load();
      if (now != seen) return now;
      pause_briefly();
    }
    epoch_.wait(seen);
    return epoch_.load();
  }

  void start_workers() {
    try {
      while (workers_.size() + 1 < size()) {
        workers_.emplace_back([this, member = workers_.size() + 1] { work(member); });
      }
    } catch (const std::system_error&) {
      start_failed_ = true;  // the system gives no more threads: go on with those that run
    }
    shares_ = std::vector<Share>(workers_.size() + 1);
  }

  void stop_workers() {
    stop_.store(true);
    epoch_.fetch_add(1);
    epoch_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    stop_.store(false);
  }

  // busy_ guards everything that a job's caller writes.
  std::atomic<bool> busy_{false};
  std::atomic<std::size_t> size_;
  bool start_failed_ = false;
  std::vector<std::thread> workers_;
  const TaskRef* task_ = nullptr;
  // The tasks of a job that a member (0 calls, the others are workers) begins with: the same ones each time,
  // so that what they work on stays in that processor's cache.
  struct alignas(64) Share {
    std::atomic<std::size_t> next{0};
    std::size_t end = 0;
  };
  std::vector<Share> shares_;
  std::atomic<bool> stop_{false};
  alignas(64) std::atomic<std::uint32_t> epoch_{0};
  alignas(64) std::atomic<std::uint32_t> gate_{0};  // kOpen, and how many workers are inside
};

// The pool is never destroyed, so that a thread which outlives main can still call. A forked child has none
// of the threads; it drops the pool it inherits and gets a new one of the same size.
std::atomic<Pool*> the_pool{nullptr};

void make_pool_in_child() {
  inside_task = false;
  if (const Pool* inherited = the_pool.load(); inherited != nullptr)
    the_pool.store(new Pool(inherited->size()));
}

Pool& pool() {
  if (Pool* made = the_pool.load(std::memory_order_acquire); made != nullptr) return *made;
  static std::once_flag once;
  std::call_once(once, [] {
    pthread_atfork(nullptr, nullptr, make_pool_in_child);
    std::atexit([] { the_pool.load()->shut_down(); });
    the_pool.store(new Pool(default_size()));
  });
  return *the_pool.load(std::memory_order_acquire);
}

class PoolExecutor final : public Executor {
 public:
  std::size_t threads() const override { return pool().size(); }
  void run(std::size_t count, TaskRef task) override { pool().run(count, task); }
};

}  // namespace

Executor& thread_pool() {
  static PoolExecutor executor;
  return executor;
}

std::size_t num_threads() {
  return pool().size();
}

void set_num_threads(std::size_t count) {
  if (count < 1 || count > kMostThreads) {
    throw ArgumentError("set_num_threads: expected a count from 1 to 256, got " + std::to_string(count) +
                        ".");
  }
  if (inside_task)
    throw StateError("set_num_threads: expected a call from outside of parallel work, got one from inside.");
  pool().resize(count);
}

}  // namespace lamina
