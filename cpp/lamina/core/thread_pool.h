// The thread pool, and the executor through which all parallel work goes.
//
// Work is shared out as independent tasks that write disjoint outputs, so results never depend on the
// number of threads.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace lamina {

// A reference to a callable `void(std::size_t task)`; never allocates, must not outlive the callable.
class TaskRef {
 public:
  template <class F, class = std::enable_if_t<!std::is_same_v<std::decay_t<F>, TaskRef>>>
  TaskRef(F&& function)  // NOLINT: implicit on purpose
      : object_(const_cast<void*>(static_cast<const void*>(&function))),
        call_([](void* object, std::size_t task) {
          (*static_cast<std::remove_reference_t<F>*>(object))(task);
        }) {}
  void operator()(std::size_t task) const { call_(object_, task); }

 private:
  void* object_;
  void (*call_)(void*, std::size_t);
};

// Runs tasks. A step takes one, so that a caller decides where the work runs.
class Executor {
 public:
  virtual ~Executor() = default;
  // How many threads may work at once, at least 1.
  virtual std::size_t threads() const = 0;
  // Calls task(0) ... task(count - 1), in any order, on any of the threads, and returns when all are done.
  // Tasks must not throw. When the executor is busy with another caller, or is called from inside a task,
  // the tasks run one after another on the calling thread.
  virtual void run(std::size_t count, TaskRef task) = 0;
};

// Runs everything on the calling thread.
Executor& serial_executor();

// The one pool of the process: started at first use, usable again after fork. Its size is set_num_threads(),
// else LAMINA_NUM_THREADS, else the number of CPUs that affinity and cgroup quota leave to the process.
Executor& thread_pool();

std::size_t num_threads();
// Sets the size of the pool, the calling thread included. ArgumentError unless 1 <= count <= 256. Waits for
// work that is under way.
void set_num_threads(std::size_t count);

}  // namespace lamina
