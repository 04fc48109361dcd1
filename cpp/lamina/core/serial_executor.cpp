// Apart from the pool, so that a program whose predictions run on the calling thread links no threads.
#include "lamina/core/thread_pool.h"

namespace lamina {

namespace {

class SerialExecutor final : public Executor {
 public:
  std::size_t threads() const override { return 1; }
  void run(std::size_t count, TaskRef task) override {
    for (std::size_t i = 0; i < count; ++i) task(i);
  }
};

}  // namespace

Executor& serial_executor() {
  static SerialExecutor executor;
  return executor;
}

}  // namespace lamina
