// What an optimizer is: a rule, and the numbers it computes for each step. The numbers a parameter needs
// (slots) are flat buffers owned by the training session; the rule runs as one fused pass of the kernel table
// over ranges of the flat parameters.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lamina/core/config.h"
#include "lamina/core/operations.h"
#include "lamina/schedules/schedule.h"

namespace lamina {

// What all optimizers share, as in Keras. Options structs hold these members by these names.
//   LearningRate learning_rate; std::optional<double> weight_decay, clipnorm, clipvalue, global_clipnorm;
//   bool use_ema = false; double ema_momentum = 0.99; std::optional<std::int64_t>
//   gradient_accumulation_steps;
struct OptimizerCommon {
  LearningRate learning_rate;
  std::optional<double> weight_decay;     // decoupled: w -= learning_rate * weight_decay * w, before the step
  std::optional<double> clipnorm;         // each parameter's gradient by its norm
  std::optional<double> clipvalue;        // each element
  std::optional<double> global_clipnorm;  // all gradients by their joint norm
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::int64_t accumulation_steps = 1;
};

class Optimizer : public Describable {
 public:
  static const Registry<Optimizer>& registry();

  virtual OptimizerCommon common() const = 0;
  virtual void set_learning_rate(LearningRate rate) = 0;  // checked
  virtual OptimizerKind kind() const = 0;
  // Names of the slots in the order of OptimizerPass::slots ("velocity", "m", ...); "" for a slot that is not
  // used.
  virtual std::vector<std::string> slots() const = 0;
  virtual float initial_slot_value() const { return 0.0F; }
  // Fills the rule's constants (learning_rate, betas, epsilon, c0.. , nesterov) for the update number `step`
  // (0 first) at rate `learning_rate`, from float64. `memory` holds memory_size() doubles that live across
  // steps (Nadam's product of momenta), all 1 at first; saved with checkpoints.
  virtual void constants(std::int64_t step, double learning_rate, std::span<double> memory,
                         OptimizerPass& pass) const = 0;
  virtual std::size_t memory_size() const { return 0; }
};

using OptimizerPtr = std::shared_ptr<Optimizer>;

// Fills the parts of a pass that every rule shares, for the update number `step` (0 first) at rate
// `learning_rate`: weight_decay (times the rate), clip_value (infinite unless set) and ema_momentum (0 at the
// first update, so that the average begins at the weights, as in Keras).
void common_constants(const OptimizerCommon& common, std::int64_t step, double learning_rate,
                      OptimizerPass& pass);

}  // namespace lamina
