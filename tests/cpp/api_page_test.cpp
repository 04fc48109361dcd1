// The C++ program of the API page, as written there.
#include <doctest/doctest.h>
#include <lamina/lamina.h>

#include <cstdint>
#include <filesystem>
#include <random>
#include <vector>

#include "model/files.h"

TEST_CASE("the C++ program of the API page") {
  constexpr std::size_t kRows = 300;
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  std::vector<float> values(kRows * 20);
  for (float& value : values) value = uniform(generator);
  std::vector<std::int64_t> labels(kRows);
  for (std::size_t i = 0; i < kRows; ++i)
    labels[i] = values[i * 20] > 0.3F ? 2 : values[i * 20] < -0.3F ? 0 : 1;
  const lamina::ArrayView x(values.data(), lamina::Shape{kRows, 20});
  const lamina::ArrayView y(labels);
  const std::vector<float> input(values.begin(), values.begin() + 20);
  std::vector<float> output(3);

  const lamina::test::TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());

  // clang-format off
lamina::Model model = lamina::sequential({lamina::input({20}), lamina::dense(64, "relu"), lamina::dropout(0.2f), lamina::dense(3, "softmax")});
lamina::Trainer trainer(model, {.optimizer = lamina::adam({.learning_rate = 1e-3f}), .loss = "sparse_categorical_crossentropy", .seed = 7});
lamina::History history = trainer.fit(x, y, {.epochs = 20, .batch_size = 32});   // x, y: views over the caller's memory
lamina::save_model(model, "model.safetensors");

const lamina::Model loaded = lamina::load_model("model.safetensors");             // also what Python saved
lamina::Predictor predictor(loaded, {.max_batch = 1});                            // every allocation happens here
predictor.predict(input, output);       // noexcept; returns a Status; no allocation, no mutex; one predictor a thread; refresh() after the model changed
  // clang-format on

  std::filesystem::current_path(before);
  CHECK(history.history.at("loss").size() == 20);
  CHECK(history.history.at("loss").back() < 0.7 * history.history.at("loss").front());
  CHECK(history.history.at("learning_rate").back() == 0.001);
  CHECK(output == model.predict(lamina::ArrayView(input.data(), lamina::Shape{1, 20})));
  CHECK(output[0] + output[1] + output[2] == doctest::Approx(1.0));
  static_assert(noexcept(predictor.predict(input, output)));
}
