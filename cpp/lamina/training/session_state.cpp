// What a checkpoint holds of a session, and how a session takes it back.
#include <algorithm>

#include "lamina/training/session_impl.h"

namespace lamina {

TrainingSession::State TrainingSession::state() const {
  State state;
  state.seed = seed_;
  state.step = impl_->step;
  state.optimizer_memory.assign(options_.optimizer->memory_size(), 1.0);
  if (!impl_->update) return state;
  Update& update = *impl_->update;
  state.updates = update.updates;
  state.accumulated_batches = update.accumulated_batches();
  state.accumulated_weight = update.accumulated_weight();
  state.optimizer_memory = update.optimizer_memory();
  const auto keep = [&](const std::string& name, const Buffer& buffer) {
    if (buffer.size() != 0)
      state.tensors["optimizer/" + name].assign(buffer.span().begin(), buffer.span().end());
  };
  const std::vector<std::string> names = update.slot_names();
  for (std::size_t i = 0; i < names.size(); ++i) keep(names[i], update.slot(i));
  keep("ema", update.ema());
  if (update.accumulated_batches() > 0) keep("accumulated_gradient", update.accumulated_gradient());
  return state;
}

// Takes one tensor at a time, and lets go of it, so that a checkpoint never stands in memory twice.
void TrainingSession::restore(State state) {
  Impl& impl = *impl_;
  const Busy guard(impl.busy);
  const Optimizer& optimizer = *options_.optimizer;
  const bool is_new = state.tensors.empty() && state.updates == 0 && state.accumulated_batches == 0;
  const auto take = [&](const std::string& name) {
    const std::size_t count = impl.graph.parameter_count;
    const auto found = state.tensors.find("optimizer/" + name);
    if (found == state.tensors.end() ? count > 0 : found->second.size() != count) {
      throw FormatError("Checkpoint: expected " + std::to_string(count) + " values of optimizer/" + name +
                        ", got " +
                        (found == state.tensors.end() ? "none" : std::to_string(found->second.size())) + ".");
    }
    Buffer buffer(count);
    if (found == state.tensors.end()) return buffer;
    std::copy(found->second.begin(), found->second.end(), buffer.data());
    state.tensors.erase(found);
    return buffer;
  };
  if (state.step < 0 || state.updates < 0 || state.accumulated_batches < 0 ||
      state.optimizer_memory.size() != optimizer.memory_size()) {
    throw FormatError("Checkpoint: expected the counters and numbers of " + optimizer.type() +
                      ", got others.");
  }
  std::unique_ptr<Update> fresh;
  if (is_new) {
    fresh = std::make_unique<Update>(impl.graph, *options_.optimizer);
  } else {
    Update::Numbers numbers;
    for (const std::string& name : optimizer.slots())
      numbers.slots.push_back(name.empty() ? Buffer() : take(name));
    if (optimizer.common().use_ema) numbers.ema = take("ema");
    numbers.gradient =
        state.accumulated_batches > 0 ? take("accumulated_gradient") : Buffer(impl.graph.parameter_count);
    fresh = std::make_unique<Update>(impl.graph, *options_.optimizer, std::move(numbers));
  }
  fresh->updates = state.updates;
  fresh->accumulated_batches() = state.accumulated_batches;
  fresh->accumulated_weight() = state.accumulated_weight;
  fresh->optimizer_memory() = state.optimizer_memory;
  fresh->last_learning_rate =
      optimizer.common().learning_rate.at(std::max<std::int64_t>(0, state.updates - 1));
  impl.update = std::move(fresh);
  impl.staged_state = Buffer(impl.graph.state_count);
  impl.step = state.step;
  seed_ = state.seed;
}

}  // namespace lamina
