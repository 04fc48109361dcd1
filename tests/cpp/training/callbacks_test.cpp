// Callbacks of the C++ Trainer: when they stop, keep, save and change rates.
#include "lamina/training/callbacks.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "lamina/lamina.h"
#include "model/files.h"
#include "training/sessions.h"

using namespace lamina;
using namespace lamina::test;

namespace {

// A metric whose values the test sets: one an epoch, the same in training and validation.
class Scripted final : public Metric {
 public:
  explicit Scripted(std::vector<double> values) : values_(std::move(values)) {}
  std::string type() const override { return "custom:scripted"; }
  Config config() const override { return {type(), {}}; }
  std::string name() const override { return "figure"; }
  void reset(std::size_t, TargetKind) override {}
  void update(const MetricBatch&) override { ++updates_; }
  // 50 rows in batches of 25, and their validation: 4 updates an epoch.
  double result() const override { return values_[std::min((updates_ - 1) / 4, values_.size() - 1)]; }

 private:
  std::vector<double> values_;
  std::size_t updates_ = 0;
};

struct Run {
  Samples samples{50};
  Trainer trainer;

  explicit Run(std::vector<double> values = {0}, OptimizerChoice optimizer = sgd({.learning_rate = 0.1}))
      : trainer(plain_model(), {.optimizer = std::move(optimizer),
                                .loss = "mse",
                                .metrics = {std::make_shared<Scripted>(std::move(values))},
                                .seed = 3}) {}
  History fit(std::vector<CallbackPtr> callbacks, std::int64_t epochs = 10) {
    const Dataset data = samples.with_values();
    return trainer.fit(data.inputs[0], data.targets[0],
                       {.epochs = epochs,
                        .batch_size = 25,
                        .validation_x = data.inputs[0],
                        .validation_y = data.targets[0],
                        .callbacks = std::move(callbacks)});
  }
};

// What each call was.
class Recorder final : public Callback {
 public:
  explicit Recorder(std::int64_t stop_at_batch = -1) : stop_at_(stop_at_batch) {}
  void check(Trainer&, const std::vector<std::string>& figures) override { names = figures; }
  void on_train_begin(Trainer&) override { calls += "<"; }
  void on_train_end(Trainer&) override { calls += ">"; }
  void on_epoch_begin(Trainer&, std::int64_t epoch) override { calls += std::to_string(epoch); }
  void on_epoch_end(Trainer& trainer, std::int64_t, const EpochLogs& logs) override {
    calls += "e";
    last = logs;
    weights.emplace_back(trainer.model().flat_parameters().begin(), trainer.model().flat_parameters().end());
  }
  void on_train_batch_end(Trainer& trainer, std::size_t batch, const EpochLogs& logs) override {
    calls += "b";
    CHECK(logs.count("loss") == 1);
    if (static_cast<std::int64_t>(batch) == stop_at_) trainer.stop_training();
  }
  bool wants_batches() const override { return true; }

  std::string calls;
  std::vector<std::string> names;
  EpochLogs last;
  std::vector<std::vector<float>> weights;

 private:
  std::int64_t stop_at_;
};

std::vector<float> weights_of(const Model& model) {
  return {model.flat_parameters().begin(), model.flat_parameters().end()};
}

}  // namespace

TEST_CASE("callbacks: the order of calls") {
  Run run;
  const auto all = std::make_shared<Recorder>();
  run.fit({all}, 2);
  CHECK(all->calls == "<0bbe1bbe>");
  CHECK(all->names == std::vector<std::string>{"loss", "figure", "val_loss", "val_figure", "learning_rate"});
  for (const std::string& name : all->names) CHECK(all->last.count(name) == 1);
  const auto stopping = std::make_shared<Recorder>(0);
  CHECK(run.fit({stopping}).epoch.size() == 1);
  CHECK(stopping->calls == "<0be>");
}

TEST_CASE("callbacks: early stopping waits as Keras does, and restores the best weights") {
  const auto epochs = [](std::vector<double> values, EarlyStoppingOptions options) {
    options.monitor = "val_figure";
    Run run(std::move(values));
    return run.fit({early_stopping(options)}).epoch.size();
  };
  const std::vector<double> values{5, 4, 6, 3, 4, 3.5, 2, 9, 9, 9};
  CHECK(epochs(values, {.patience = 1, .mode = "min"}) == 3);
  CHECK(epochs(values, {.patience = 2, .mode = "min"}) == 6);
  CHECK(epochs(values, {.patience = 3, .mode = "min"}) == 10);
  CHECK(epochs(values, {.patience = 1, .mode = "max"}) == 2);
  CHECK(epochs(values, {.min_delta = 1.5, .patience = 2, .mode = "min"}) == 3);
  CHECK(epochs(values, {.patience = 2, .mode = "min", .start_from_epoch = 3}) == 6);
  CHECK(epochs(values, {.patience = 3, .mode = "min", .baseline = 1.0}) == 3);

  Run run({5, 4, 6, 3, 4, 5});
  const auto recorder = std::make_shared<Recorder>();
  run.fit({recorder, early_stopping(
                         {.monitor = "figure", .patience = 2, .mode = "min", .restore_best_weights = true})});
  CHECK(recorder->weights.size() == 6);
  CHECK(weights_of(run.trainer.model()) == recorder->weights[3]);
  CHECK_FALSE(weights_of(run.trainer.model()) == recorder->weights[5]);
}

