// Learns while it runs: predicts the next value of a signal whose frequency drifts, and takes a step of the
// optimizer on what came. A copy that stopped learning halfway falls behind.
#include <lamina/lamina.h>

#include <array>
#include <cmath>
#include <cstdio>

namespace {

constexpr std::size_t kWindow = 16;
constexpr int kSteps = 12000;

// A tone whose frequency rises by half over the run.
float signal(double time) {
  const double drift = 0.25 * time / kSteps;
  return static_cast<float>(std::sin(0.5 * (1.0 + drift) * time) +
                            0.3 * std::sin(0.13 * (1.0 + drift) * time));
}

}  // namespace

int main() {
  lamina::Model model =
      lamina::sequential({lamina::input({kWindow}), lamina::dense(32, "tanh"), lamina::dense(1)}, 7);
  lamina::Trainer trainer(model,
                          {.optimizer = lamina::adam({.learning_rate = 2e-3}), .loss = "mse", .seed = 7});
  lamina::Predictor follows(model), stopped(model);

  std::array<float, kWindow> past{};
  std::array<float, 1> guess{}, old_guess{};
  double error = 0, old_error = 0;  // over the last quarter
  for (int t = 0; t < kSteps; ++t) {
    const std::array<float, 1> next = {signal(t)};
    follows.refresh();  // the weights after the last step
    if (t == kSteps / 2) stopped.refresh();
    if (follows.predict(past, guess) != lamina::Status::ok) return 1;
    if (stopped.predict(past, old_guess) != lamina::Status::ok) return 1;
    if (t >= kSteps * 3 / 4) {
      error += std::pow(guess[0] - next[0], 2);
      old_error += std::pow(old_guess[0] - next[0], 2);
    }
    trainer.train_on_batch({past.data(), {1, kWindow}}, {next.data(), {1, 1}});
    for (std::size_t i = 0; i + 1 < kWindow; ++i) past[i] = past[i + 1];
    past[kWindow - 1] = next[0];
  }
  error = std::sqrt(4 * error / kSteps);
  old_error = std::sqrt(4 * old_error / kSteps);
  std::printf("root mean square error: %.3f learning, %.3f stopped halfway\n", error, old_error);
  return error < 0.5 * old_error ? 0 : 1;
}
