#include "lamina/training/update.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lamina/kernels/dispatch.h"

namespace lamina {
namespace {

// Threads share a pass out in chunks of this many parameters.
constexpr std::size_t kChunk = std::size_t{1} << 15;

float l1_of(const Parameter& parameter) {
  return parameter.regularizer ? static_cast<float>(parameter.regularizer->l1()) : 0.0F;
}
float l2_of(const Parameter& parameter) {
  return parameter.regularizer ? static_cast<float>(parameter.regularizer->l2()) : 0.0F;
}

bool moves(const Graph& graph, const Parameter& parameter) { return graph.layers[parameter.layer].trainable; }

}  // namespace

std::vector<UpdateRange> update_ranges(const Graph& graph) {
  std::vector<UpdateRange> ranges;
  for (const Parameter& parameter : graph.parameters) {
    if (!moves(graph, parameter) || parameter.size == 0) continue;
    const UpdateRange range{parameter.offset, parameter.size, l1_of(parameter), l2_of(parameter)};
    if (!ranges.empty()) {
      UpdateRange& last = ranges.back();
      if (last.offset + last.size == range.offset && last.l1 == range.l1 && last.l2 == range.l2) {
        last.size += range.size;
        continue;
      }
    }
    ranges.push_back(range);
  }
  return ranges;
}

void add_penalties(const Graph& graph, const std::vector<UpdateRange>& ranges, float* gradient) {
  for (const UpdateRange& range : ranges) {
    if (range.l1 == 0.0F && range.l2 == 0.0F) continue;
    kernels::table().regularize(graph.parameter_values.data() + range.offset, gradient + range.offset, range.size, 1.0F,
                                range.l1, range.l2);
  }
}

Update::Update(const Graph& graph, Optimizer& optimizer)
    : optimizer_(&optimizer), gradient_(graph.parameter_count), ranges_(update_ranges(graph)) {
  for (const std::string& name : optimizer.slots()) {
    slots_.emplace_back(name.empty() ? 0 : graph.parameter_count);
    std::fill_n(slots_.back().data(), slots_.back().size(), optimizer.initial_slot_value());
  }
  if (optimizer.common().use_ema) {
    // Layers that never move keep their weights in the average.
    ema_ = graph.parameter_values.clone();
  }
  memory_.assign(optimizer.memory_size(), 1.0);
}

bool Update::apply(Graph& graph, double weight, Executor& executor) {
  const std::int64_t batches_per_update = optimizer_->common().accumulation_steps;
  accumulated_weight_ += weight;
  ++accumulated_batches_;
  if (accumulated_batches_ < batches_per_update) return false;
  const double scale = batches_per_update > 1 && accumulated_weight_ > 0 ? 1.0 / accumulated_weight_ : 1.0;
  accumulated_batches_ = 0;
  accumulated_weight_ = 0;
  update_weights(graph, scale, executor);
  return true;
}

// Clipping by a norm needs the whole gradient, penalties included, before the first weight moves.
void Update::clip_by_norm(Graph& graph, double scale, const OptimizerCommon& common) {
  const kernels::Table& kernel = kernels::table();
  const float* weights = graph.parameter_values.data();
  float* gradient = gradient_.data();
  for (const UpdateRange& range : ranges_) {
    kernel.regularize(weights + range.offset, gradient + range.offset, range.size, static_cast<float>(scale), range.l1, range.l2);
  }
  double sum = 0;
  for (const Parameter& parameter : graph.parameters) {
    if (!moves(graph, parameter)) continue;
    float* own = gradient + parameter.offset;
    const double squares = kernel.sum_squares(own, parameter.size);
    sum += squares;
    if (!common.clipnorm) continue;
    const double norm = std::sqrt(squares);
    if (norm > *common.clipnorm) {
      kernel.affine(own, static_cast<float>(*common.clipnorm / norm), 0.0F, own, parameter.size, false);
    }
  }
  if (!common.global_clipnorm) return;
  const double norm = std::sqrt(sum);
  if (norm <= *common.global_clipnorm) return;
  for (const UpdateRange& range : ranges_) {
    float* own = gradient + range.offset;
    kernel.affine(own, static_cast<float>(*common.global_clipnorm / norm), 0.0F, own, range.size, false);
  }
}

void Update::update_weights(Graph& graph, double scale, Executor& executor) {
  const kernels::Table& kernel = kernels::table();
  const OptimizerCommon common = optimizer_->common();
  const bool by_norm = common.clipnorm || common.global_clipnorm;
  if (by_norm) clip_by_norm(graph, scale, common);

  kernels::OptimizerPass pass{};
  last_learning_rate = common.learning_rate.at(updates);
  common_constants(common, updates, last_learning_rate, pass);
  optimizer_->constants(updates, last_learning_rate, memory_, pass);
  pass.gradient_scale = by_norm ? 1.0F : static_cast<float>(scale);
  const kernels::OptimizerKind kind = optimizer_->kind();
  for (const UpdateRange& range : ranges_) {
    const auto run_chunk = [&](std::size_t chunk) {
      const std::size_t first = range.offset + chunk * kChunk;
      kernels::OptimizerPass part = pass;
      part.n = std::min(kChunk, range.offset + range.size - first);
      part.l1 = by_norm ? 0.0F : range.l1;
      part.l2 = by_norm ? 0.0F : range.l2;
      part.w = graph.parameter_values.data() + first;
      part.gradient = gradient_.data() + first;
      for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
        part.slots[slot] = slots_[slot].size() == 0 ? nullptr : slots_[slot].data() + first;
      }
      part.ema = ema_.size() == 0 ? nullptr : ema_.data() + first;
      kernel.optimizer(kind, part);
    };
    executor.run((range.size + kChunk - 1) / kChunk, run_chunk);
  }
  for (const Parameter& parameter : graph.parameters) {
    if (parameter.constraint && moves(graph, parameter)) {
      parameter.constraint->apply(parameter.shape, graph.parameter_values.data() + parameter.offset);
    }
  }
  ++updates;
}

}  // namespace lamina
