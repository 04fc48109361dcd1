#include "lamina/training/trainer.h"

#include <cmath>

#include "lamina/core/error.h"
#include "lamina/optimizers/adam.h"
#include "lamina/training/checkpoint.h"

namespace lamina {
namespace {

SessionOptions session_options(TrainerOptions options) {
  if (options.loss.loss == nullptr) throw ArgumentError("Trainer: expected a loss, got none.");
  SessionOptions result;
  result.optimizer = options.optimizer ? options.optimizer : adam();
  result.heads.push_back({options.loss.loss, {}, std::move(options.metrics)});
  result.seed = options.seed;
  return result;
}

EpochLogs named(const Logs& logs, const std::vector<std::string>& names, const std::string& prefix) {
  EpochLogs result{{prefix + "loss", logs.loss}};
  for (std::size_t i = 0; i < names.size(); ++i) result[prefix + names[i]] = logs.metrics[i];
  return result;
}

Dataset dataset(const ArrayView& x, const ArrayView& y, const ArrayView& weights = {}) {
  Dataset data;
  data.inputs.push_back(x);
  data.targets.push_back(y);
  if (weights.data != nullptr) data.weights.push_back(weights);
  return data;
}

// Rows [first, first + count) of an array.
ArrayView slice(const ArrayView& array, std::size_t first, std::size_t count) {
  if (array.data == nullptr) return array;
  ArrayView part = array;
  part.data = array.row(first);
  part.shape[0] = count;
  return part;
}

struct Split {
  Dataset training;
  std::optional<Dataset> validation;
};

Split split_data(const ArrayView& x, const ArrayView& y, const FitOptions& options) {
  if (!(options.validation_split >= 0.0 && options.validation_split < 1.0)) {
    throw ArgumentError("Trainer: expected validation_split to be in [0, 1), got " +
                        format_number(options.validation_split) + ".");
  }
  if (options.validation_x.data != nullptr) {
    return {dataset(x, y, options.sample_weight), dataset(options.validation_x, options.validation_y)};
  }
  if (options.validation_split == 0.0) return {dataset(x, y, options.sample_weight), std::nullopt};
  const std::size_t rows = x.rows();
  if (y.rows() != rows || (options.sample_weight.data != nullptr && options.sample_weight.rows() != rows)) {
    throw ShapeError("Trainer: expected x, y and sample_weight of the same number of rows.");
  }
  const auto first =
      static_cast<std::size_t>(std::floor(static_cast<double>(rows) * (1.0 - options.validation_split)));
  if (first == 0 || first == rows)
    throw ArgumentError("Trainer: expected a validation_split that leaves rows on both sides.");
  return {dataset(slice(x, 0, first), slice(y, 0, first), slice(options.sample_weight, 0, first)),
          dataset(slice(x, first, rows - first), slice(y, first, rows - first),
                  slice(options.sample_weight, first, rows - first))};
}

}  // namespace

Trainer::Trainer(Model model, TrainerOptions options)
    : session_(std::make_unique<TrainingSession>(std::move(model), session_options(std::move(options)))) {}

History Trainer::fit(const ArrayView& x, const ArrayView& y, const FitOptions& options) {
  if (options.batch_size == 0) throw ArgumentError("Trainer: expected batch_size to be at least 1, got 0.");
  if (options.epochs < 0 || options.initial_epoch < 0)
    throw ArgumentError("Trainer: expected epochs of at least 0.");
  const Split data = split_data(x, y, options);
  session_->prepare(data.training, true);
  if (data.validation) session_->prepare(*data.validation, true);
  const std::vector<std::string> names = session_->metric_names();
  History history;
  for (std::int64_t epoch = options.initial_epoch; epoch < options.epochs; ++epoch) {
    EpochOptions pass;
    pass.batch_size = options.batch_size;
    pass.epoch = epoch;
    pass.shuffle = options.shuffle;
    const EpochResult result = session_->train_epoch(data.training, pass);
    EpochLogs logs = named(result.logs, names, "");
    logs["learning_rate"] = result.learning_rate;
    if (data.validation)
      logs.merge(named(session_->evaluate(*data.validation, options.batch_size, nullptr), names, "val_"));
    for (const auto& [name, value] : logs) history.history[name].push_back(value);
    history.epoch.push_back(epoch);
    if (options.on_epoch_end && !options.on_epoch_end(epoch, logs)) break;
  }
  return history;
}

EpochLogs Trainer::evaluate(const ArrayView& x, const ArrayView& y, std::size_t batch_size) {
  const Dataset data = dataset(x, y);
  session_->prepare(data, true);
  return named(session_->evaluate(data, batch_size, nullptr), session_->metric_names(), "");
}

double Trainer::train_on_batch(const ArrayView& x, const ArrayView& y) {
  const Dataset data = dataset(x, y);
  session_->prepare(data, true);
  return session_->train_batch(data).loss;
}

void Trainer::save(const std::string& path) const {
  save_checkpoint(*session_, {}, {}, path);
}

Trainer Trainer::load(const std::string& path) {
  return Trainer(std::move(load_checkpoint(path).session));
}

}  // namespace lamina
