// Trains on "exclusive or", writes the model, reads it back and predicts one row at a time, without
// allocating.
#include <lamina/lamina.h>

#include <array>
#include <cstdio>

int main() {
  const std::vector<std::uint8_t> x = {0, 0, 0, 1, 1, 0, 1, 1};  // any numeric type is read in place
  const std::vector<int> y = {0, 1, 1, 0};                       // class labels
  lamina::Model model =
      lamina::sequential({lamina::input({2}), lamina::dense(16, "tanh"), lamina::dense(2, "softmax")});
  lamina::Trainer trainer(model, {.optimizer = lamina::adam({.learning_rate = 0.05}),
                                  .loss = "sparse_categorical_crossentropy",
                                  .metrics = {"accuracy"},
                                  .seed = 7});
  const lamina::History history = trainer.fit({x.data(), {4, 2}}, y, {.epochs = 200, .batch_size = 4});
  std::printf("loss %.4f, accuracy %.2f\n", history.history.at("loss").back(),
              history.history.at("accuracy").back());

  lamina::save_model(model, "xor.safetensors");
  const lamina::Model loaded = lamina::load_model("xor.safetensors");  // Python's lm.load_model reads it, too
  lamina::Predictor predictor(loaded);
  int wrong = 0;
  for (std::size_t row = 0; row < 4; ++row) {
    const std::array<float, 2> input = {static_cast<float>(x[2 * row]), static_cast<float>(x[2 * row + 1])};
    std::array<float, 2> output{};
    if (predictor.predict(input, output) != lamina::Status::ok) return 1;
    const int predicted = output[1] > output[0] ? 1 : 0;
    std::printf("%d xor %d = %d\n", x[2 * row], x[2 * row + 1], predicted);
    wrong += predicted != y[row];
  }
  return wrong;
}
