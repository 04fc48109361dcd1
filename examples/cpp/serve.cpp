// Loads a model that Python saved and predicts one row at a time in a loop, as a controller or a game would;
// then prints how long predictions took.
//
//   example_serve model.safetensors [calls]
#include <lamina/lamina.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>

int main(int count, char** arguments) try {
  if (count < 2) {
    std::fprintf(stderr, "usage: example_serve model.safetensors [calls]\n");
    return 2;
  }
  const std::size_t calls = count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 100000;
  if (calls == 0) return 2;
  lamina::Predictor predictor(lamina::load_model(arguments[1]));  // all memory is taken here
  std::vector<float> sensor(predictor.input_size()), answer(predictor.output_size());
  std::vector<double> microseconds(calls);

  double sum = 0;
  for (std::size_t call = 0; call < calls; ++call) {
    for (std::size_t i = 0; i < sensor.size(); ++i)  // what a sensor would tell
      sensor[i] = std::sin(0.01F * static_cast<float>(call) + static_cast<float>(i));
    const auto start = std::chrono::steady_clock::now();
    if (predictor.predict(sensor, answer) != lamina::Status::ok) return 1;
    const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - start;
    microseconds[call] = taken.count();
    sum += static_cast<double>(answer[0]);
  }

  std::sort(microseconds.begin(), microseconds.end());
  std::printf("%zu predictions, mean of the first output %.6f\n", calls, sum / static_cast<double>(calls));
  for (const double percent : {50.0, 90.0, 99.0, 99.9}) {
    const auto at = static_cast<std::size_t>(percent / 100 * static_cast<double>(calls - 1));
    std::printf("p%-5g %8.2f us\n", percent, microseconds[at]);
  }
  std::printf("worst  %8.2f us\n", microseconds.back());
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
