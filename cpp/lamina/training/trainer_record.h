// What a Trainer keeps beside its session: epochs and their figures. In checkpoints it stands as Python
// writes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lamina/training/trainer.h"

namespace lamina {

struct Trainer::Record {
  struct Row {
    std::int64_t epoch = 0;
    EpochLogs logs;
  };
  std::int64_t epoch = 0;  // epochs done
  std::vector<Row> rows;

  History history(std::size_t first = 0) const;  // of rows[first], ...
  // JSON with NaN, Infinity and -Infinity, as Python's json has it.
  std::string to_text(const std::vector<std::string>& metrics) const;
  // FormatError for something else. The states of callbacks that Python keeps there are left out.
  static Record from_text(const std::string& text);
};

}  // namespace lamina
