#include "lamina/training/callbacks.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string_view>
#include <utility>

#include "lamina/core/error.h"
#include "lamina/model/graph.h"
#include "lamina/model/model_file.h"
#include "lamina/training/trainer.h"

namespace lamina {

void Callback::check(Trainer&, const std::vector<std::string>&) {}
void Callback::on_train_begin(Trainer&) {}
void Callback::on_train_end(Trainer&) {}
void Callback::on_epoch_begin(Trainer&, std::int64_t) {}
void Callback::on_epoch_end(Trainer&, std::int64_t, const EpochLogs&) {}
void Callback::on_train_batch_end(Trainer&, std::size_t, const EpochLogs&) {}

namespace {

[[noreturn]] void throw_expected(const char* owner, const std::string& expected, const std::string& got) {
  throw ArgumentError(std::string(owner) + ": expected " + expected + ", got " + got + ".");
}

void check_at_least_0(const char* owner, const char* name, std::int64_t value) {
  if (value < 0)
    throw_expected(owner, std::string(name) + " to be a whole number of at least 0", std::to_string(value));
}

void check_number(const char* owner, const char* name, double value) {
  if (std::isnan(value)) throw_expected(owner, std::string(name) + " to be a number", "nan");
}

void require_figure(const char* owner, const std::string& name, const std::vector<std::string>& figures) {
  if (std::find(figures.begin(), figures.end(), name) != figures.end()) return;
  std::string known;
  for (const std::string& figure : figures) known += (known.empty() ? "'" : ", '") + figure + "'";
  throw_expected(owner, "one of " + known, "'" + name + "'");
}

// Whether a figure is better when larger; nothing for a metric of the program's own.
std::optional<bool> larger_is_better(Trainer& trainer, std::string_view figure) {
  if (figure.substr(0, 4) == "val_") figure.remove_prefix(4);
  if (figure == "loss" || figure == "learning_rate") return false;
  for (const MetricPtr& metric : trainer.session().metrics()) {
    if (metric->name() != figure) continue;
    const std::string type = metric->type();
    for (const auto& entry : Metric::registry().entries()) {
      if (entry.schema.type == type) return type.find("Error") == std::string::npos;
    }
  }
  return std::nullopt;
}

// Watches one figure, and knows which of two values is better.
class Monitor {
 public:
  Monitor(const char* owner, std::string name, std::string mode, double min_delta)
      : owner_(owner), name_(std::move(name)), mode_(std::move(mode)), min_delta_(std::abs(min_delta)) {
    check_number(owner, "min_delta", min_delta);
    if (mode_ != "auto" && mode_ != "min" && mode_ != "max")
      throw_expected(owner, "mode to be 'auto', 'min' or 'max'", "'" + mode_ + "'");
  }

  void check(Trainer& trainer, const std::vector<std::string>& figures) {
    require_figure(owner_, name_, figures);
    const auto direction = mode_ == "auto" ? larger_is_better(trainer, name_) : mode_ == "max";
    if (!direction) {
      throw_expected(
          owner_, "mode='min' or mode='max' for monitor='" + name_ + "', whose better values are not known",
          "mode='auto'");
    }
    larger_ = *direction;
  }
  double worst() const {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return larger_ ? -kInfinity : kInfinity;
  }
  bool improves(double value, double best) const {
    return larger_ ? value > best + min_delta_ : value < best - min_delta_;
  }
  // Nothing in an epoch without validation.
  std::optional<double> value(const EpochLogs& logs) const {
    const auto found = logs.find(name_);
    return found == logs.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  const char* owner_;
  std::string name_, mode_;
  double min_delta_;
  bool larger_ = false;
};

// The rate that a callback may change.
double constant_rate(const char* owner, Trainer& trainer) {
  const LearningRate rate = trainer.optimizer().common().learning_rate;
  if (rate.schedule) {
    throw_expected(owner, "an optimizer with a number as learning_rate", rate.schedule->repr());
  }
  return rate.value;
}

class EarlyStopping final : public Callback {
 public:
  explicit EarlyStopping(EarlyStoppingOptions options)
      : options_(std::move(options)), monitor_(kName, options_.monitor, options_.mode, options_.min_delta) {
    check_at_least_0(kName, "patience", options_.patience);
    check_at_least_0(kName, "start_from_epoch", options_.start_from_epoch);
    if (options_.baseline) check_number(kName, "baseline", *options_.baseline);
  }
  void check(Trainer& trainer, const std::vector<std::string>& figures) override {
    monitor_.check(trainer, figures);
  }
  void on_train_begin(Trainer&) override {
    best_ = monitor_.worst();
    wait_ = 0;
    kept_ = false;
  }
  void on_epoch_end(Trainer& trainer, std::int64_t epoch, const EpochLogs& logs) override {
    const auto value = monitor_.value(logs);
    if (!value || epoch < options_.start_from_epoch) return;
    const bool better = monitor_.improves(*value, best_);
    if (better) best_ = *value;
    if (options_.restore_best_weights && (better || !kept_)) keep(trainer.model().graph());
    if (better && (!options_.baseline || monitor_.improves(*value, *options_.baseline))) {
      wait_ = 0;
      return;
    }
    ++wait_;
    if (!better && wait_ >= options_.patience && epoch > 0) trainer.stop_training();
  }
  void on_train_end(Trainer& trainer) override {
    if (!kept_) return;
    Graph& graph = trainer.model().graph();
    std::copy(parameters_.begin(), parameters_.end(), graph.parameter_values.data());
    std::copy(state_.begin(), state_.end(), graph.state_values.data());
  }

