#include "custom.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "arrays.h"

namespace lamina::python {
namespace {

// A Python object that C++ owns: dropped under the GIL, wherever that happens.
class Callable {
 public:
  explicit Callable(py::object function) : function_(std::move(function)) {}
  ~Callable() {
    if (Py_IsInitialized() == 0) {
      function_.release();
      return;
    }
    const py::gil_scoped_acquire gil;
    function_ = py::object();
  }
  Callable(const Callable&) = delete;
  Callable& operator=(const Callable&) = delete;

  template <class... Args>
  py::object operator()(Args&&... args) const {
    return function_(std::forward<Args>(args)...);
  }

 private:
  py::object function_;
};

template <class Base>
class Custom : public Base {
 public:
  Custom(py::object function, std::string name) : function_(std::move(function)), name_(std::move(name)) {}
  std::string type() const override { return kCustomPrefix + name_; }
  Config config() const override { return {type(), {}}; }

 protected:
  Callable function_;
  std::string name_;
};

class CustomLoss final : public Custom<Loss> {
 public:
  CustomLoss(py::object function, std::string name, std::string reduction)
      : Custom(std::move(function), std::move(name)), reduction_(std::move(reduction)) {}

  TargetKind target_kind() const override { return TargetKind::any; }
  std::string_view reduction() const override { return reduction_; }
  std::size_t scratch(std::size_t, std::size_t) const override { return 0; }

  LossValue evaluate(const LossBatch& batch, float scale, const LossOutputs& outputs, float*,
                     Executor&) const override {
    const py::gil_scoped_acquire gil;
    const std::size_t samples = batch.prediction_shape->elements() == 0
                                    ? 0
                                    : batch.rows * batch.columns / batch.prediction_shape->elements();
    const Shape shape = batch.prediction_shape->with_batch(samples);
    const Shape target_shape = batch.target_shape->with_batch(samples);
    const py::object y_true = copy_of(std::span(batch.target, target_shape.elements()), target_shape);
    const py::object y_pred = copy_of(std::span(batch.prediction, shape.elements()), shape);
    const py::object result = function_(y_true, y_pred);
    if (!py::isinstance<py::tuple>(result) || py::len(result) != 2) {
      throw ArgumentError("Loss '" + name_ +
                          "': expected value_and_gradient to return (value, gradient), got " +
                          py::str(py::type::of(result)).cast<std::string>() + ".");
    }
    const FloatArray values = as_float(result[py::int_(0)]);
    const FloatArray gradient = as_float(result[py::int_(1)]);
    if (!(gradient.shape == shape)) {
      throw ShapeError("Loss '" + name_ + "': expected a gradient of shape " + shape.str() + ", got " +
                       gradient.shape.str() + ".");
    }
    return values.shape.rank() == 0 ? from_mean(batch, values, gradient, scale, outputs)
                                    : from_samples(batch, values, gradient, samples, scale, outputs);
  }

 private:
  // One number for the batch: its mean, whose gradient already holds 1 / rows.
  LossValue from_mean(const LossBatch& batch, const FloatArray& value, const FloatArray& gradient,
                      float scale, const LossOutputs& outputs) const {
    if (batch.weights != nullptr) {
      throw ArgumentError("Loss '" + name_ +
                          "': expected one value for each sample, (n,), to weigh them, got a single number.");
    }
    const double weight = weight_of(batch.rows, nullptr);
    if (outputs.d_prediction != nullptr) {
      const float factor = scale * static_cast<float>(weight);
      for (std::size_t i = 0; i < batch.rows * batch.columns; ++i)
        outputs.d_prediction[i] = factor * gradient.data[i];
    }
    if (outputs.row_losses != nullptr) std::fill_n(outputs.row_losses, batch.rows, value.data[0]);
    return {static_cast<double>(value.data[0]) * weight, weight};
  }

