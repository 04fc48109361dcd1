#include "lamina/kernels/dispatch.h"

#include <cstdlib>

#include "lamina/core/error.h"
#include "lamina/kernels/cpu_features.h"

namespace lamina::kernels {

namespace {

bool is_known(const std::string& isa) {
  return isa == "baseline" || isa == "avx2" || isa == "avx512";
}

const Table& chosen_table() {
  const std::vector<const Table*> tables = available_tables();
  const char* wanted = std::getenv("LAMINA_ISA");
  if (wanted == nullptr || *wanted == '\0') return *tables.back();
  std::string names;
  for (const Table* table : tables) {
    if (std::string(wanted) == table->name) return *table;
    names += (names.empty() ? "" : ", ") + std::string(table->name);
  }
  if (!is_known(wanted)) {
    throw ArgumentError("LAMINA_ISA: expected baseline, avx2 or avx512, got '" + std::string(wanted) + "'.");
  }
  throw ArgumentError("LAMINA_ISA: expected an instruction set that this CPU has (" + names + "), got '" +
                      std::string(wanted) + "'.");
}

}  // namespace

const Table& table() {
  static const Table& chosen = chosen_table();
  return chosen;
}

std::vector<const Table*> available_tables() {
  std::vector<const Table*> tables = {baseline_table()};
#if defined(__x86_64__)
  const CpuFeatures features = cpu_features();
  if (features.avx2) tables.push_back(avx2_table());
  if (features.avx512) tables.push_back(avx512_table());
#endif
  return tables;
}

}  // namespace lamina::kernels
