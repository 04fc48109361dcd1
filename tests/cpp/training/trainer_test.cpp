#include "lamina/training/trainer.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <span>

#include "allocation.h"
#include "lamina/core/error.h"
#include "lamina/lamina.h"
#include "model/files.h"
#include "training/sessions.h"

using namespace lamina;
using namespace lamina::test;

namespace {

ArrayView x_of(const Samples& samples) {
  return samples.with_labels().inputs[0];
}
ArrayView labels_of(const Samples& samples) {
  return samples.with_labels().targets[0];
}

}  // namespace

TEST_CASE("Trainer: fit learns, and its history says how") {
  Samples samples(200);
  for (std::size_t row = 0; row < samples.rows; ++row) samples.labels[row] = samples.x[row * 5] > 0 ? 2 : 0;
  Trainer trainer(sequential({input({5}), dense(16, "relu"), dense(3, "softmax")}),
                  {.optimizer = adam({.learning_rate = 0.02}),
                   .loss = "sparse_categorical_crossentropy",
                   .metrics = {"accuracy"},
                   .seed = 7});
  const History history =
      trainer.fit(x_of(samples), labels_of(samples), {.epochs = 20, .validation_split = 0.25});
  CHECK(history.epoch.size() == 20);
  CHECK(history.epoch.back() == 19);
  for (const char* key : {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}) {
    CAPTURE(key);
    REQUIRE(history.history.count(key) == 1);
    CHECK(history.history.at(key).size() == 20);
  }
  CHECK(history.history.at("loss").back() < 0.3 * history.history.at("loss").front());
  CHECK(history.history.at("val_accuracy").back() > 0.9);
  CHECK(history.history.at("learning_rate").front() == 0.02);
  // 150 of the 200 rows were trained on, in batches of 32.
  CHECK(trainer.session().step() == 20 * 5);
}

TEST_CASE("Trainer: validation_split takes the last rows, as validation data would") {
  const Samples samples(50);
  const auto fit = [&](const FitOptions& options, std::size_t rows) {
    Trainer trainer(busy_model(), {.loss = "sparse_categorical_crossentropy", .seed = 7});
    const Dataset data = samples.with_labels(0, rows);
    return trainer.fit(data.inputs[0], data.targets[0], options).history;
  };
  const Dataset last = samples.with_labels(40);
  CHECK(fit({.epochs = 3, .validation_split = 0.2}, 50) ==
        fit({.epochs = 3, .validation_x = last.inputs[0], .validation_y = last.targets[0]}, 40));
}

TEST_CASE("Trainer: epochs can be split over several calls") {
  const Samples samples(50);
  Trainer whole(busy_model(), {.loss = "sparse_categorical_crossentropy", .seed = 7});
  Trainer parts(busy_model(), {.loss = "sparse_categorical_crossentropy", .seed = 7});
  whole.fit(x_of(samples), labels_of(samples), {.epochs = 4});
  parts.fit(x_of(samples), labels_of(samples), {.epochs = 2});
  const History rest = parts.fit(x_of(samples), labels_of(samples), {.epochs = 4, .initial_epoch = 2});
  CHECK(rest.epoch == std::vector<std::int64_t>{2, 3});
  CHECK(numbers_of(whole.session()) == numbers_of(parts.session()));
}

TEST_CASE("Trainer: on_epoch_end can stop") {
  const Samples samples(50);
  Trainer trainer(busy_model(), {.loss = "sparse_categorical_crossentropy"});
  const History history =
      trainer.fit(x_of(samples), labels_of(samples),
                  {.epochs = 9, .on_epoch_end = [](std::int64_t epoch, const EpochLogs& logs) {
                     return epoch < 2 && logs.at("loss") > 0;
                   }});
  CHECK(history.epoch.size() == 3);
}

TEST_CASE("Trainer: save and load") {
  const TemporaryFolder folder;
  const Samples samples(50);
  Trainer trainer(
      busy_model(),
      {.optimizer = adam(), .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}, .seed = 7});
  trainer.fit(x_of(samples), labels_of(samples), {.epochs = 2});
  trainer.save(folder.file("trainer"));
  Trainer loaded = Trainer::load(folder.file("trainer"));
  for (Trainer* each : {&trainer, &loaded})
    each->fit(x_of(samples), labels_of(samples), {.epochs = 4, .initial_epoch = 2});
  CHECK(numbers_of(trainer.session()) == numbers_of(loaded.session()));
  CHECK(trainer.evaluate(x_of(samples), labels_of(samples)) ==
        loaded.evaluate(x_of(samples), labels_of(samples)));
}

