// Training from C++ in a few lines: what Python's Trainer does, over the same session.
//
//   lamina::Trainer trainer(model, {.optimizer = lamina::adam(), .loss = "mse", .seed = 7});
//   lamina::History history = trainer.fit(x, y, {.epochs = 20, .batch_size = 32});
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "lamina/core/tensor.h"
#include "lamina/data/dataset.h"
#include "lamina/losses/loss.h"
#include "lamina/metrics/metric.h"
#include "lamina/model/model.h"
#include "lamina/optimizers/optimizer.h"
#include "lamina/training/callbacks.h"
#include "lamina/training/checkpoint.h"
#include "lamina/training/lbfgs.h"
#include "lamina/training/session.h"

namespace lamina {

// A loss: by its name ("mse"), or as an object (lamina::huber({.delta = 2})).
struct LossChoice {
  LossPtr loss;
  LossChoice() = default;
  LossChoice(std::string_view name);
  LossChoice(const char* name) : LossChoice(std::string_view(name)) {}
  LossChoice(const std::string& name) : LossChoice(std::string_view(name)) {}
  template <class T>
    requires std::derived_from<std::remove_const_t<T>, Loss>
  LossChoice(std::shared_ptr<T> object) : loss(std::move(object)) {}
};

// An optimizer: by its name ("adam"), or as an object (lamina::adam({.learning_rate = 0.01})).
struct OptimizerChoice {
  OptimizerPtr optimizer;
  OptimizerChoice() = default;
  OptimizerChoice(std::nullptr_t) {}
  OptimizerChoice(std::string_view name);
  OptimizerChoice(const char* name) : OptimizerChoice(std::string_view(name)) {}
  OptimizerChoice(const std::string& name) : OptimizerChoice(std::string_view(name)) {}
  template <std::derived_from<Optimizer> T>
  OptimizerChoice(std::shared_ptr<T> object) : optimizer(std::move(object)) {}
};

// A metric: by its name ("accuracy", which picks the one that goes with loss and shapes), or as an object of
// its own (lamina::metrics::precision({.average = "micro"})).
struct MetricChoice {
  std::string name;
  MetricPtr metric;
  MetricChoice(std::string text) : name(std::move(text)) {}
  MetricChoice(const char* text) : name(text) {}
  template <std::derived_from<Metric> T>
  MetricChoice(std::shared_ptr<T> object) : metric(std::move(object)) {}
};

struct TrainerOptions {
  OptimizerChoice optimizer = {};  // adam where none is given
  LossChoice loss = {};            // required
  std::vector<MetricChoice> metrics = {};
  std::optional<std::uint64_t> seed = {};  // for weights that are not there yet, dropout and shuffling
};

// All rows at once: gradient descent.
inline constexpr std::size_t kFullBatch = static_cast<std::size_t>(-1);

struct FitOptions {
  std::int64_t epochs = 1;
  std::size_t batch_size = 32;
  std::int64_t initial_epoch = 0;
  bool shuffle = true;
  ArrayView sample_weight = {};  // (rows,), or empty
  ArrayView validation_x = {};   // validation data, or none
  ArrayView validation_y = {};
  ArrayView validation_sample_weight = {};
  double validation_split = 0.0;     // the last fraction of the rows, before shuffling; in [0, 1)
  std::int64_t validation_freq = 1;  // validate after every so many epochs
  std::vector<CallbackPtr> callbacks = {};
  // Called after each epoch; false stops the training.
  std::function<bool(std::int64_t epoch, const EpochLogs& logs)> on_epoch_end = {};
};

// The figures of the epochs trained. One that some epochs lack has a shorter list.
struct History {
  std::map<std::string, std::vector<double>> history;
  std::vector<std::int64_t> epoch;
};

class Trainer {
 public:
  // ArgumentError where the loss is missing or doesn't go with the model.
  Trainer(Model model, TrainerOptions options);
  ~Trainer();
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;

  // Trains on rows of x and y. What is wrong with data and options is thrown before the first step, and then
  // nothing has changed.
  History fit(const ArrayView& x, const ArrayView& y, const FitOptions& options = {});
  // {"loss": ..., metrics}. The mean over the rows.
  EpochLogs evaluate(const ArrayView& x, const ArrayView& y, std::size_t batch_size = 256);
  // One step on one batch; returns its loss, from before the step. A batch no larger than one before it
  // allocates nothing: a model can learn within a loop of its own. session().epoch_logs() has the metrics.
  double train_on_batch(const ArrayView& x, const ArrayView& y, const ArrayView& sample_weight = {});
  // L-BFGS over all rows at once, see fit_lbfgs in lbfgs.h; no epoch is counted.
  LbfgsResult fit_lbfgs(const ArrayView& x, const ArrayView& y, const LbfgsOptions& options = {},
                        const ArrayView& sample_weight = {});
  std::vector<float> predict(const ArrayView& x) const { return session_->model().predict(x); }

  // For callbacks: ends fit() after the epoch, or after the batch in a batch's hook.
  void stop_training() { stop_ = true; }

  Model& model() { return session_->model(); }
  Optimizer& optimizer() { return session_->optimizer(); }
  TrainingSession& session() { return *session_; }
  // Epochs done, those before a checkpoint among them: fit(..., {.initial_epoch = trainer.epoch()}) goes on.
  std::int64_t epoch() const;
  // The figures of all of them.
  History history() const;

  // A checkpoint, also what Python's Trainer saves and loads: model, optimizer, random state, epoch, history.
  void save(const std::string& path) const;
  // `custom` finds losses, metrics and schedules of the program's own.
  static Trainer load(const std::string& path, const CustomObjects& custom = {});

 private:
  struct Record;
  struct Fit;
  Trainer(std::unique_ptr<TrainingSession> session, std::unique_ptr<Record> record);

  std::unique_ptr<TrainingSession> session_;
  std::unique_ptr<Record> record_;
  Dataset batch_;  // of train_on_batch, so that it need not be made anew
  bool stop_ = false;
};

}  // namespace lamina
