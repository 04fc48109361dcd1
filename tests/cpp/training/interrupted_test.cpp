// An error, a NaN or a stop in the middle of an epoch leaves the last complete step: the same bits as
// training on the batches before it alone.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

#include "lamina/core/error.h"
#include "training/sessions.h"

using namespace lamina;
using namespace lamina::test;

namespace {

constexpr std::size_t kBatch = 8;
constexpr std::size_t kBad = 5;  // the batch that goes wrong

OptimizerPtr busy_adam(std::int64_t accumulation) {
  return adam({.learning_rate = 0.01,
               .weight_decay = 1e-3,
               .clipnorm = 0.5,
               .use_ema = true,
               .gradient_accumulation_steps = accumulation});
}

// What training on the batches before the bad one gives.
Numbers expected_after(std::size_t batches, const OptimizerPtr& optimizer, const Samples& samples) {
  const auto session = make_session(busy_model(), optimizer, sparse_categorical_crossentropy(), {"accuracy"});
  const Dataset data = samples.with_labels(0, batches * kBatch);
  session->prepare(data, true);
  if (batches > 0) session->train_epoch(data, {.batch_size = kBatch, .shuffle = false});
  return numbers_of(*session);
}

// Throws when the rate of one update is asked for.
class BrokenSchedule final : public Schedule {
 public:
  explicit BrokenSchedule(std::int64_t bad) : bad_(bad) {}
  std::string type() const override { return "custom:Broken"; }
  Config config() const override { return {type(), {}}; }
  double rate(std::int64_t step) const override {
    if (step == bad_) throw ArgumentError("no rate");
    return 0.01;
  }

 private:
  std::int64_t bad_;
};

}  // namespace

TEST_CASE("a bad label in the middle of an epoch") {
  for (const std::int64_t accumulation : {1, 3}) {
    CAPTURE(accumulation);
    Samples samples(64);
    samples.labels[kBad * kBatch + 3] = 3;
    const auto session =
        make_session(busy_model(), busy_adam(accumulation), sparse_categorical_crossentropy(), {"accuracy"});
    const Dataset data = samples.with_labels();
    session->prepare(data, false);
    CHECK_THROWS_WITH_AS(
        session->train_epoch(data, {.batch_size = kBatch, .shuffle = false}),
        "SparseCategoricalCrossentropy: expected labels that are whole numbers in [0, 3), got 3 in row 43.",
        DataError);
    CHECK(session->step() == kBad);
    CHECK(numbers_of(*session) == expected_after(kBad, busy_adam(accumulation), samples));

    // Training goes on from there as if nothing had been.
    samples.labels[kBad * kBatch + 3] = 1;
    const Dataset rest = samples.with_labels(kBad * kBatch);
    session->train_epoch(rest, {.batch_size = kBatch, .shuffle = false});
    CHECK(numbers_of(*session) == expected_after(8, busy_adam(accumulation), samples));
  }
}

TEST_CASE("a NaN found as it is gathered") {
  Samples samples(64);
  const auto run = [&](const Dataset& data, const std::string& message) {
    const auto session = make_session(busy_model(), busy_adam(1), sparse_categorical_crossentropy());
    session->prepare(data, false);
    CHECK_THROWS_WITH_AS(session->train_epoch(data, {.batch_size = kBatch, .shuffle = false}),
                         message.c_str(), DataError);
    CHECK(session->step() == kBad);
    return numbers_of(*session);
  };
  const Numbers expected = expected_after(kBad, busy_adam(1), samples);
  const std::size_t row = kBad * kBatch + 7;
  samples.x[row * 5 + 4] = std::numeric_limits<float>::infinity();
  Dataset data = samples.with_labels();
  data.check_as_gathered = true;
  CHECK(run(data, "Data: expected finite float32 numbers in x, got NaN or infinity in row 47.") == expected);

  samples.x[row * 5 + 4] = 0;
  samples.weights.assign(64, 1.0F);
  samples.weights[row] = std::numeric_limits<float>::quiet_NaN();
  data.weights = {ArrayView(samples.weights)};
  run(data, "Data: expected finite float32 numbers in sample_weight, got NaN or infinity in row 47.");
}

