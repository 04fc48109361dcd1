// Prediction with bounds: every allocation happens at construction; predict() takes no lock and makes no
// system call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "lamina/model/model.h"

namespace lamina {

// What predict() says instead of throwing.
enum class Status : std::uint8_t {
  ok,
  wrong_input_size,   // not a whole number of rows, none, or more than max_batch
  wrong_output_size,  // not room for exactly as many rows of predictions
};

struct PredictorOptions {
  std::size_t max_batch = 1;  // rows that predict() takes at most
};

// Predicts with a snapshot of a model's weights. One predictor a thread; any number of them may share a
// model.
class Predictor {
 public:
  // StateError for a model that is not built, ArgumentError for one with several inputs or outputs.
  explicit Predictor(const Model& model, PredictorOptions options = {});
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;

  std::size_t input_size() const noexcept;  // floats of a row
  std::size_t output_size() const noexcept;

  // `input` holds rows of input_size() floats, `output` receives as many rows of output_size(). Anything else
  // returns an error and touches nothing.
  Status predict(std::span<const float> input, std::span<float> output) noexcept;

  // Takes the snapshot again after the model changed. Must not run beside training.
  void refresh();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lamina
