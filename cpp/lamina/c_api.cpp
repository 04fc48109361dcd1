// Models and predictors from C. Training stands in c_api_training.cpp, so that who only predicts links no
// optimizer.
#include "lamina/c_api.h"

#include <cstdio>
#include <memory>
#include <new>
#include <vector>

#include "lamina/c_api_handles.h"
#include "lamina/core/config.h"
#include "lamina/core/thread_pool.h"
#include "lamina/kernels/dispatch.h"
#include "lamina/model/model_file.h"
#include "lamina/model/predictor.h"

struct lamina_predictor {
  lamina::Predictor predictor;
};

namespace lamina::c_api {
namespace {

thread_local char last_error[1024] = "";

}  // namespace

lamina_status fail(lamina_status status, const char* message) noexcept {
  std::snprintf(last_error, sizeof last_error, "%s", message);
  return status;
}

lamina_status fail_with_current_exception() noexcept {
  try {
    throw;
  } catch (const ShapeError& error) {
    return fail(LAMINA_SHAPE_ERROR, error.what());
  } catch (const ArgumentError& error) {
    return fail(LAMINA_ARGUMENT_ERROR, error.what());
  } catch (const DTypeError& error) {
    return fail(LAMINA_DTYPE_ERROR, error.what());
  } catch (const DataError& error) {
    return fail(LAMINA_DATA_ERROR, error.what());
  } catch (const StateError& error) {
    return fail(LAMINA_STATE_ERROR, error.what());
  } catch (const FormatError& error) {
    return fail(LAMINA_FORMAT_ERROR, error.what());
  } catch (const FileError& error) {
    return fail(LAMINA_FILE_ERROR, error.what());
  } catch (const std::bad_alloc&) {
    return fail(LAMINA_ERROR, "lamina: expected enough memory, got none.");
  } catch (const std::exception& error) {
    return fail(LAMINA_ERROR, error.what());
  } catch (...) {
    return fail(LAMINA_ERROR, "lamina: an unknown error.");
  }
}

ArrayView view_of(const lamina_array& array, const Shape& row_shape, const char* function,
                  const char* argument) {
  if (array.rows != 0) expect(array.data, function, argument);
  if (array.dtype < LAMINA_BOOL || array.dtype > LAMINA_FLOAT64) {
    throw DTypeError(std::string(function) + ": expected " + argument + " of a lamina_dtype, got the type " +
                     std::to_string(static_cast<int>(array.dtype)) + ".");
  }
  const auto dtype = static_cast<DType>(array.dtype);
  const bool fits = row_shape.elements() == array.row_size;
  const Shape shape = fits ? row_shape.with_batch(array.rows) : Shape{array.rows, array.row_size};
  return {array.data, dtype, shape, static_cast<std::ptrdiff_t>(array.row_size * size_of(dtype))};
}

static_assert(static_cast<int>(DType::boolean) == LAMINA_BOOL &&
              static_cast<int>(DType::i32) == LAMINA_INT32);
static_assert(static_cast<int>(DType::f16) == LAMINA_FLOAT16 &&
              static_cast<int>(DType::f64) == LAMINA_FLOAT64);

}  // namespace lamina::c_api

using lamina::c_api::expect;
using lamina::c_api::guarded;

const char* lamina_version(void) {
  return LAMINA_VERSION;
}

lamina_status lamina_isa(const char** name) {
  return guarded([=] {
    expect(name, "lamina_isa", "a place for the name");
    *name = lamina::kernels::table().name;
  });
}

const char* lamina_last_error(void) {
  return lamina::c_api::last_error;
}

lamina_status lamina_set_num_threads(size_t threads) {
  return guarded([=] { lamina::set_num_threads(threads); });
}

// ---- models

lamina_status lamina_model_load(const char* path, lamina_model** model) {
  return guarded([=] {
    expect(path, "lamina_model_load", "a path");
    expect(model, "lamina_model_load", "a place for the model");
    *model = new lamina_model{lamina::load_model(path)};
  });
}

