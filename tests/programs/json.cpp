// Reads JSON, one document a line, and writes each again as lamina reads it, or "refused: ..." with the
// reason. tests/python/test_json.py compares that with Python's json.
#include <lamina/core/error.h>
#include <lamina/model/model_file.h>

#include <cstdio>
#include <string>

int main() {
  std::string line;
  for (int c = std::getchar(); c != EOF; c = std::getchar()) {
    if (c != '\n') {
      line += static_cast<char>(c);
      continue;
    }
    try {
      std::puts(lamina::to_json(lamina::from_json(line)).c_str());
    } catch (const lamina::Error& error) {
      std::printf("refused: %s\n", error.what());
    }
    line.clear();
  }
}
