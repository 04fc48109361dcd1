// Resuming from a checkpoint equals never having stopped, bit for bit.
#include "lamina/training/checkpoint.h"

#include <doctest/doctest.h>

#include "lamina/core/error.h"
#include "lamina/model/safetensors.h"
#include "lamina/optimizers/nadam.h"
#include "lamina/optimizers/rmsprop.h"
#include "lamina/schedules/cosine.h"
#include "model/files.h"
#include "training/sessions.h"

using namespace lamina;
using namespace lamina::test;

namespace {

std::vector<std::function<OptimizerPtr()>> optimizers() {
  return {[] {
            return adam({.learning_rate = cosine_decay({.initial_learning_rate = 0.02, .decay_steps = 20}),
                         .amsgrad = true,
                         .weight_decay = 1e-3,
                         .global_clipnorm = 0.5,
                         .use_ema = true,
                         .ema_momentum = 0.8,
                         .gradient_accumulation_steps = 3});
          },
          [] { return sgd({.momentum = 0.9, .nesterov = true}); },
          [] { return nadam({.learning_rate = 0.01}); },
          [] { return rmsprop({.momentum = 0.5, .centered = true}); }, [] { return sgd(); }};
}

// A checkpoint whose description of the training is `text`.
void write_checkpoint(const std::string& path, const std::string& text) {
  const Model model = plain_model();
  save_file(model, {{"lamina.training", text}}, {}, path);
}

}  // namespace

TEST_CASE("resuming equals never having stopped") {
  const TemporaryFolder folder;
  const std::string path = folder.file("checkpoint");
  const Samples samples(50);
  for (const auto& optimizer : optimizers()) {
    const auto whole =
        make_session(busy_model(), optimizer(), sparse_categorical_crossentropy(), {"accuracy"});
    CAPTURE(whole->optimizer().repr());
    whole->model().set_trainable(4, false);
    const Dataset data = samples.with_labels();
    whole->prepare(data, true);
    for (std::int64_t epoch = 0; epoch < 2; ++epoch)
      whole->train_epoch(data, {.batch_size = 12, .epoch = epoch});
    save_checkpoint(*whole, {{"mine", "kept"}}, {{"callback/best", Shape{2}, {1.0F, 2.0F}}}, path);

    Checkpoint loaded = load_checkpoint(path);
    CHECK(loaded.metadata == std::map<std::string, std::string>{{"mine", "kept"}});
    REQUIRE(loaded.tensors.size() == 1);
    CHECK(loaded.tensors[0].name == "callback/best");
    CHECK(loaded.tensors[0].values == std::vector<float>{1.0F, 2.0F});
    TrainingSession& resumed = *loaded.session;
    CHECK(numbers_of(resumed) == numbers_of(*whole));
    CHECK(resumed.learning_rate() == whole->learning_rate());
    resumed.prepare(data, true);
    for (std::int64_t epoch = 2; epoch < 4; ++epoch) {
      const EpochResult a = whole->train_epoch(data, {.batch_size = 12, .epoch = epoch});
      const EpochResult b = resumed.train_epoch(data, {.batch_size = 12, .epoch = epoch});
      CHECK(a.logs.loss == b.logs.loss);
      CHECK(a.logs.metrics == b.logs.metrics);
      CHECK(a.learning_rate == b.learning_rate);
    }
    CHECK(numbers_of(resumed) == numbers_of(*whole));
  }
}

TEST_CASE("a session that never trained can be saved and loaded") {
  const TemporaryFolder folder;
  const std::string path = folder.file("checkpoint");
  const Samples samples(20);
  for (const auto& optimizer : optimizers()) {
    const auto session = make_session(busy_model(), optimizer(), sparse_categorical_crossentropy());
    CAPTURE(session->optimizer().repr());
    save_checkpoint(*session, {}, {}, path);
    Checkpoint loaded = load_checkpoint(path);
    for (TrainingSession* each : {session.get(), loaded.session.get()}) {
      each->prepare(samples.with_labels(), true);
      each->train_epoch(samples.with_labels(), {.batch_size = 6});
    }
    CHECK(numbers_of(*session) == numbers_of(*loaded.session));
  }
}

TEST_CASE("a plain model is no checkpoint") {
  const TemporaryFolder folder;
  const std::string path = folder.file("model");
  save_model(plain_model(), path);
  CHECK_THROWS_AS(load_checkpoint(path), FormatError);
  CHECK_THROWS_AS(load_checkpoint(folder.file("none")), FileError);
}