 private:
  static constexpr const char* kName = "EarlyStopping";

  void keep(const Graph& graph) {
    parameters_.assign(graph.parameter_values.span().begin(), graph.parameter_values.span().end());
    state_.assign(graph.state_values.span().begin(), graph.state_values.span().end());
    kept_ = true;
  }

  EarlyStoppingOptions options_;
  Monitor monitor_;
  double best_ = 0;
  std::int64_t wait_ = 0;
  bool kept_ = false;
  std::vector<float> parameters_, state_;  // of the best epoch
};

// One number as Python's format() writes it: "", "03d", ".4f", ".3e", "g".
std::string formatted(const std::string& path, double value, std::string_view spec, bool whole) {
  const char type = spec.empty() ? 'g' : spec.back();
  const bool known = std::string_view("dfeg").find(type) != std::string_view::npos &&
                     spec.find_first_not_of("0123456789.dfeg") == std::string_view::npos && spec.size() < 8 &&
                     (type != 'd' || whole);
  if (!known)
    throw_expected("ModelCheckpoint", "numbers in filepath formatted as d, f, e or g", "'" + path + "'");
  if (spec.empty()) return whole ? std::to_string(static_cast<std::int64_t>(value)) : format_number(value);
  const std::string pattern =
      "%" + std::string(spec.substr(0, spec.size() - 1)) + (type == 'd' ? ".0f" : std::string(1, type));
  char text[400];
  std::snprintf(text, sizeof text, pattern.c_str(), value);
  return text;
}

// `use(name, spec)` gives what stands for each {name:spec}.
template <class F>
std::string expand(const std::string& path, const F& use) {
  std::string result;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t open = path.find('{', at);
    if (open == std::string::npos) return result + path.substr(at);
    const std::size_t close = path.find('}', open);
    if (close == std::string::npos)
      throw_expected("ModelCheckpoint", "'}' after '{' in filepath", "'" + path + "'");
    const std::string field = path.substr(open + 1, close - open - 1);
    const std::size_t colon = std::min(field.find(':'), field.size());
    const std::string spec = colon < field.size() ? field.substr(colon + 1) : "";
    result += path.substr(at, open - at) + use(field.substr(0, colon), spec);
    at = close + 1;
  }
  return result;
}

class ModelCheckpoint final : public Callback {
 public:
  explicit ModelCheckpoint(ModelCheckpointOptions options)
      : options_(std::move(options)), monitor_(kName, options_.monitor, options_.mode, 0) {
    if (options_.filepath.empty()) throw_expected(kName, "a filepath", "none");
    best_ = options_.initial_value_threshold;
  }
  void check(Trainer& trainer, const std::vector<std::string>& figures) override {
    if (options_.save_best_only) monitor_.check(trainer, figures);
    expand(options_.filepath, [&](const std::string& name, const std::string& spec) {
      if (name != "epoch") require_figure(kName, name, figures);
      return formatted(options_.filepath, 1, spec, name == "epoch");
    });
  }
  void on_epoch_end(Trainer& trainer, std::int64_t epoch, const EpochLogs& logs) override {
    if (options_.save_best_only) {
      const auto value = monitor_.value(logs);
      if (!value || !monitor_.improves(*value, best_.value_or(monitor_.worst()))) return;
      best_ = *value;
    }
    const std::string path = expand(options_.filepath, [&](const std::string& name, const std::string& spec) {
      const bool is_epoch = name == "epoch";
      if (!is_epoch && logs.count(name) == 0) require_figure(kName, name, {"epoch"});
      return formatted(options_.filepath, is_epoch ? static_cast<double>(epoch + 1) : logs.at(name), spec,
                       is_epoch);
    });
    if (options_.save_weights_only) {
      save_weights(trainer.model(), path);
    } else {
      save_model(trainer.model(), path);
    }
  }

