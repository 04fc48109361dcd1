// Trains what tests/python/test_cpp_programs.py trains in Python.
//   program train DATA EPOCHS MODEL CHECKPOINT       begins
//   program resume FROM DATA EPOCHS MODEL CHECKPOINT goes on from a checkpoint
// DATA is a file of 200 rows of 6 float32, then 200 int32 labels in [0, 3).
#include <lamina/lamina.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kRows = 200;
constexpr std::size_t kColumns = 6;

struct Data {
  std::vector<float> x = std::vector<float>(kRows * kColumns);
  std::vector<std::int32_t> y = std::vector<std::int32_t>(kRows);

  explicit Data(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(x.data()), static_cast<std::streamsize>(x.size() * sizeof(float)));
    file.read(reinterpret_cast<char*>(y.data()),
              static_cast<std::streamsize>(y.size() * sizeof(std::int32_t)));
    if (!file) throw lamina::FileError("expected the data, got less.");
  }
};

lamina::Trainer begin() {
  lamina::Model model = lamina::sequential({
      lamina::dense({.units = 24,
                     .activation = "relu",
                     .kernel_initializer = lamina::he_normal(),
                     .kernel_regularizer = lamina::l2({.l2 = 1e-4})}),
      lamina::batch_normalization(),
      lamina::dropout(0.2),
      lamina::dense(
          {.units = 12, .activation = "gelu", .kernel_constraint = lamina::max_norm({.max_value = 2})}),
      lamina::dense(3, "softmax"),
  });
  const auto rate = lamina::cosine_decay({.initial_learning_rate = 0.01, .decay_steps = 100});
  return {model,
          {.optimizer = lamina::adamw({.learning_rate = rate, .weight_decay = 0.01, .clipnorm = 1.0}),
           .loss = "sparse_categorical_crossentropy",
           .metrics = {"accuracy"},
           .seed = 7}};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const bool resumes = argc == 7 && std::string(argv[1]) == "resume";
    if (!resumes && argc != 6) return 2;
    const char* const* rest = argv + (resumes ? 3 : 2);
    lamina::Trainer trainer = resumes ? lamina::Trainer::load(argv[2]) : begin();
    const Data data(rest[0]);
    const lamina::History history = trainer.fit(
        {data.x, {kRows, kColumns}}, data.y,
        {.epochs = std::atoi(rest[1]), .initial_epoch = trainer.epoch(), .validation_split = 0.25});
    lamina::save_model(trainer.model(), rest[2]);
    trainer.save(rest[3]);
    for (const double loss : history.history.at("val_loss")) std::printf("%.17g\n", loss);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