TEST_CASE("callbacks: model_checkpoint saves every epoch, or the best") {
  const TemporaryFolder folder;
  Run run({5, 4, 6, 3});
  const auto recorder = std::make_shared<Recorder>();
  run.fit({recorder, model_checkpoint({.filepath = folder.file("all-{epoch:02d}-{figure:.1f}")}),
           model_checkpoint(
               {.filepath = folder.file("best"), .monitor = "figure", .save_best_only = true, .mode = "min"}),
           model_checkpoint({.filepath = folder.file("weights-{epoch}"), .save_weights_only = true})},
          4);
  CHECK(weights_of(load_model(folder.file("all-03-6.0"))) == recorder->weights[2]);
  CHECK(weights_of(load_model(folder.file("best"))) == recorder->weights[3]);
  Model model = plain_model();
  load_weights(model, folder.file("weights-2"));
  CHECK(weights_of(model) == recorder->weights[1]);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 4 + 1 + 4);
}

TEST_CASE("callbacks: rates that callbacks set") {
  Run falling;
  const History scheduled = falling.fit(
      {learning_rate_scheduler([](std::int64_t epoch, double rate) { return epoch == 0 ? 0.5 : rate / 2; })},
      3);
  CHECK(scheduled.history.at("learning_rate") == std::vector<double>{0.5, 0.25, 0.125});

  Run plateau({5, 5, 5, 5, 5, 5, 1, 1});
  const History reduced = plateau.fit(
      {reduce_lr_on_plateau(
          {.monitor = "figure", .factor = 0.5, .patience = 2, .mode = "min", .cooldown = 1, .min_lr = 0.03})},
      8);
  // Lowered at the ends of epochs 2 and 4: the cooldown ends with epoch 3, which counts as the first to wait.
  const std::vector<double> rates{0.1, 0.1, 0.1, 0.05, 0.05, 0.03, 0.03, 0.03};
  for (std::size_t i = 0; i < rates.size(); ++i)
    CHECK(reduced.history.at("learning_rate")[i] == doctest::Approx(rates[i]));
}

TEST_CASE("callbacks: terminate_on_nan ends before the weights move") {
  Run run({0}, sgd({.learning_rate = 1e30}));
  const auto recorder = std::make_shared<Recorder>();
  const History history = run.fit({recorder, terminate_on_nan()});
  CHECK(history.epoch.size() < 10);
  CHECK_FALSE(std::isfinite(history.history.at("loss").back()));
  for (const float weight : run.trainer.model().flat_parameters()) CHECK(std::isfinite(weight));
}

TEST_CASE("callbacks: what is wrong is said before anything moves") {
  Run run;
  const auto message = [&](CallbackPtr callback) {
    try {
      run.fit({std::move(callback)});
    } catch (const ArgumentError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::vector<float> before = weights_of(run.trainer.model());
  CHECK(message(early_stopping({.monitor = "val_acc"})) ==
        "EarlyStopping: expected one of 'loss', 'figure', 'val_loss', 'val_figure', 'learning_rate', got "
        "'val_acc'.");
  CHECK(message(early_stopping({.monitor = "figure"})) ==
        "EarlyStopping: expected mode='min' or mode='max' for monitor='figure', whose better values are not "
        "known, got mode='auto'.");
  CHECK(message(model_checkpoint({.filepath = "{nothing}"})).find("ModelCheckpoint: expected one of") == 0);
  CHECK(message(model_checkpoint({.filepath = "{epoch:s}"})) ==
        "ModelCheckpoint: expected numbers in filepath formatted as d, f, e or g, got '{epoch:s}'.");
  CHECK(message(nullptr) == "Trainer: expected callbacks, got null.");
  CHECK_THROWS_AS(early_stopping({.patience = -1}), ArgumentError);
  CHECK_THROWS_AS(early_stopping({.mode = "best"}), ArgumentError);
  CHECK_THROWS_AS(early_stopping({.min_delta = std::nan("")}), ArgumentError);
  CHECK_THROWS_AS(model_checkpoint({}), ArgumentError);
  CHECK_THROWS_AS(reduce_lr_on_plateau({.factor = 1}), ArgumentError);
  CHECK_THROWS_AS(learning_rate_scheduler(nullptr), ArgumentError);
  run.trainer.optimizer().set_learning_rate(
      exponential_decay({.initial_learning_rate = 0.1, .decay_steps = 1, .decay_rate = 0.5}));
  CHECK(message(reduce_lr_on_plateau()).find("ReduceLROnPlateau: expected an optimizer with a number") == 0);
  CHECK(weights_of(run.trainer.model()) == before);
  CHECK(run.trainer.session().step() == 0);
}

TEST_CASE("callbacks: auto knows which values of lamina's metrics are better") {
  const Samples samples(50);
  for (const auto& metric : {std::pair{"accuracy", true}, std::pair{"mse", true}}) {
    const char* const name = metric.first;
    const bool stops = metric.second;
    CAPTURE(name);
    // A rate of 0: nothing ever improves, so patience runs out at the second epoch whichever way it looks.
    Trainer trainer(sequential({input({5}), dense(3, "softmax")}), {.optimizer = sgd({.learning_rate = 0.0}),
                                                                    .loss = "categorical_crossentropy",
                                                                    .metrics = {name},
                                                                    .seed = 1});
    const Dataset data = samples.with_values();
    const History history =
        trainer.fit(data.inputs[0], data.targets[0],
                    {.epochs = 5, .callbacks = {early_stopping({.monitor = name, .patience = 1})}});
    CHECK((history.epoch.size() == 2) == stops);
  }
}
