// Loads a model and predicts: program MODEL [CALLS]. Says "begin" and "end" around the calls, for strace.
#include <lamina/model/model_file.h>
#include <lamina/model/predictor.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

namespace {

void say(const char* text, std::size_t length) {
  if (write(STDERR_FILENO, text, length) < 0) std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  try {
    const lamina::Model model = lamina::load_model(argv[1]);
    lamina::Predictor predictor(model, {.max_batch = 4});
    std::vector<float> input(4 * predictor.input_size(), 0.25F);
    std::vector<float> output(4 * predictor.output_size());
    const int calls = argc > 2 ? std::atoi(argv[2]) : 1;
    bool right = true;
    say("begin\n", 6);
    for (int call = 0; call < calls; ++call) {
      const std::size_t rows = static_cast<std::size_t>(call % 4) + 1;
      right =
          right && predictor.predict({input.data(), rows * predictor.input_size()},
                                     {output.data(), rows * predictor.output_size()}) == lamina::Status::ok;
      // What doesn't fit costs nothing either.
      right = right && predictor.predict({input.data(), 1}, output) == lamina::Status::wrong_input_size;
    }
    say("end\n", 4);
    for (std::size_t i = 0; i < predictor.output_size(); ++i)
      std::printf("%.9g\n", static_cast<double>(output[i]));
    return right ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
