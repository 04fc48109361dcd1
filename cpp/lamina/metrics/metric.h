// What a metric is: a figure over an epoch that is updated batch by batch (streams), without weights, as
// Keras's `metrics=[...]` does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lamina/core/config.h"
#include "lamina/losses/loss.h"

namespace lamina {

struct MetricBatch {
  std::size_t rows = 0;
  std::size_t columns = 0;
  const float* prediction = nullptr;  // (rows, columns), after the last activation
  const float* target = nullptr;      // one of target (rows, columns) and labels (rows) is set
  const std::int32_t* labels = nullptr;
  // One sample of the target, without the batch, where a user's loss allows any shape; else null.
  const Shape* target_shape = nullptr;
};

// A metric holds its running sums itself; a session makes its own by registry().make().
class Metric : public Describable {
 public:
  static const Registry<Metric>& registry();

  virtual std::string name() const = 0;  // the key in the history
  // Forgets everything; also tells the number of columns to come and the kind of targets, so that update()
  // doesn't allocate. Throws ArgumentError where the metric doesn't fit.
  virtual void reset(std::size_t columns, TargetKind targets) = 0;
  virtual void update(const MetricBatch& batch) = 0;
  virtual double result() const = 0;  // over all since reset(); NaN after none
};

using MetricPtr = std::shared_ptr<Metric>;

// A metric from a name as users write it: "accuracy" and "acc" choose among binary, categorical and sparse by
// the targets and the shapes, as Keras does. ArgumentError for an unknown name, with the nearest known.
MetricPtr make_metric(const std::string& name, const Loss& loss, std::size_t columns, TargetKind targets);
inline MetricPtr make_metric(const std::string& name, const Loss& loss, std::size_t columns) {
  return make_metric(name, loss, columns, loss.target_kind());
}

}  // namespace lamina
