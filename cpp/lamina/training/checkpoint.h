// Checkpoints: a model file that also holds the optimizer, its numbers, counters and seed. Resuming from one
// equals never having stopped, bit for bit.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lamina/model/model_file.h"
#include "lamina/training/session.h"

namespace lamina {

// Finds such objects by type when a checkpoint is loaded; null when there is none.
struct CustomObjects {
  std::function<LossPtr(const std::string&)> loss;
  std::function<MetricPtr(const std::string&)> metric;
  std::function<SchedulePtr(const std::string&)> schedule;
};

// `metadata` and `tensors` are the caller's own, kept beside. FileError when the path can't be written.
void save_checkpoint(const TrainingSession& session, const std::map<std::string, std::string>& metadata,
                     const std::vector<ExtraTensor>& tensors, const std::string& path);

struct Checkpoint {
  std::unique_ptr<TrainingSession> session;
  std::map<std::string, std::string> metadata;
  std::vector<ExtraTensor> tensors;
};
// FormatError for a damaged file or a plain model, ArgumentError for a custom object that is not given.
Checkpoint load_checkpoint(const std::string& path, const CustomObjects& custom = {});

}  // namespace lamina