lamina_status lamina_model_create(const char* layers_json, uint64_t seed, lamina_model** model) {
  return guarded([=] {
    expect(layers_json, "lamina_model_create", "layers");
    expect(model, "lamina_model_create", "a place for the model");
    const lamina::Value value = lamina::from_json(layers_json);
    if (value.list() == nullptr) {
      throw lamina::ArgumentError("lamina_model_create: expected a list of layers, got " + value.str() + ".");
    }
    std::vector<lamina::LayerPtr> layers;
    for (const lamina::Value& layer : *value.list()) {
      if (layer.object() == nullptr) {
        throw lamina::ArgumentError(
            "lamina_model_create: expected each layer to have a class_name and a config, got " + layer.str() +
            ".");
      }
      layers.push_back(lamina::Layer::registry().make(*layer.object()));
    }
    lamina::Model made = lamina::sequential(std::move(layers), seed);
    if (!made.built()) {
      throw lamina::ArgumentError("lamina_model_create: expected an Input as the first layer, got none.");
    }
    made.flat_parameters();  // draws the weights
    *model = new lamina_model{std::move(made)};
  });
}

lamina_status lamina_model_save(const lamina_model* model, const char* path) {
  return guarded([=] {
    expect(model, "lamina_model_save", "a model");
    expect(path, "lamina_model_save", "a path");
    lamina::save_model(model->model, path);
  });
}

size_t lamina_model_input_size(const lamina_model* model) {
  return model == nullptr ? 0 : model->model.input_shape().elements();
}

size_t lamina_model_output_size(const lamina_model* model) {
  return model == nullptr ? 0 : model->model.output_shape().elements();
}

lamina_status lamina_model_predict(const lamina_model* model, lamina_array input, float* output) {
  return guarded([=] {
    expect(model, "lamina_model_predict", "a model");
    if (input.rows != 0) expect(output, "lamina_model_predict", "room for the output");
    const lamina::Shape shape = model->model.output_shape().with_batch(input.rows);
    model->model.predict(
        lamina::c_api::view_of(input, model->model.input_shape(), "lamina_model_predict", "an input"),
        {output, shape});
  });
}

void lamina_model_destroy(lamina_model* model) {
  delete model;
}

// ---- predictors

lamina_status lamina_predictor_create(const lamina_model* model, size_t max_batch,
                                      lamina_predictor** predictor) {
  return guarded([=] {
    expect(model, "lamina_predictor_create", "a model");
    expect(predictor, "lamina_predictor_create", "a place for the predictor");
    *predictor = new lamina_predictor{lamina::Predictor(model->model, {.max_batch = max_batch})};
  });
}

lamina_status lamina_predictor_predict(lamina_predictor* predictor, const float* input, size_t input_size,
                                       float* output, size_t output_size) {
  using lamina::c_api::fail;
  if (predictor == nullptr || input == nullptr || output == nullptr) {
    return fail(
        LAMINA_ARGUMENT_ERROR,
        "lamina_predictor_predict: expected a predictor, an input and an output, got a null pointer.");
  }
  switch (predictor->predictor.predict({input, input_size}, {output, output_size})) {
    case lamina::Status::ok:
      return LAMINA_OK;
    case lamina::Status::wrong_output_size:
      return fail(LAMINA_SHAPE_ERROR,
                  "lamina_predictor_predict: expected room for exactly as many rows as the input has.");
    default:
      return fail(LAMINA_SHAPE_ERROR,
                  "lamina_predictor_predict: expected 1 to max_batch whole rows of input.");
  }
}

lamina_status lamina_predictor_refresh(lamina_predictor* predictor) {
  return guarded([=] {
    expect(predictor, "lamina_predictor_refresh", "a predictor");
    predictor->predictor.refresh();
  });
}

void lamina_predictor_destroy(lamina_predictor* predictor) {
  delete predictor;
}
