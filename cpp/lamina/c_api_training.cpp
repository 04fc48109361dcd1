// Training from C, over the Trainer of C++.
#include <string>
#include <string_view>
#include <utility>

#include "lamina/c_api.h"
#include "lamina/c_api_handles.h"
#include "lamina/model/model_file.h"
#include "lamina/training/trainer.h"

struct lamina_trainer {
  lamina::Trainer trainer;
};

namespace lamina::c_api {
namespace {

// From a name ("adam") or from JSON.
template <class Base>
std::shared_ptr<Base> object_from(const char* text) {
  const std::string_view words(text);
  if (words.find('{') == std::string_view::npos) return Base::registry().make(words);
  const Value value = from_json(words);
  if (value.object() == nullptr) {
    throw ArgumentError("lamina_trainer_create: expected a name or an object of JSON, got " + value.str() +
                        ".");
  }
  return Base::registry().make(*value.object());
}

ArrayView inputs_of(Trainer& trainer, const lamina_array& x, const char* function) {
  return view_of(x, trainer.model().input_shape(), function, "x");
}

// Targets as the model's output, or one label for each of its vectors.
ArrayView targets_of(Trainer& trainer, const lamina_array& y, const char* function) {
  const Shape output = trainer.model().output_shape();
  const bool whole = output.rank() == 0 || output.elements() == y.row_size;
  return view_of(y, whole ? output : Shape(std::span(output.begin(), output.rank() - 1)), function, "y");
}

}  // namespace
}  // namespace lamina::c_api

using lamina::c_api::expect;
using lamina::c_api::guarded;
using lamina::c_api::inputs_of;
using lamina::c_api::object_from;
using lamina::c_api::targets_of;

lamina_status lamina_trainer_create(const lamina_model* model, const char* optimizer, const char* loss,
                                    uint64_t seed, lamina_trainer** trainer) {
  return guarded([=] {
    expect(model, "lamina_trainer_create", "a model");
    expect(optimizer, "lamina_trainer_create", "an optimizer");
    expect(loss, "lamina_trainer_create", "a loss");
    expect(trainer, "lamina_trainer_create", "a place for the trainer");
    lamina::TrainerOptions options;
    options.optimizer = object_from<lamina::Optimizer>(optimizer);
    options.loss = object_from<lamina::Loss>(loss);
    options.seed = seed;
    *trainer = new lamina_trainer{lamina::Trainer(model->model, std::move(options))};
  });
}

lamina_status lamina_trainer_load(const char* path, lamina_trainer** trainer) {
  return guarded([=] {
    expect(path, "lamina_trainer_load", "a path");
    expect(trainer, "lamina_trainer_load", "a place for the trainer");
    *trainer = new lamina_trainer{lamina::Trainer::load(path)};
  });
}

lamina_status lamina_trainer_save(const lamina_trainer* trainer, const char* path) {
  return guarded([=] {
    expect(trainer, "lamina_trainer_save", "a trainer");
    expect(path, "lamina_trainer_save", "a path");
    trainer->trainer.save(path);
  });
}

lamina_status lamina_trainer_step(lamina_trainer* trainer, lamina_array x, lamina_array y, double* loss) {
  return guarded([=] {
    constexpr const char* kFunction = "lamina_trainer_step";
    expect(trainer, kFunction, "a trainer");
    const double value = trainer->trainer.train_on_batch(inputs_of(trainer->trainer, x, kFunction),
                                                         targets_of(trainer->trainer, y, kFunction));
    if (loss != nullptr) *loss = value;
  });
}

lamina_status lamina_trainer_fit(lamina_trainer* trainer, lamina_array x, lamina_array y, int64_t epochs,
                                 size_t batch_size, double* loss) {
  return guarded([=] {
    constexpr const char* kFunction = "lamina_trainer_fit";
    expect(trainer, kFunction, "a trainer");
    lamina::FitOptions options;
    options.epochs = epochs;
    options.batch_size = batch_size;
    const lamina::History history = trainer->trainer.fit(inputs_of(trainer->trainer, x, kFunction),
                                                         targets_of(trainer->trainer, y, kFunction), options);
    if (loss != nullptr && epochs > 0) *loss = history.history.at("loss").back();
  });
}

lamina_status lamina_trainer_evaluate(lamina_trainer* trainer, lamina_array x, lamina_array y, double* loss) {
  return guarded([=] {
    constexpr const char* kFunction = "lamina_trainer_evaluate";
    expect(trainer, kFunction, "a trainer");
    expect(loss, kFunction, "a place for the loss");
    *loss =
        trainer->trainer
            .evaluate(inputs_of(trainer->trainer, x, kFunction), targets_of(trainer->trainer, y, kFunction))
            .at("loss");
  });
}

lamina_status lamina_trainer_model(lamina_trainer* trainer, lamina_model** model) {
  return guarded([=] {
    expect(trainer, "lamina_trainer_model", "a trainer");
    expect(model, "lamina_trainer_model", "a place for the model");
    *model = new lamina_model{trainer->trainer.model()};
  });
}

void lamina_trainer_destroy(lamina_trainer* trainer) {
  delete trainer;
}