TEST_CASE("Trainer: sample weights count") {
  Samples samples(40);
  // Rows of weight 0 may hold anything.
  std::vector<float> weights(40, 1.0F);
  for (std::size_t row = 0; row < 40; row += 2) weights[row] = 0.0F;
  const auto fit = [&] {
    Trainer trainer(plain_model(), {.optimizer = sgd(), .loss = "mse", .seed = 1});
    const Dataset data = samples.with_values();
    trainer.fit(data.inputs[0], data.targets[0], {.sample_weight = ArrayView(weights)});
    return numbers_of(trainer.session());
  };
  const Numbers before = fit();
  for (std::size_t row = 0; row < 40; row += 2) samples.values[row * 3] += 5.0F;
  CHECK(fit() == before);
  weights.assign(40, 1.0F);
  CHECK_FALSE(fit() == before);
}

TEST_CASE("Trainer: what is wrong is said before the first step") {
  Samples samples(20);
  CHECK_THROWS_WITH_AS(Trainer(plain_model(), {}), "Trainer: expected a loss, got none.", ArgumentError);
  CHECK_THROWS_AS(Trainer(plain_model(), {.loss = "msee"}), ArgumentError);
  Trainer trainer(plain_model(), {.loss = "mse", .seed = 1});
  const Dataset data = samples.with_values();
  const ArrayView x = data.inputs[0];
  const ArrayView y = data.targets[0];
  trainer.evaluate(x, y);  // draws weights
  const Numbers before = numbers_of(trainer.session());
  CHECK_THROWS_AS(trainer.fit(x, y, {.batch_size = 0}), ArgumentError);
  CHECK_THROWS_AS(trainer.fit(x, y, {.epochs = -1}), ArgumentError);
  CHECK_THROWS_AS(trainer.fit(x, y, {.validation_split = 1.0}), ArgumentError);
  CHECK_THROWS_AS(trainer.fit(x, y, {.validation_split = -0.1}), ArgumentError);
  CHECK_THROWS_AS(trainer.fit(x, y, {.validation_split = std::nan("")}), ArgumentError);
  CHECK_THROWS_AS(trainer.fit(x, y, {.validation_split = 0.999}), ArgumentError);
  CHECK_THROWS_AS(trainer.fit(x, labels_of(samples)), ShapeError);
  CHECK_THROWS_AS(trainer.fit(y, y), ShapeError);
  CHECK_THROWS_AS(trainer.fit({}, {}), ShapeError);
  CHECK_THROWS_AS(trainer.fit(x, samples.with_values(0, 19).targets[0]), ShapeError);
  CHECK_THROWS_AS(trainer.fit(x, y, {.validation_x = x, .validation_y = labels_of(samples)}), ShapeError);
  CHECK_THROWS_AS(trainer.train_on_batch(ArrayView(samples.x.data(), Shape{0, 5}),
                                         ArrayView(samples.values.data(), Shape{0, 3})),
                  DataError);
  samples.values[7] = std::nanf("");
  CHECK_THROWS_WITH_AS(trainer.fit(x, y),
                       "Data: expected finite float32 numbers in y, got NaN or infinity in row 2.",
                       DataError);
  CHECK(numbers_of(trainer.session()) == before);
}

TEST_CASE("Trainer: fit_lbfgs trains on all rows, with their weights") {
  const Samples samples(120);
  for (const bool weighted : {false, true}) {
    Dataset data = samples.with_values();
    const ArrayView weights = weighted ? ArrayView(samples.weights.data(), Shape{120}) : ArrayView{};
    if (weighted) data.weights = {weights};
    Trainer trainer(plain_model(), {.loss = "mse"});
    const double before = trainer.evaluate(data.inputs[0], data.targets[0]).at("loss");
    const LbfgsResult result =
        trainer.fit_lbfgs(data.inputs[0], data.targets[0], {.max_iterations = 40}, weights);
    CHECK(result.iterations == 40);
    CHECK(trainer.evaluate(data.inputs[0], data.targets[0]).at("loss") < before);
    CHECK(trainer.epoch() == 0);
    std::vector<float> gradient(trainer.model().flat_parameters().size());
    CHECK(trainer.session().value_and_gradient(data, false, gradient) ==
          doctest::Approx(result.value).epsilon(1e-6));
  }
}

