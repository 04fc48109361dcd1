#include <lamina/lamina.h>

#include <cstdio>

int main() {
  const std::vector<float> x = {0, 0, 0, 1, 1, 0, 1, 1};  // four rows of two numbers
  const std::vector<float> y = {0, 1, 1, 0};
  lamina::Model model = lamina::sequential({lamina::dense(16, "tanh"), lamina::dense(1, "sigmoid")});
  lamina::Trainer trainer(
      model, {.optimizer = lamina::adam({.learning_rate = 0.05}), .loss = "binary_crossentropy", .seed = 7});
  trainer.fit({x.data(), {4, 2}}, y, {.epochs = 200, .batch_size = 4});
  for (const float p : model.predict({x.data(), {4, 2}})) std::printf("%.2f\n", static_cast<double>(p));
}