TEST_CASE("stop_on_nan stops before the update") {
  for (const std::int64_t accumulation : {1, 3}) {
    CAPTURE(accumulation);
    Samples samples(64);
    const Numbers expected = expected_after(kBad, busy_adam(accumulation), samples);
    samples.x[kBad * kBatch * 5] = std::numeric_limits<float>::quiet_NaN();
    const auto session =
        make_session(busy_model(), busy_adam(accumulation), sparse_categorical_crossentropy());
    const Dataset data = samples.with_labels();
    session->prepare(data, false);
    const EpochResult result =
        session->train_epoch(data, {.batch_size = kBatch, .shuffle = false, .stop_on_nan = true});
    CHECK(result.stopped);
    CHECK(result.first_nan_batch == kBad);
    CHECK(numbers_of(*session) == expected);

    const Dataset batch = samples.with_labels(kBad * kBatch, kBatch);
    CHECK(std::isnan(session->train_batch(batch, true).loss));
    CHECK(numbers_of(*session) == expected);
  }
}

TEST_CASE("without stop_on_nan a NaN goes into the weights, and the epoch says where it came") {
  Samples samples(64);
  samples.x[kBad * kBatch * 5] = std::numeric_limits<float>::quiet_NaN();
  const auto session = make_session(plain_model(), adam(), mean_squared_error());
  const Dataset data = samples.with_values();
  session->prepare(data, false);
  const EpochResult result = session->train_epoch(data, {.batch_size = kBatch, .shuffle = false});
  CHECK_FALSE(result.stopped);
  CHECK(result.first_nan_batch == kBad);
  CHECK(std::isnan(result.logs.loss));
  CHECK(std::isnan(session->model().flat_parameters()[0]));
  CHECK(session->step() == 8);
}

TEST_CASE("a schedule that throws") {
  for (const std::int64_t accumulation : {1, 3}) {
    CAPTURE(accumulation);
    const Samples samples(64);
    const auto optimizer = [&](std::int64_t bad) {
      return adam({.learning_rate = std::make_shared<BrokenSchedule>(bad),
                   .clipnorm = 0.5,
                   .use_ema = true,
                   .gradient_accumulation_steps = accumulation});
    };
    const std::int64_t bad_update = accumulation == 1 ? 5 : 1;
    const std::size_t complete = 5;  // batches before the one that completes that update
    const auto session = make_session(busy_model(), optimizer(bad_update), sparse_categorical_crossentropy());
    const Dataset data = samples.with_labels();
    session->prepare(data, true);
    CHECK_THROWS_WITH_AS(session->train_epoch(data, {.batch_size = kBatch, .shuffle = false}), "no rate",
                         ArgumentError);
    CHECK(numbers_of(*session) == expected_after(complete, optimizer(-1), samples));
  }
}

TEST_CASE("a callback that throws or stops") {
  const Samples samples(64);
  const Dataset data = samples.with_labels();
  const auto run = [&](const std::function<bool(const Progress&)>& hook) {
    auto session = make_session(busy_model(), busy_adam(1), sparse_categorical_crossentropy());
    session->prepare(data, true);
    bool threw = false;
    bool stopped = false;
    try {
      stopped =
          session->train_epoch(data, {.batch_size = kBatch, .shuffle = false, .batch_hook = hook}).stopped;
    } catch (const std::runtime_error&) {
      threw = true;
    }
    CHECK(threw != stopped);
    return numbers_of(*session);
  };
  CHECK(run([](const Progress& progress) { return !(progress.batch_ends && progress.batch == 4); }) ==
        expected_after(4, busy_adam(1), samples));
  CHECK(run([](const Progress& progress) { return progress.batch_ends || progress.batch < 4; }) ==
        expected_after(4, busy_adam(1), samples));
  CHECK(run([](const Progress& progress) -> bool {
          if (!progress.batch_ends && progress.batch == 6) throw std::runtime_error("enough");
          return true;
        }) == expected_after(6, busy_adam(1), samples));
}

