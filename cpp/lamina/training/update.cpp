#include "lamina/training/update.h"

#include <algorithm>
#include <cmath>

#include "lamina/kernels/dispatch.h"

namespace lamina {
namespace {

// Threads share a pass out in chunks of this many parameters.
constexpr std::size_t kChunk = std::size_t{1} << 15;
// A pass over fewer takes less time than waking a thread that sleeps is worth.
constexpr std::size_t kWorthSharing = std::size_t{1} << 17;
// Smaller parameters take part in the one pass over all of them: there is nothing to save, they are in the
// cache anyway.
constexpr std::size_t kWorthFusing = std::size_t{1} << 15;

float l1_of(const Parameter& parameter) {
  return parameter.regularizer ? static_cast<float>(parameter.regularizer->l1()) : 0.0F;
}
float l2_of(const Parameter& parameter) {
  return parameter.regularizer ? static_cast<float>(parameter.regularizer->l2()) : 0.0F;
}

bool moves(const Graph& graph, const Parameter& parameter) {
  return graph.layers[parameter.layer].trainable;
}

}  // namespace

void add_penalties(const Graph& graph, float* gradient, double scale) {
  const auto factor = static_cast<float>(scale);
  for (const Parameter& parameter : graph.parameters) {
    if (!parameter.regularizer || !moves(graph, parameter)) continue;
    kernels::training_table().regularize(graph.parameter_values.data() + parameter.offset,
                                         gradient + parameter.offset, parameter.size, 1.0F,
                                         factor * l1_of(parameter), factor * l2_of(parameter));
  }
}

namespace {

Update::Numbers initial_numbers(const Graph& graph, const Optimizer& optimizer) {
  Update::Numbers numbers;
  numbers.gradient = Buffer(graph.parameter_count);
  for (const std::string& name : optimizer.slots()) {
    Buffer& slot = numbers.slots.emplace_back(name.empty() ? 0 : graph.parameter_count);
    std::fill_n(slot.data(), slot.size(), optimizer.initial_slot_value());
  }
  // Layers that never move keep their weights in the average.
  if (optimizer.common().use_ema) numbers.ema = graph.parameter_values.clone();
  return numbers;
}

}  // namespace

Update::Update(const Graph& graph, Optimizer& optimizer)
    : Update(graph, optimizer, initial_numbers(graph, optimizer)) {}

Update::Update(const Graph& graph, Optimizer& optimizer, Numbers numbers)
    : optimizer_(&optimizer),
      gradient_(std::move(numbers.gradient)),
      slots_(std::move(numbers.slots)),
      ema_(std::move(numbers.ema)),
      memory_(optimizer.memory_size(), 1.0),
      updates_(graph.parameters.size()) {}

// Calls function(range) for all that moves and has not moved already, in order; neighbours that are treated
// alike are one range.
template <class F>
void Update::for_each_range(const Graph& graph, const F& function) const {
  Range range;
  for (std::size_t index = 0; index < graph.parameters.size(); ++index) {
    const Parameter& parameter = graph.parameters[index];
    if (!moves(graph, parameter) || updates_[index].done || parameter.size == 0) continue;
    const float l1 = penalty_scale_ * l1_of(parameter);
    const float l2 = penalty_scale_ * l2_of(parameter);
    if (range.size > 0 && range.offset + range.size == parameter.offset && range.l1 == l1 && range.l2 == l2) {
      range.size += parameter.size;
      continue;
    }
    if (range.size > 0) function(range);
    range = {parameter.offset, parameter.size, l1, l2};
  }
  if (range.size > 0) function(range);
}

void Update::begin(const Graph& graph, double penalty_scale) {
  common_ = optimizer_->common();
  penalty_scale_ = static_cast<float>(penalty_scale);
  by_norm_ = common_.clipnorm || common_.global_clipnorm;
  fuses_ = !by_norm_ && common_.accumulation_steps == 1;
  for (ParameterUpdate& update : updates_) update.done = false;
  if (accumulated_batches_ + 1 < common_.accumulation_steps) return;  // no update yet
  const double rate = common_.learning_rate.at(updates);
  common_constants(common_, updates, rate, pass_);
  optimizer_->constants(updates, rate, memory_, pass_);
  last_learning_rate = rate;
  if (!fuses_) return;
  for (std::size_t index = 0; index < updates_.size(); ++index) {
    const Parameter& parameter = graph.parameters[index];
    ParameterUpdate& update = updates_[index];
    update.allowed = moves(graph, parameter) && parameter.size >= kWorthFusing;
    if (!update.allowed) continue;
    update.kind = optimizer_->kind();
    update.pass = pass_at(graph, parameter.offset);
    update.pass.n = parameter.size;
    update.pass.gradient_scale = 1.0F;
    update.pass.l1 = penalty_scale_ * l1_of(parameter);
    update.pass.l2 = penalty_scale_ * l2_of(parameter);
  }
}

kernels::OptimizerPass Update::pass_at(const Graph& graph, std::size_t offset) const {
  kernels::OptimizerPass pass = pass_;
  pass.w = const_cast<float*>(graph.parameter_values.data()) + offset;
  pass.gradient = gradient_.data() + offset;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    pass.slots[slot] = slots_[slot].size() == 0 ? nullptr : const_cast<float*>(slots_[slot].data()) + offset;
  }
  pass.ema = ema_.size() == 0 ? nullptr : const_cast<float*>(ema_.data()) + offset;
  return pass;
}

