// What every C++ program links, for comparison: a string, and an exception that is caught.
#include <cstdio>
#include <stdexcept>
#include <string>

int main(int argc, char** argv) {
  try {
    if (argc > 5) throw std::runtime_error(std::string("expected no arguments, got ") + argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    return 1;
  }
}
