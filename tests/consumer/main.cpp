#include <lamina/c_api.h>
#include <lamina/lamina.h>

#include <cstdio>
#include <exception>

int main() try {
  lamina::Model model =
      lamina::sequential({lamina::input({4}), lamina::dense(8, "relu"), lamina::dense(3, "softmax")}, 7);
  const std::vector<float> row = {1, 2, 3, 4};
  float sum = 0;
  for (const float p : model.predict({row.data(), {1, 4}})) sum += p;
  const char* isa = "";
  lamina_isa(&isa);
  std::printf("%zu parameters, sum %.3f, %s\n", static_cast<std::size_t>(model.count_params()),
              static_cast<double>(sum), isa);
} catch (const std::exception& error) {
  std::printf("%s\n", error.what());
  return 1;
}
