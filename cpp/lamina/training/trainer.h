// Training from C++ in a few lines: what Python's Trainer does, over the same session.
//
//   lamina::Trainer trainer(model, {.optimizer = lamina::adam(), .loss = "mse", .seed = 7});
//   lamina::History history = trainer.fit(x, y, {.epochs = 20, .batch_size = 32});
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lamina/core/tensor.h"
#include "lamina/losses/loss.h"
#include "lamina/model/model.h"
#include "lamina/optimizers/optimizer.h"
#include "lamina/training/session.h"

namespace lamina {

// A loss: by its name ("mse"), or as an object (lamina::huber({.delta = 2})).
struct LossChoice {
  LossPtr loss;
  LossChoice() = default;
  LossChoice(const char* name) : loss(Loss::registry().make(std::string_view(name))) {}
  LossChoice(const std::string& name) : loss(Loss::registry().make(std::string_view(name))) {}
  template <class T>
    requires std::derived_from<std::remove_const_t<T>, Loss>
  LossChoice(std::shared_ptr<T> object) : loss(std::move(object)) {}
};

struct TrainerOptions {
  OptimizerPtr optimizer = nullptr;  // lamina::adam() where null
  LossChoice loss = {};
  std::vector<std::string> metrics = {};   // names, such as "accuracy"
  std::optional<std::uint64_t> seed = {};  // for weights that are not there yet, dropout and shuffling
};

// What one epoch gave: "loss", the metrics, "val_..." of both, "learning_rate".
using EpochLogs = std::map<std::string, double>;

struct FitOptions {
  std::int64_t epochs = 1;
  std::size_t batch_size = 32;
  std::int64_t initial_epoch = 0;
  bool shuffle = true;
  ArrayView sample_weight = {};  // (rows,), or empty
  ArrayView validation_x = {};   // validation data, or none
  ArrayView validation_y = {};
  double validation_split = 0.0;  // the last fraction of the rows, before shuffling; in [0, 1)
  // Called after each epoch; false stops the training.
  std::function<bool(std::int64_t epoch, const EpochLogs& logs)> on_epoch_end = {};
};

struct History {
  std::map<std::string, std::vector<double>> history;
  std::vector<std::int64_t> epoch;
};

class Trainer {
 public:
  // ArgumentError where the loss is missing or doesn't go with the model.
  Trainer(Model model, TrainerOptions options);

  // Trains on rows of x and y. Errors in the data are thrown before the first step; they change nothing but
  // an unbuilt model, which the training data may have built.
  History fit(const ArrayView& x, const ArrayView& y, const FitOptions& options = {});
  // {"loss": ..., metrics}. The mean over the rows.
  EpochLogs evaluate(const ArrayView& x, const ArrayView& y, std::size_t batch_size = 256);
  // One step on one batch; returns its loss.
  double train_on_batch(const ArrayView& x, const ArrayView& y);

  Model& model() { return session_->model(); }
  TrainingSession& session() { return *session_; }

  // A checkpoint, also what Python's Trainer saves and loads.
  void save(const std::string& path) const;
  static Trainer load(const std::string& path);

 private:
  explicit Trainer(std::unique_ptr<TrainingSession> session) : session_(std::move(session)) {}

  std::unique_ptr<TrainingSession> session_;
};

}  // namespace lamina
