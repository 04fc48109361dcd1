// Training: a model, an optimizer, losses and metrics, and everything that a checkpoint must hold to go on
// from where it was.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lamina/core/random.h"
#include "lamina/data/dataset.h"
#include "lamina/losses/loss.h"
#include "lamina/metrics/metric.h"
#include "lamina/model/model.h"
#include "lamina/optimizers/optimizer.h"

namespace lamina {

class Plan;

// One output of the model: its loss and its metrics. A metric is a name ("accuracy"), or an object.
struct HeadOptions {
  LossPtr loss;
  std::vector<MetricPtr> metrics;
  std::vector<std::string> metric_names;  // resolved when the model is built, after `metrics`
};

struct SessionOptions {
  OptimizerPtr optimizer;
  std::vector<HeadOptions> heads;
  std::optional<std::uint64_t> seed;  // for dropout, shuffling, and weights that are not there yet
  LossScale scale = {};               // no part of checkpoints
};

// The mean loss (penalties included) and the metrics, over rows.
struct Logs {
  double loss = 0;
  std::vector<double> metrics;
  std::size_t rows = 0;
};

struct Progress {
  std::size_t batch = 0;       // batches done
  std::size_t batches = 0;     // in this epoch
  std::size_t rows = 0;        // rows done
  double learning_rate = 0;    // of the last update
  bool batch_ends = false;     // called by a batch hook: a batch begins (false) or ends (true)
  const Logs* logs = nullptr;  // means so far
};

struct EpochOptions {
  std::size_t batch_size = 32;
  std::int64_t epoch = 0;  // keys the shuffle
  bool shuffle = true;
  bool stop_on_nan = false;  // stop before the update of a batch whose loss is not finite
  // Called at most 20 times a second, between batches; false stops the epoch after the step in hand.
  std::function<bool(const Progress&)> poll = {};
  // Called before and after every batch when set; false stops the epoch.
  std::function<bool(const Progress&)> batch_hook = {};
};

struct EpochResult {
  Logs logs;
  double learning_rate = 0;                    // in force at the last update
  bool stopped = false;                        // by a callback or by stop_on_nan
  std::optional<std::size_t> first_nan_batch;  // first batch whose loss was not finite
};

class TrainingSession {
 public:
  // ArgumentError where losses, metrics and model don't go together.
  TrainingSession(Model model, SessionOptions options);
  ~TrainingSession();
  TrainingSession(const TrainingSession&) = delete;
  TrainingSession& operator=(const TrainingSession&) = delete;

  // Builds the model for these inputs when it is not built yet, draws its weights when there are none, and
  // checks the data against both; and `validation`, and whatever `also` throws for. With `scan`, all values
  // are read once. Changes nothing but an unbuilt model, and nothing at all on an error. Allocates nothing
  // when it has seen such data before.
  void prepare(const Dataset& data, bool scan, bool targets_needed = true,
               const Dataset* validation = nullptr, const std::function<void()>& also = {});

  // Passes over arrays. Data as checked by prepare(). An error leaves the last complete step.
  EpochResult train_epoch(const Dataset& data, const EpochOptions& options);
  // With use_ema, on the moving average of the weights (StateError without one).
  Logs evaluate(const Dataset& data, std::size_t batch_size, const std::function<bool(const Progress&)>& poll,
                bool use_ema = false);

  // The same, batch by batch: begin, batches, end. For streams. Each batch is one step, whatever its rows.
  void begin_epoch();
  // A batch no larger than one before it allocates nothing, so a model can learn within a loop of its own.
  // The logs are those of this batch, without metrics.
  Logs train_batch(const Dataset& batch, bool stop_on_nan = false);
  Logs evaluate_batch(const Dataset& batch, bool use_ema = false);
  Logs epoch_logs() const;  // means since begin_epoch()

  // The mean loss over all rows and its flat gradient, penalties included; moves nothing. `training` uses
  // dropout and batch statistics.
  double value_and_gradient(const Dataset& data, bool training, std::span<float> gradient);

  Model& model() { return model_; }
  const Model& model() const { return model_; }
  Optimizer& optimizer() { return *options_.optimizer; }
  void set_scale(const LossScale& scale);  // ArgumentError unless the weight is positive and finite
  const SessionOptions& options() const { return options_; }
  std::vector<MetricPtr> metrics() const;   // in the order of Logs::metrics; none before the model is built
  std::vector<std::string> metric_names();  // StateError before the model is built
  std::uint64_t seed() const { return seed_; }
  std::int64_t step() const;           // batches trained on
  std::int64_t updates() const;        // updates of the optimizer
  double learning_rate() const;        // for the next update
  std::span<const float> ema() const;  // the moving average, empty without one
  // Swaps the weights with their moving average (StateError without one). Twice is as before.
  void swap_ema();

  // Multiplies a slot of the optimizer ("velocity"), where there is one. A momentum that holds the rates of
  // its steps, v = b*v - rate*g, is velocity times the rate: when the rate changes, velocity changes
  // inversely.
  void scale_slot(const std::string& name, double factor);

  // Everything beside the model that a checkpoint holds, as numbers and flat tensors; restore() takes it back
  // (FormatError where it doesn't fit).
  struct State {
    std::uint64_t seed = 0;
    std::int64_t step = 0, updates = 0, accumulated_batches = 0;
    double accumulated_weight = 0;
    std::vector<double> optimizer_memory;
    std::map<std::string, std::vector<float>>
        tensors;  // "optimizer/m", "optimizer/ema", "optimizer/accumulated_gradient"
  };
  State state() const;
  void restore(State state);

 private:
  struct Impl;
  Model model_;
  SessionOptions options_;
  std::uint64_t seed_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lamina