  LossValue from_samples(const LossBatch& batch, const FloatArray& values, const FloatArray& gradient,
                         std::size_t samples, float scale, const LossOutputs& outputs) const {
    const std::size_t count = values.shape.elements();
    if (count != samples && count != batch.rows) {
      throw ShapeError("Loss '" + name_ + "': expected a number or one value for each sample, (" +
                       std::to_string(samples) + ",), got " + values.shape.str() + ".");
    }
    // Values of whole samples are shared by their rows.
    const std::size_t rows_per_value = batch.rows / std::max<std::size_t>(1, count);
    LossValue total;
    for (std::size_t row = 0; row < batch.rows; ++row) {
      const float weight = batch.weights != nullptr ? batch.weights[row] : 1.0F;
      const float value = values.data[row / rows_per_value];
      if (row % rows_per_value == 0) total.sum += static_cast<double>(weight) * static_cast<double>(value);
      if (outputs.row_losses != nullptr) outputs.row_losses[row] = value;
      if (outputs.d_prediction == nullptr) continue;
      const float factor = scale * weight * static_cast<float>(rows_per_value);
      for (std::size_t i = row * batch.columns; i < (row + 1) * batch.columns; ++i) {
        outputs.d_prediction[i] = factor * gradient.data[i];
      }
    }
    total.sum *= static_cast<double>(rows_per_value);
    total.weight = weight_of(batch.rows, batch.weights);
    return total;
  }

  std::string reduction_;
};

class CustomMetric final : public Custom<Metric> {
 public:
  using Custom::Custom;
  std::string name() const override { return name_; }
  void reset(std::size_t, TargetKind) override { sum_ = count_ = 0; }

  void update(const MetricBatch& batch) override {
    const py::gil_scoped_acquire gil;
    const Shape shape{batch.rows, batch.columns};
    const py::object y_pred = copy_of(std::span(batch.prediction, shape.elements()), shape);
    py::object y_true;
    if (batch.labels != nullptr) {
      y_true = copy_of(std::span(batch.labels, batch.rows), Shape{batch.rows});
    } else {
      const Shape target = batch.target_shape != nullptr ? batch.target_shape->with_batch(batch.rows) : shape;
      y_true = copy_of(std::span(batch.target, target.elements()), target);
    }
    const FloatArray values = as_float(function_(y_true, y_pred));
    const std::size_t count = values.shape.elements();
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += static_cast<double>(values.data[i]);
    if (values.shape.rank() == 0) {
      sum_ += sum * static_cast<double>(batch.rows);
      count_ += static_cast<double>(batch.rows);
    } else {
      sum_ += sum;
      count_ += static_cast<double>(count);
    }
  }

  double result() const override {
    return count_ == 0 ? std::numeric_limits<double>::quiet_NaN() : sum_ / count_;
  }

 private:
  double sum_ = 0;
  double count_ = 0;
};

class CustomSchedule final : public Custom<Schedule> {
 public:
  using Custom::Custom;
  double rate(std::int64_t step) const override {
    const py::gil_scoped_acquire gil;
    const double rate = py::float_(function_(step)).cast<double>();
    if (!(rate >= 0) || !std::isfinite(rate)) {
      throw ArgumentError("Schedule '" + name_ + "': expected a rate that is finite and not negative, got " +
                          format_number(rate) + " at step " + std::to_string(step) + ".");
    }
    return rate;
  }
};

}  // namespace

std::shared_ptr<Loss> custom_loss(py::object function, std::string name, std::string reduction) {
  return std::make_shared<CustomLoss>(std::move(function), std::move(name), std::move(reduction));
}
std::shared_ptr<Metric> custom_metric(py::object function, std::string name) {
  return std::make_shared<CustomMetric>(std::move(function), std::move(name));
}
std::shared_ptr<Schedule> custom_schedule(py::object function, std::string name) {
  return std::make_shared<CustomSchedule>(std::move(function), std::move(name));
}

}  // namespace lamina::python
