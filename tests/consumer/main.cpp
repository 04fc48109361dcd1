#include <lamina/lamina.h>

#include <cstdio>

int main() {
  lamina::Model model =
      lamina::sequential({lamina::input({4}), lamina::dense(8, "relu"), lamina::dense(3, "softmax")});
  std::printf("%zu parameters\n", static_cast<std::size_t>(model.count_params()));
}