TEST_CASE("what prepare() refuses changes nothing") {
  Samples samples(64);
  const auto session = make_session(busy_model(), busy_adam(1), sparse_categorical_crossentropy());
  session->prepare(samples.with_labels(), true);
  session->train_epoch(samples.with_labels(), {.batch_size = kBatch});
  const Numbers before = numbers_of(*session);
  samples.labels[60] = -1;
  CHECK_THROWS_AS(session->prepare(samples.with_labels(), true), DataError);
  samples.labels[60] = 1;
  samples.x[3] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(session->prepare(samples.with_labels(), true), DataError);
  samples.x[3] = 0;
  CHECK_THROWS_AS(session->prepare(samples.with_values(), true), ShapeError);
  CHECK(numbers_of(*session) == before);
  samples.x[3] = std::numeric_limits<float>::quiet_NaN();

  const auto lazy = make_session(sequential({dense(3)}), adam(), mean_squared_error());
  CHECK_THROWS_AS(lazy->prepare(samples.with_values(), true), DataError);
  CHECK_FALSE(lazy->model().built());
  samples.x[3] = 0;
  lazy->prepare(samples.with_values(), true);
  CHECK(lazy->model().built());
}

TEST_CASE("poll is asked at most 20 times a second and stops the epoch") {
  const Samples samples(4096);
  const Dataset data = samples.with_labels();
  const auto session = make_session(busy_model(), adam(), sparse_categorical_crossentropy());
  session->prepare(data, true);
  std::size_t polls = 0;
  const auto begin = std::chrono::steady_clock::now();
  std::int64_t epoch = 0;
  while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(300)) {
    session->train_epoch(data, {.batch_size = 4, .epoch = epoch++, .poll = [&](const Progress& progress) {
                                  ++polls;
                                  CHECK(progress.rows == 4 * progress.batch);
                                  CHECK(progress.logs->rows == progress.rows);
                                  return true;
                                }});
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  CHECK(static_cast<double>(polls) <= 20 * seconds.count() + 1);

  Samples many(200000);
  const Dataset large = many.with_labels();
  session->prepare(large, false);
  const std::int64_t before = session->step();
  std::size_t batches = 0;
  const EpochResult result =
      session->train_epoch(large, {.batch_size = 1, .poll = [&](const Progress& progress) {
                                     batches = progress.batch;
                                     return false;
                                   }});
  CHECK(result.stopped);
  CHECK(batches > 0);
  CHECK(session->step() - before == static_cast<std::int64_t>(batches));
}

TEST_CASE("a session at work refuses another caller") {
  const Samples samples(64);
  const Dataset data = samples.with_labels();
  const auto session = make_session(busy_model(), busy_adam(1), sparse_categorical_crossentropy());
  session->prepare(data, true);
  std::vector<float> gradient(session->model().graph().parameter_count);
  std::size_t refused = 0;
  const auto hook = [&](const Progress& progress) {
    if (progress.batch != 2 || progress.batch_ends) return true;
    const auto refuses = [&](const std::function<void()>& call) {
      try {
        call();
      } catch (const StateError&) {
        ++refused;
      }
    };
    const auto all = [&] {
      refuses([&] { session->prepare(data, true); });
      refuses([&] { session->train_epoch(data, {}); });
      refuses([&] { session->train_batch(data); });
      refuses([&] { session->evaluate(data, 8, nullptr); });
      refuses([&] { session->evaluate_batch(data); });
      refuses([&] { session->value_and_gradient(data, false, gradient); });
      refuses([&] { session->begin_epoch(); });
      refuses([&] { session->restore({}); });
    };
    all();
    std::thread(all).join();
    return true;
  };
  session->train_epoch(data, {.batch_size = kBatch, .shuffle = false, .batch_hook = hook});
  CHECK(refused == 16);
  CHECK(numbers_of(*session) == expected_after(8, busy_adam(1), samples));
}
