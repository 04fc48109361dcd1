// The caller's arrays: what fits a model, and how batches are read from them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lamina/core/config.h"
#include "lamina/core/tensor.h"
#include "lamina/core/thread_pool.h"
#include "lamina/losses/loss.h"

namespace lamina {

// Inputs, targets and weights of the same number of rows; nothing is copied. One array for each input and
// output of the model.
struct Dataset {
  std::vector<ArrayView> inputs;
  std::vector<ArrayView> targets;
  std::vector<ArrayView> weights;  // (rows,) each, or empty for all 1
  // Check for NaN and infinity row by row as batches are gathered, not beforehand (memory maps, streams).
  bool check_as_gathered = false;

  std::size_t rows() const { return inputs.empty() ? 0 : inputs[0].rows(); }
};

// What the model and its losses expect of one target.
struct TargetSpec {
  Shape prediction;  // shape of the output, without the batch
  TargetKind kind = TargetKind::values;
  std::string loss;                           // type of the loss, for messages
  std::string sibling;                        // the loss that takes the other kind of targets, or ""
  std::optional<std::int64_t> ignored_label;  // allowed besides [0, classes)
};

// Throws ShapeError unless the array holds rows of this shape. (n,) is taken for (n, 1).
void check_input(const ArrayView& array, const Shape& expected, const char* what);

// Throws ShapeError, DTypeError or DataError unless the arrays fit; with `scan` also reads all values once
// (finite, labels in range). Changes nothing.
void check_inputs(const Dataset& data, std::span<const Shape> expected, bool scan);
void check_targets(const Dataset& data, std::span<const TargetSpec> expected, bool scan);

// Copies rows `indices` (or first .. first + count where indices is null) as float32 into `out`. With `check`
// a NaN or an infinity is a DataError that names `what` and the row, as is an index out of range, always.
struct RowSelection {
  const std::size_t* indices = nullptr;
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t operator[](std::size_t i) const { return indices != nullptr ? indices[i] : first + i; }
};
void gather(const ArrayView& array, const RowSelection& rows, float* out, bool check, const char* what,
            Executor& executor);
// As above for class indices. A label outside [0, classes) is a DataError, always: another thread may write
// to the array.
void gather_labels(const ArrayView& array, const RowSelection& rows, const TargetSpec& spec,
                   std::int32_t* out);

}  // namespace lamina
