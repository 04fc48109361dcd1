// The inside of a session, for its own sources.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "lamina/core/error.h"
#include "lamina/model/graph.h"
#include "lamina/training/session.h"
#include "lamina/training/step_executor.h"
#include "lamina/training/train_step.h"
#include "lamina/training/update.h"

namespace lamina {

// The mean over rows of what batches gave.
struct RunningLoss {
  double sum = 0;
  std::size_t rows = 0;
  void add(double loss, std::size_t count) {
    sum += loss * static_cast<double>(count);
    rows += count;
  }
  double mean() const { return rows == 0 ? 0.0 : sum / static_cast<double>(rows); }
};

struct TrainingSession::Impl {
  Graph& graph;
  SessionOptions& options;
  std::int64_t step = 0;
  std::vector<Head> heads;          // empty until the model is built
  std::vector<Shape> input_shapes;  // what data are compared with, as model and heads say
  std::vector<TargetSpec> targets;
  std::unique_ptr<Update> update;                              // null until there are weights
  std::unique_ptr<StepMemory> training, evaluation, gradient;  // the last without noise, a chunk of rows
  Buffer staged_state;
  std::vector<std::size_t> order;
  RunningLoss running;
  StepExecutor executor;  // of the steps that train
  std::atomic<bool> busy{false};

  Impl(Graph& model_graph, SessionOptions& session_options) : graph(model_graph), options(session_options) {}

  std::vector<Head> make_heads(const Dataset* data) const;
  bool heads_fit(const Dataset& data) const;
  // Puts these heads in the place of those that are returned.
  std::vector<Head> exchange_heads(std::vector<Head> fresh);
  // ShapeError where the memory of the heads is laid out for targets of another shape.
  void require_fit(const Dataset& data) const;
  void ensure_update();
  // Of a step that reads these parameters.
  StepContext context(StepMemory& memory, const float* parameters, Executor& runs_on, std::uint64_t seed,
                      const LossScale& scale);
  StepMemory& memory_for(std::unique_ptr<StepMemory>& memory, std::size_t rows, Mode mode, bool backward);
  void reset_running();
  Logs logs() const;
};

// One caller at a time: a session is not for two threads, nor for a callback in the middle of its own epoch.
class Busy {
 public:
  explicit Busy(std::atomic<bool>& flag) : flag_(flag) {
    if (flag_.exchange(true)) {
      throw StateError(
          "TrainingSession: expected to be at rest, got a call while another one trains or evaluates.");
    }
  }
  ~Busy() { flag_ = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  std::atomic<bool>& flag_;
};

}  // namespace lamina
