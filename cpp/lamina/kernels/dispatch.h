// Picks the kernel tables for this CPU, once, at first use. LAMINA_ISA=baseline|avx2|avx512 overrides the
// choice.
#pragma once

#include <string>
#include <vector>

#include "lamina/kernels/kernels.h"

namespace lamina::kernels {

// The table in use. ArgumentError when LAMINA_ISA names an unknown ISA, or one that this CPU lacks.
const Table& table();

// The other table for the same instruction set. Calls of this link all kernels: what programs that only
// predict contain, too, is handed the table instead.
const TrainingTable& training_table();

// Every table that this build has and this CPU can run, baseline first. For tests and benchmarks.
std::vector<const Table*> available_tables();
std::vector<const TrainingTable*> available_training_tables();  // in the same order

}  // namespace lamina::kernels
