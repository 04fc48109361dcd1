// What `fit` calls as it goes, with the names, arguments and defaults of Keras 3 and of Python's lamina.
//
//   trainer.fit(x, y, {.epochs = 100, .validation_split = 0.1,
//                      .callbacks = {lamina::early_stopping({.patience = 5, .restore_best_weights = true}),
//                                    lamina::model_checkpoint({.filepath = "best.safetensors",
//                                                              .save_best_only = true})}});
//
// A callback of your own derives Callback. What a callback throws ends `fit`, with the last complete step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lamina {

class Trainer;

// What one epoch gave: "loss", the metrics, "val_..." of both, "learning_rate".
using EpochLogs = std::map<std::string, double>;

// Epochs and batches count from 0. Trainer::stop_training() ends training after the epoch, or after the batch
// in a batch's hook.
class Callback {
 public:
  virtual ~Callback() = default;
  // Before anything moves: throws ArgumentError for what can be known to be wrong. `figures` are the names
  // that the logs will have.
  virtual void check(Trainer& trainer, const std::vector<std::string>& figures);
  virtual void on_train_begin(Trainer& trainer);
  virtual void on_train_end(Trainer& trainer);  // not when an error ends it
  virtual void on_epoch_begin(Trainer& trainer, std::int64_t epoch);
  // After an epoch and its validation.
  virtual void on_epoch_end(Trainer& trainer, std::int64_t epoch, const EpochLogs& logs);
  // After a batch, with the means of the epoch so far; only where wants_batches().
  virtual void on_train_batch_end(Trainer& trainer, std::size_t batch, const EpochLogs& logs);
  virtual bool wants_batches() const { return false; }
  // Whether a loss that is NaN or infinite ends training, before that batch moves the weights.
  virtual bool stops_on_nan() const { return false; }
};

using CallbackPtr = std::shared_ptr<Callback>;

// `mode` is "min", "max", or "auto", which knows the loss and the metrics of lamina.
struct EarlyStoppingOptions {
  std::string monitor = "val_loss";
  double min_delta = 0.0;  // changes of less count as none
  std::int64_t patience = 0;
  std::string mode = "auto";
  std::optional<double> baseline = {};  // patience runs until the figure is better than this, too
  bool restore_best_weights = false;    // end with the weights and statistics of the best epoch
  std::int64_t start_from_epoch = 0;
};
// Ends training when a figure has not improved for `patience` epochs.
CallbackPtr early_stopping(EarlyStoppingOptions options = {});

// `filepath` may hold {epoch}, which counts from 1, and figures of the epoch: "{epoch:03d}-{val_loss:.4f}".
struct ModelCheckpointOptions {
  std::string filepath;  // required
  std::string monitor = "val_loss";
  bool save_best_only = false;
  bool save_weights_only = false;
  std::string mode = "auto";
  std::optional<double> initial_value_threshold = {};  // the best value so far, to be improved on
};
// Saves the model after every epoch, or after those that are the best so far.
CallbackPtr model_checkpoint(ModelCheckpointOptions options);

struct ReduceLROnPlateauOptions {
  std::string monitor = "val_loss";
  double factor = 0.1;  // in (0, 1)
  std::int64_t patience = 10;
  std::string mode = "auto";
  double min_delta = 1e-4;
  std::int64_t cooldown = 0;
  double min_lr = 0.0;
};
// Lowers the learning rate when a figure has stopped improving. Needs a constant learning rate.
CallbackPtr reduce_lr_on_plateau(ReduceLROnPlateauOptions options = {});

// Sets the learning rate before every epoch to schedule(epoch, rate). Needs a constant learning rate.
CallbackPtr learning_rate_scheduler(std::function<double(std::int64_t epoch, double rate)> schedule);

CallbackPtr terminate_on_nan();

}  // namespace lamina
