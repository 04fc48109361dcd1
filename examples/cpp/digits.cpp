// Learns handwritten digits from a CSV file: 64 pixels from 0 to 16 a line, and the digit. Every fifth line
// is kept for testing.
//
//   example_digits digits.csv model.safetensors
#include <lamina/lamina.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>

namespace {

constexpr std::size_t kPixels = 64;

struct Digits {
  std::vector<std::uint8_t> pixels;  // (rows, 64)
  std::vector<int> labels;           // (rows,)
};

void read(const char* path, Digits& training, Digits& test) {
  std::ifstream file(path);
  if (!file) throw lamina::FileError(std::string("File '") + path + "': can't be read.");
  std::string line, cell;
  for (std::size_t number = 0; std::getline(file, line); ++number) {
    Digits& digits = number % 5 == 4 ? test : training;
    std::istringstream cells(line);
    for (std::size_t i = 0; i < kPixels && std::getline(cells, cell, ','); ++i)
      digits.pixels.push_back(static_cast<std::uint8_t>(std::stoi(cell)));
    std::getline(cells, cell);
    digits.labels.push_back(std::stoi(cell));
  }
}

lamina::ArrayView images(const Digits& digits) {
  return {digits.pixels.data(), {digits.labels.size(), kPixels}};
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 3) {
    std::fprintf(stderr, "usage: example_digits digits.csv model.safetensors\n");
    return 2;
  }
  Digits training, test;
  read(arguments[1], training, test);
  lamina::Model model = lamina::sequential(
      {lamina::rescaling(1.0 / 16), lamina::dense(64, "relu"), lamina::dense(10, "softmax")});
  lamina::Trainer trainer(model, {.optimizer = lamina::adam({.learning_rate = 3e-3}),
                                  .loss = "sparse_categorical_crossentropy",
                                  .metrics = {"accuracy"},
                                  .seed = 7});
  trainer.fit(images(training), training.labels, {.epochs = 20, .batch_size = 32});
  std::printf("test accuracy %.3f\n", trainer.evaluate(images(test), test.labels).at("accuracy"));
  lamina::save_model(model, arguments[2]);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
