#include "lamina/training/trainer.h"

#include <cmath>

#include "lamina/core/error.h"
#include "lamina/optimizers/adam.h"
#include "lamina/training/checkpoint.h"
#include "lamina/training/trainer_record.h"

namespace lamina {
namespace {

constexpr const char* kRecord = "trainer";  // of a checkpoint's metadata

SessionOptions session_options(TrainerOptions options) {
  if (options.loss.loss == nullptr) throw ArgumentError("Trainer: expected a loss, got none.");
  SessionOptions result;
  result.optimizer = options.optimizer.optimizer ? options.optimizer.optimizer : adam();
  HeadOptions head;
  head.loss = options.loss.loss;
  for (MetricChoice& choice : options.metrics) {
    if (choice.metric) {
      head.metrics.push_back(std::move(choice.metric));
    } else {
      head.metric_names.push_back(std::move(choice.name));
    }
  }
  result.heads.push_back(std::move(head));
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
    return {dataset(x, y, options.sample_weight),
            dataset(options.validation_x, options.validation_y, options.validation_sample_weight)};
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

void check_options(const FitOptions& options) {
  if (options.batch_size == 0) throw ArgumentError("Trainer: expected batch_size to be at least 1, got 0.");
  if (options.epochs < 0 || options.initial_epoch < 0)
    throw ArgumentError("Trainer: expected epochs of at least 0.");
  if (options.validation_freq < 1) {
    throw ArgumentError("Trainer: expected validation_freq to be at least 1, got " +
                        std::to_string(options.validation_freq) + ".");
  }
  for (const CallbackPtr& callback : options.callbacks) {
    if (callback == nullptr) throw ArgumentError("Trainer: expected callbacks, got null.");
  }
}

}  // namespace

LossChoice::LossChoice(std::string_view name) : loss(Loss::registry().make(name)) {}
OptimizerChoice::OptimizerChoice(std::string_view name) : optimizer(Optimizer::registry().make(name)) {}

Trainer::Trainer(Model model, TrainerOptions options)
    : Trainer(std::make_unique<TrainingSession>(std::move(model), session_options(std::move(options))),
              std::make_unique<Record>()) {}
Trainer::Trainer(std::unique_ptr<TrainingSession> session, std::unique_ptr<Record> record)
    : session_(std::move(session)), record_(std::move(record)) {}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;

// One call of fit().
struct Trainer::Fit {
  Trainer& trainer;
  const FitOptions& options;
  Split data;
  std::vector<std::string> names;  // of the metrics

  void prepare();
  EpochLogs epoch(std::int64_t epoch);
};

// Checks everything before anything moves.
void Trainer::Fit::prepare() {
  TrainingSession& session = *trainer.session_;
  session.prepare(data.training, true, true, data.validation ? &*data.validation : nullptr, [&] {
    names = session.metric_names();
    std::vector<std::string> figures{"loss"};
    figures.insert(figures.end(), names.begin(), names.end());
    if (data.validation) {
      for (std::size_t i = 0; i <= names.size(); ++i) figures.push_back("val_" + figures[i]);
    }
    figures.push_back("learning_rate");
    for (const CallbackPtr& callback : options.callbacks) callback->check(trainer, figures);
  });
}

EpochLogs Trainer::Fit::epoch(std::int64_t epoch) {
  TrainingSession& session = *trainer.session_;
  EpochOptions pass;
  pass.batch_size = options.batch_size;
  pass.epoch = epoch;
  pass.shuffle = options.shuffle;
  std::vector<Callback*> listeners;
  for (const CallbackPtr& callback : options.callbacks) {
    pass.stop_on_nan = pass.stop_on_nan || callback->stops_on_nan();
    if (callback->wants_batches()) listeners.push_back(callback.get());
  }
  if (!listeners.empty()) {
    pass.batch_hook = [&](const Progress& progress) {
      if (!progress.batch_ends) return true;
      const EpochLogs logs = named(*progress.logs, names, "");
      for (Callback* listener : listeners) listener->on_train_batch_end(trainer, progress.batch - 1, logs);
      return !trainer.stop_;
    };
  }
  const EpochResult result = session.train_epoch(data.training, pass);
  EpochLogs logs = named(result.logs, names, "");
  logs["learning_rate"] = result.learning_rate;
  if (pass.stop_on_nan && result.first_nan_batch) {
    trainer.stop_ = true;
  } else if (data.validation && (epoch + 1) % options.validation_freq == 0) {
    logs.merge(named(session.evaluate(*data.validation, options.batch_size, nullptr), names, "val_"));
  }
  return logs;
}

History Trainer::fit(const ArrayView& x, const ArrayView& y, const FitOptions& options) {
  check_options(options);
  Fit fit{*this, options, split_data(x, y, options), {}};
  fit.prepare();
  stop_ = false;
  const std::size_t first = record_->rows.size();
  for (const CallbackPtr& callback : options.callbacks) callback->on_train_begin(*this);
  for (std::int64_t epoch = options.initial_epoch; epoch < options.epochs && !stop_; ++epoch) {
    for (const CallbackPtr& callback : options.callbacks) callback->on_epoch_begin(*this, epoch);
    const EpochLogs logs = fit.epoch(epoch);
    record_->epoch = epoch + 1;
    record_->rows.push_back({epoch, logs});
    for (const CallbackPtr& callback : options.callbacks) callback->on_epoch_end(*this, epoch, logs);
    if (options.on_epoch_end && !options.on_epoch_end(epoch, logs)) break;
  }
  for (const CallbackPtr& callback : options.callbacks) callback->on_train_end(*this);
  return record_->history(first);
}

EpochLogs Trainer::evaluate(const ArrayView& x, const ArrayView& y, std::size_t batch_size) {
  const Dataset data = dataset(x, y);
  session_->prepare(data, true);
  return named(session_->evaluate(data, batch_size, nullptr), session_->metric_names(), "");
}

double Trainer::train_on_batch(const ArrayView& x, const ArrayView& y, const ArrayView& sample_weight) {
  batch_.inputs.assign(1, x);
  batch_.targets.assign(1, y);
  batch_.weights.assign(sample_weight.data != nullptr ? 1 : 0, sample_weight);
  session_->prepare(batch_, true);
  session_->begin_epoch();
  return session_->train_batch(batch_).loss;
}

LbfgsResult Trainer::fit_lbfgs(const ArrayView& x, const ArrayView& y, const LbfgsOptions& options,
                               const ArrayView& sample_weight) {
  const Dataset data = dataset(x, y, sample_weight);
  session_->prepare(data, true);
  return lamina::fit_lbfgs(*session_, data, options);
}

std::int64_t Trainer::epoch() const {
  return record_->epoch;
}

History Trainer::history() const {
  return record_->history();
}

void Trainer::save(const std::string& path) const {
  std::vector<std::string> names;
  for (const MetricPtr& metric : session_->metrics()) names.push_back(metric->name());
  save_checkpoint(*session_, {{kRecord, record_->to_text(names)}}, {}, path);
}

Trainer Trainer::load(const std::string& path, const CustomObjects& custom) {
  Checkpoint checkpoint = load_checkpoint(path, custom);
  const auto text = checkpoint.metadata.find(kRecord);
  auto record = std::make_unique<Record>();
  if (text != checkpoint.metadata.end()) *record = Record::from_text(text->second);
  return Trainer(std::move(checkpoint.session), std::move(record));
}

}  // namespace lamina