bool Update::apply(Graph& graph, double weight, Executor& executor) {
  accumulated_weight_ += weight;
  ++accumulated_batches_;
  if (accumulated_batches_ < common_.accumulation_steps) return false;
  const double scale =
      common_.accumulation_steps > 1 && accumulated_weight_ > 0 ? 1.0 / accumulated_weight_ : 1.0;
  accumulated_batches_ = 0;
  accumulated_weight_ = 0;

  if (by_norm_) clip_by_norm(graph, scale);
  pass_.gradient_scale = by_norm_ ? 1.0F : static_cast<float>(scale);
  for_each_range(graph, [&](const Range& range) { run_range(graph, range, executor); });
  for (const Parameter& parameter : graph.parameters) {
    if (parameter.constraint && moves(graph, parameter)) {
      parameter.constraint->apply(parameter.shape, graph.parameter_values.data() + parameter.offset);
    }
  }
  ++updates;
  return true;
}

// Clipping by a norm needs the whole gradient, penalties included, before the first weight moves.
void Update::clip_by_norm(const Graph& graph, double scale) {
  const kernels::Table& kernel = kernels::table();
  const float* weights = graph.parameter_values.data();
  float* gradient = gradient_.data();
  for_each_range(graph, [&](const Range& range) {
    kernels::training_table().regularize(weights + range.offset, gradient + range.offset, range.size,
                                         static_cast<float>(scale), range.l1, range.l2);
  });
  double sum = 0;
  for (const Parameter& parameter : graph.parameters) {
    if (!moves(graph, parameter)) continue;
    float* own = gradient + parameter.offset;
    const double squares = kernel.sum_squares(own, parameter.size);
    sum += squares;
    if (!common_.clipnorm) continue;
    const double norm = std::sqrt(squares);
    if (norm > *common_.clipnorm) {
      kernel.affine(own, static_cast<float>(*common_.clipnorm / norm), 0.0F, own, parameter.size, false);
    }
  }
  if (!common_.global_clipnorm) return;
  const double norm = std::sqrt(sum);
  if (norm <= *common_.global_clipnorm) return;
  for_each_range(graph, [&](const Range& range) {
    float* own = gradient + range.offset;
    kernel.affine(own, static_cast<float>(*common_.global_clipnorm / norm), 0.0F, own, range.size, false);
  });
}

void Update::run_range(const Graph& graph, const Range& range, Executor& executor) const {
  const kernels::OptimizerKind kind = optimizer_->kind();
  const std::size_t chunk_size = range.size < kWorthSharing ? range.size : kChunk;
  executor.run((range.size + chunk_size - 1) / chunk_size, [&](std::size_t chunk) {
    const std::size_t first = chunk * chunk_size;
    kernels::OptimizerPass pass = pass_at(graph, range.offset + first);
    pass.n = std::min(chunk_size, range.size - first);
    pass.l1 = by_norm_ ? 0.0F : range.l1;
    pass.l2 = by_norm_ ? 0.0F : range.l2;
    kernels::training_table().optimizer(kind, pass);
  });
}

}  // namespace lamina
