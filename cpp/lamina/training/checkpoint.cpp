#include "lamina/training/checkpoint.h"

#include <charconv>

#include "lamina/core/error.h"

namespace lamina {
namespace {

constexpr const char* kTraining = "lamina.training";
constexpr const char* kOwnTensors = "optimizer/";

// What the caller did wrong; all else that is wrong while a checkpoint is read is the file's fault.
class MissingCustomObject final : public ArgumentError {
 public:
  using ArgumentError::ArgumentError;
};

bool is_custom(const std::string& type) {
  return type.rfind(kCustomPrefix, 0) == 0;
}

template <class Pointer>
Pointer find_custom(const std::function<Pointer(const std::string&)>& find, const std::string& type,
                    const char* kind) {
  Pointer object = find ? find(type) : nullptr;
  if (object == nullptr) {
    throw MissingCustomObject("Checkpoint: expected the custom " + std::string(kind) + " '" +
                              type.substr(std::string(kCustomPrefix).size()) +
                              "' in custom_objects, got none.");
  }
  return object;
}

Value describe(const TrainingSession& session, const TrainingSession::State& state) {
  Value::List heads;
  for (const HeadOptions& head : session.options().heads) {
    Value::List metrics;
    for (const MetricPtr& metric : head.metrics) metrics.push_back(metric->config());
    for (const std::string& name : head.metric_names) metrics.push_back(name);
    heads.push_back(Config{"", {{"loss", head.loss->config()}, {"metrics", metrics}}});
  }
  Value::List memory;
  for (const double number : state.optimizer_memory) memory.push_back(number);
  return Config{"",
                {{"version", 1},
                 {"optimizer", session.options().optimizer->config()},
                 {"heads", heads},
                 {"seed", std::to_string(state.seed)},
                 {"step", state.step},
                 {"updates", state.updates},
                 {"accumulated_batches", state.accumulated_batches},
                 {"accumulated_weight", state.accumulated_weight},
                 {"optimizer_memory", memory}}};
}

const Value& field(const Value& object, const char* name) {
  const Value* found = object.object() != nullptr ? object.object()->find(name) : nullptr;
  if (found == nullptr)
    throw FormatError(std::string("Checkpoint: expected the field '") + name + "', got none.");
  return *found;
}

const Config& object_of(const Value& value) {
  if (value.object() == nullptr)
    throw FormatError("Checkpoint: expected an object, got " + value.str() + ".");
  return *value.object();
}

// A schedule of the program's own can't be made from its description: it is put in afterwards.
OptimizerPtr read_optimizer(const Value& value, const CustomObjects& custom) {
  Config config = object_of(value);
  SchedulePtr schedule;
  for (auto& [name, rate] : config.fields) {
    if (name != "learning_rate" || rate.object() == nullptr || !is_custom(rate.object()->type)) continue;
    schedule = find_custom(custom.schedule, rate.object()->type, "schedule");
    rate = Value(0.0);
  }
  OptimizerPtr optimizer = Optimizer::registry().make(config);
  if (schedule) optimizer->set_learning_rate(schedule);
  return optimizer;
}

HeadOptions read_head(const Value& value, const CustomObjects& custom) {
  HeadOptions head;
  const Config& loss = object_of(field(value, "loss"));
  head.loss = is_custom(loss.type) ? find_custom(custom.loss, loss.type, "loss")
                                   : LossPtr(Loss::registry().make(loss));
  if (field(value, "metrics").list() == nullptr) throw FormatError("Checkpoint: expected a list of metrics.");
  for (const Value& metric : *field(value, "metrics").list()) {
    if (metric.text() != nullptr) {
      head.metric_names.push_back(*metric.text());
      continue;
    }
    const Config& config = object_of(metric);
    head.metrics.push_back(is_custom(config.type) ? find_custom(custom.metric, config.type, "metric")
                                                  : Metric::registry().make(config));
  }
  return head;
}

TrainingSession::State read_state(const Value& root) {
  TrainingSession::State state;
  const std::string seed = FieldType<std::string>::from(field(root, "seed"));
  const auto parsed = std::from_chars(seed.data(), seed.data() + seed.size(), state.seed);
  if (parsed.ec != std::errc{} || parsed.ptr != seed.data() + seed.size()) {
    throw FormatError("Checkpoint: expected the seed as a number, got '" + seed + "'.");
  }
  state.step = FieldType<std::int64_t>::from(field(root, "step"));
  state.updates = FieldType<std::int64_t>::from(field(root, "updates"));
  state.accumulated_batches = FieldType<std::int64_t>::from(field(root, "accumulated_batches"));
  state.accumulated_weight = FieldType<double>::from(field(root, "accumulated_weight"));
  state.optimizer_memory = FieldType<std::vector<double>>::from(field(root, "optimizer_memory"));
  return state;
}

Checkpoint read_checkpoint(FileContents contents, const std::string& training, const CustomObjects& custom) {
  const Value root = from_json(training);
  if (!(field(root, "version") == Value(1)))
    throw FormatError("Checkpoint: expected version 1; a newer lamina reads it.");
  SessionOptions options;
  options.optimizer = read_optimizer(field(root, "optimizer"), custom);
  if (field(root, "heads").list() == nullptr) throw FormatError("Checkpoint: expected a list of heads.");
  for (const Value& head : *field(root, "heads").list()) options.heads.push_back(read_head(head, custom));

  TrainingSession::State state = read_state(root);
  options.seed = state.seed;
  Checkpoint checkpoint;
  for (ExtraTensor& tensor : contents.tensors) {
    if (tensor.name.rfind(kOwnTensors, 0) == 0) {
      state.tensors[tensor.name] = std::move(tensor.values);
    } else {
      checkpoint.tensors.push_back(std::move(tensor));
    }
  }
  checkpoint.session = std::make_unique<TrainingSession>(contents.model, std::move(options));
  checkpoint.session->restore(std::move(state));
  contents.metadata.erase(kTraining);
  checkpoint.metadata = std::move(contents.metadata);
  return checkpoint;
}

}  // namespace

void save_checkpoint(const TrainingSession& session, const std::map<std::string, std::string>& metadata,
                     const std::vector<ExtraTensor>& tensors, const std::string& path) {
  std::map<std::string, std::string> all = metadata;
  TrainingSession::State state = session.state();
  all[kTraining] = to_json(describe(session, state));
  std::vector<ExtraTensor> list;
  for (auto& [name, values] : state.tensors) {
    const Shape shape{values.size()};
    list.push_back({name, shape, std::move(values)});
  }
  list.insert(list.end(), tensors.begin(), tensors.end());
  save_file(session.model(), all, list, path);
}

Checkpoint load_checkpoint(const std::string& path, const CustomObjects& custom) {
  FileContents contents = load_file(path);
  const auto training = contents.metadata.find(kTraining);
  if (training == contents.metadata.end()) {
    throw FormatError("File '" + path +
                      "': expected a checkpoint that a Trainer saved, got a model; load_model reads it.");
  }
  const std::string text = training->second;
  try {
    return read_checkpoint(std::move(contents), text, custom);
  } catch (const MissingCustomObject&) {
    throw;
  } catch (const FormatError&) {
    throw;
  } catch (const Error& error) {
    throw FormatError("File '" + path + "': " + error.what());
  }
}

}  // namespace lamina
