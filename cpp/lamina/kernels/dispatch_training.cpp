// Apart from dispatch.cpp, so that what calls table() alone doesn't link the training kernels.
#include <cstddef>

#include "lamina/kernels/cpu_features.h"
#include "lamina/kernels/dispatch.h"
#include "lamina/kernels/few_columns.h"

namespace lamina::kernels {

namespace {

const TrainingTable& table_like(const Table& table) {
  const std::vector<const Table*> tables = available_tables();
  std::size_t index = 0;
  while (tables[index] != &table) ++index;
  return *available_training_tables()[index];
}

}  // namespace

const TrainingTable& training_table() {
  static const TrainingTable chosen = [] {
    TrainingTable result = table_like(table());
    result.matmul_few_columns = matmul_few_columns;
    return result;
  }();
  return chosen;
}

std::vector<const TrainingTable*> available_training_tables() {
  std::vector<const TrainingTable*> tables = {baseline_training_table()};
#if defined(__x86_64__)
  const CpuFeatures features = cpu_features();
  if (features.avx2) tables.push_back(avx2_training_table());
  if (features.avx512) tables.push_back(avx512_training_table());
#endif
  return tables;
}

}  // namespace lamina::kernels