TEST_CASE("Trainer: train_on_batch is one step and returns its loss") {
  const Samples samples(20);
  const Dataset data = samples.with_values();
  Trainer trainer(plain_model(), {.optimizer = sgd(), .loss = "mse", .seed = 1});
  const double before = trainer.evaluate(data.inputs[0], data.targets[0]).at("loss");
  CHECK(trainer.train_on_batch(data.inputs[0], data.targets[0]) == doctest::Approx(before));
  CHECK(trainer.session().step() == 1);
  CHECK(trainer.evaluate(data.inputs[0], data.targets[0]).at("loss") < before);
}

TEST_CASE("Trainer: what is wrong leaves a model that is not built as it was") {
  Samples samples(20);
  const Dataset data = samples.with_values();
  const ArrayView x = data.inputs[0], y = data.targets[0];
  const Model model = sequential({dense(4, "relu"), dense(3)});
  Trainer trainer(model, {.loss = "mse", .seed = 1});
  std::vector<float> bad(samples.values);
  bad[5] = std::nanf("");
  CHECK_THROWS_AS(trainer.fit(x, y, {.validation_x = x, .validation_y = labels_of(samples)}), ShapeError);
  CHECK_FALSE(model.built());
  CHECK_THROWS_AS(trainer.fit(x, y, {.validation_x = y, .validation_y = y}), ShapeError);
  CHECK_FALSE(model.built());
  CHECK_THROWS_AS(trainer.fit(x, y, {.validation_x = x, .validation_y = {bad, {20, 3}}}), DataError);
  CHECK_FALSE(model.built());
  CHECK_THROWS_AS(trainer.fit(x, y, {.callbacks = {early_stopping()}}), ArgumentError);  // no val_loss
  CHECK_FALSE(model.built());
  CHECK_THROWS_AS(trainer.fit(x, y, {.validation_freq = 0}), ArgumentError);
  // Another width than before may come now, since nothing was kept.
  trainer.fit(y, y);
  CHECK(model.input_shape() == Shape{3});
}

TEST_CASE("Trainer: learning within a loop allocates nothing") {
  if (!counts_allocations()) return;
  const Samples samples(64);
  const std::vector<float> weights(64, 0.5F);
  for (const char* optimizer : {"sgd", "adam", "nadam", "rmsprop"}) {
    for (const bool labels : {true, false}) {
      CAPTURE(optimizer);
      CAPTURE(labels);
      const char* loss = labels ? "sparse_categorical_crossentropy" : "categorical_crossentropy";
      Trainer trainer(busy_model(),
                      {.optimizer = optimizer, .loss = loss, .metrics = {"accuracy"}, .seed = 7});
      const auto batch = [&](std::size_t first, std::size_t count) {
        const Dataset data = labels ? samples.with_labels(first, count) : samples.with_values(first, count);
        return std::pair(data.inputs[0], data.targets[0]);
      };
      const auto [first_x, first_y] = batch(0, 16);
      const ArrayView weight(weights.data(), Shape{16});
      trainer.train_on_batch(first_x, first_y, weight);
      const auto [x, y] = batch(16, 16);
      const auto [small_x, small_y] = batch(40, 3);
      const AllocationCount allocated;
      trainer.train_on_batch(x, y);
      trainer.train_on_batch(x, y, weight);
      trainer.train_on_batch(small_x, small_y);
      CHECK(allocated.count() == 0);
      CHECK(trainer.session().step() == 4);
    }
  }
}

TEST_CASE("Trainer: a batch's figures are those of the batch alone") {
  const Samples samples(20);
  Trainer trainer(
      sequential({input({5}), dense(3, "softmax")}),
      {.optimizer = "sgd", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}, .seed = 7});
  trainer.train_on_batch(x_of(samples), labels_of(samples));
  const EpochLogs expected = trainer.evaluate(x_of(samples), labels_of(samples));
  const double loss = trainer.train_on_batch(x_of(samples), labels_of(samples));
  CHECK(loss == doctest::Approx(expected.at("loss")));
  const Logs logs = trainer.session().epoch_logs();
  CHECK(logs.rows == 20);
  CHECK(logs.metrics.at(0) == expected.at("accuracy"));
}