TEST_CASE("a checkpoint loads as a model") {
  const TemporaryFolder folder;
  const std::string path = folder.file("checkpoint");
  const Samples samples(20);
  const auto session = make_session(plain_model(), adam(), mean_squared_error());
  session->prepare(samples.with_values(), true);
  session->train_epoch(samples.with_values(), {});
  save_checkpoint(*session, {}, {}, path);
  const ArrayView x = samples.with_values().inputs[0];
  CHECK(load_model(path).predict(x) == session->model().predict(x));
}

TEST_CASE("hostile checkpoints are FormatErrors") {
  const TemporaryFolder folder;
  const std::string path = folder.file("checkpoint");
  const std::string head = R"({"loss":{"class_name":"MeanSquaredError","config":{}},"metrics":[]})";
  const auto text = [&](const std::string& optimizer, const std::string& heads, const std::string& rest) {
    return R"({"version":1,"optimizer":)" + optimizer + R"(,"heads":)" + heads + "," + rest + "}";
  };
  const std::string plain_sgd = R"({"class_name":"SGD","config":{}})";
  const std::string counters =
      R"("seed":"1","step":0,"updates":0,"accumulated_batches":0,"accumulated_weight":0.0,"optimizer_memory":[])";
  write_checkpoint(path, text(plain_sgd, "[" + head + "]", counters));
  load_checkpoint(path);  // fine so far
  for (
      const std::string& bad :
      {std::string("{}"),
       std::string("[]"),
       std::string("x"),
       std::string(R"({"version":2})"),
       text("null", "[" + head + "]", counters),
       text(R"({"class_name":"Evil","config":{}})", "[" + head + "]", counters),
       text(R"({"class_name":"SGD","config":{"momentum":7}})", "[" + head + "]", counters),
       text(R"({"class_name":"SGD","config":{"learning_rate":{"class_name":"Evil","config":{}}}})",
            "[" + head + "]", counters),
       text(plain_sgd, "3", counters),
       text(plain_sgd, "[]", counters),
       text(plain_sgd, "[" + head + "," + head + "]", counters),
       text(plain_sgd, R"([{"loss":{"class_name":"Evil","config":{}},"metrics":[]}])", counters),
       text(plain_sgd, R"([{"loss":{"class_name":"MeanSquaredError","config":{}},"metrics":["evil"]}])",
            counters),
       text(plain_sgd, R"([{"loss":{"class_name":"MeanSquaredError","config":{}},"metrics":3}])", counters),
       text(
           plain_sgd, "[" + head + "]",
           R"("seed":1,"step":0,"updates":0,"accumulated_batches":0,"accumulated_weight":0.0,"optimizer_memory":[])"),
       text(
           plain_sgd, "[" + head + "]",
           R"("seed":"1","step":-1,"updates":0,"accumulated_batches":0,"accumulated_weight":0.0,"optimizer_memory":[])"),
       text(
           plain_sgd, "[" + head + "]",
           R"("seed":"1","step":0,"updates":"0","accumulated_batches":0,"accumulated_weight":0.0,"optimizer_memory":[])"),
       text(
           plain_sgd, "[" + head + "]",
           R"("seed":"1","step":0,"updates":0,"accumulated_batches":1,"accumulated_weight":1.0,"optimizer_memory":[])"),
       text(
           plain_sgd, "[" + head + "]",
           R"("seed":"1","step":0,"updates":0,"accumulated_batches":0,"accumulated_weight":0.0,"optimizer_memory":[1.0])"),
       text(
           R"({"class_name":"Adam","config":{}})", "[" + head + "]",
           R"("seed":"1","step":3,"updates":3,"accumulated_batches":0,"accumulated_weight":0.0,"optimizer_memory":[])"),
       text(plain_sgd, "[" + head + "]", R"("seed":"1")")}) {
    CAPTURE(bad);
    write_checkpoint(path, bad);
    CHECK_THROWS_AS(load_checkpoint(path), FormatError);
  }
  write_checkpoint(
      path, text(plain_sgd, R"([{"loss":{"class_name":"custom:Mine","config":{}},"metrics":[]}])", counters));
  CHECK_THROWS_AS(load_checkpoint(path), ArgumentError);
}