 private:
  static constexpr const char* kName = "ModelCheckpoint";

  ModelCheckpointOptions options_;
  Monitor monitor_;
  std::optional<double> best_;  // stays from one fit to the next, as in Keras
};

class ReduceLROnPlateau final : public Callback {
 public:
  explicit ReduceLROnPlateau(ReduceLROnPlateauOptions options)
      : options_(std::move(options)), monitor_(kName, options_.monitor, options_.mode, options_.min_delta) {
    if (!(options_.factor > 0 && options_.factor < 1))
      throw_expected(kName, "factor to be a number in (0, 1)", format_number(options_.factor));
    if (!(options_.min_lr >= 0))
      throw_expected(kName, "min_lr to be at least 0", format_number(options_.min_lr));
    check_at_least_0(kName, "patience", options_.patience);
    check_at_least_0(kName, "cooldown", options_.cooldown);
  }
  void check(Trainer& trainer, const std::vector<std::string>& figures) override {
    monitor_.check(trainer, figures);
    constant_rate(kName, trainer);
  }
  void on_train_begin(Trainer&) override {
    best_ = monitor_.worst();
    wait_ = cooling_ = 0;
  }
  void on_epoch_end(Trainer& trainer, std::int64_t, const EpochLogs& logs) override {
    const auto value = monitor_.value(logs);
    if (!value) return;
    if (cooling_ > 0) {
      --cooling_;
      wait_ = 0;
    }
    if (monitor_.improves(*value, best_)) {
      best_ = *value;
      wait_ = 0;
    } else if (cooling_ == 0 && ++wait_ >= options_.patience) {
      const double rate = constant_rate(kName, trainer);
      if (rate <= options_.min_lr) return;
      trainer.optimizer().set_learning_rate(std::max(rate * options_.factor, options_.min_lr));
      cooling_ = options_.cooldown;
      wait_ = 0;
    }
  }

 private:
  static constexpr const char* kName = "ReduceLROnPlateau";

  ReduceLROnPlateauOptions options_;
  Monitor monitor_;
  double best_ = 0;
  std::int64_t wait_ = 0, cooling_ = 0;
};

class LearningRateScheduler final : public Callback {
 public:
  explicit LearningRateScheduler(std::function<double(std::int64_t, double)> schedule)
      : schedule_(std::move(schedule)) {
    if (!schedule_) throw_expected(kName, "a function of the epoch and the rate", "none");
  }
  void check(Trainer& trainer, const std::vector<std::string>&) override { constant_rate(kName, trainer); }
  void on_epoch_begin(Trainer& trainer, std::int64_t epoch) override {
    trainer.optimizer().set_learning_rate(schedule_(epoch, constant_rate(kName, trainer)));
  }

 private:
  static constexpr const char* kName = "LearningRateScheduler";

  std::function<double(std::int64_t, double)> schedule_;
};

class TerminateOnNaN final : public Callback {
 public:
  bool stops_on_nan() const override { return true; }
};

}  // namespace

CallbackPtr early_stopping(EarlyStoppingOptions options) {
  return std::make_shared<EarlyStopping>(std::move(options));
}
CallbackPtr model_checkpoint(ModelCheckpointOptions options) {
  return std::make_shared<ModelCheckpoint>(std::move(options));
}
CallbackPtr reduce_lr_on_plateau(ReduceLROnPlateauOptions options) {
  return std::make_shared<ReduceLROnPlateau>(std::move(options));
}
CallbackPtr learning_rate_scheduler(std::function<double(std::int64_t epoch, double rate)> schedule) {
  return std::make_shared<LearningRateScheduler>(std::move(schedule));
}
CallbackPtr terminate_on_nan() {
  return std::make_shared<TerminateOnNaN>();
}

}  // namespace lamina