TEST_CASE("Trainer: names and objects mean the same") {
  const Samples samples(50);
  const auto fit = [&](TrainerOptions options) {
    options.seed = 7;
    Trainer trainer(busy_model(), std::move(options));
    return trainer.fit(x_of(samples), labels_of(samples), {.epochs = 2}).history;
  };
  CHECK(fit({.optimizer = "adam",
             .loss = "sparse_categorical_crossentropy",
             .metrics = {"sparse_categorical_accuracy"}}) ==
        fit({.optimizer = adam(),
             .loss = sparse_categorical_crossentropy(),
             .metrics = {metrics::sparse_categorical_accuracy()}}));
  const auto named =
      fit({.loss = "sparse_categorical_crossentropy",
           .metrics = {metrics::top_k_categorical_accuracy({.k = 3, .name = "top3"}), "accuracy"}});
  CHECK(named.at("top3") == std::vector<double>{1, 1});
  CHECK(named.count("accuracy") == 1);
  CHECK_THROWS_AS(fit({.optimizer = "adan", .loss = "mse"}), ArgumentError);
  CHECK_THROWS_AS(dense({.units = 3, .activation = "rleu"}), ArgumentError);
}

TEST_CASE("Trainer: epochs and figures go with the checkpoint") {
  const TemporaryFolder folder;
  const Samples samples(50);
  Trainer trainer(busy_model(),
                  {.loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}, .seed = 7});
  trainer.fit(x_of(samples), labels_of(samples), {.epochs = 2});
  trainer.save(folder.file("trainer"));
  Trainer loaded = Trainer::load(folder.file("trainer"));
  CHECK(loaded.epoch() == 2);
  CHECK(loaded.history().history == trainer.history().history);
  loaded.fit(x_of(samples), labels_of(samples),
             {.epochs = 5, .initial_epoch = loaded.epoch(), .validation_split = 0.2, .validation_freq = 2});
  CHECK(loaded.history().epoch == std::vector<std::int64_t>{0, 1, 2, 3, 4});
  CHECK(loaded.history().history.at("loss").size() == 5);
  CHECK(loaded.history().history.at("val_loss").size() == 1);
}

TEST_CASE("Trainer: loading takes little more memory than what stays") {
  if (!counts_allocations()) return;
  const TemporaryFolder folder;
  const Samples samples(20);
  Trainer trainer(sequential({input({5}), dense(2000), dense(400), dense(3)}), {.loss = "mse", .seed = 1});
  const Dataset data = samples.with_values();
  trainer.train_on_batch(data.inputs[0], data.targets[0]);
  trainer.save(folder.file("checkpoint"));
  const std::size_t size = std::filesystem::file_size(folder.file("checkpoint"));
  const AllocationCount allocated;
  const Trainer loaded = Trainer::load(folder.file("checkpoint"));
  // The file holds weights and two slots; the gradient, as large as the weights, comes on top.
  CHECK(allocated.peak_bytes() < size * 4 / 3 + (1U << 20U));
  CHECK(loaded.epoch() == 0);
}

TEST_CASE("arrays: numbers in any container, with their shape") {
  const std::vector<double> numbers{1, 2, 3, 4, 5, 6};
  const ArrayView rows(numbers, {3, 2});
  CHECK(rows.dtype == DType::f64);
  CHECK(rows.rows() == 3);
  CHECK(rows.row_stride == 16);
  const std::int16_t plain[4] = {1, 2, 3, 4};
  CHECK(ArrayView(plain).shape == Shape{4});
  CHECK(ArrayView(std::array<std::uint8_t, 3>{}).dtype == DType::u8);
  CHECK(ArrayView(std::span<const double>(numbers)).shape == Shape{6});
  CHECK_THROWS_WITH_AS(ArrayView(numbers, {4, 2}), "Array: expected 8 numbers for the shape (4, 2), got 6.",
                       ShapeError);
}
