/* lamina's C interface: load a model, predict, train, save. C99 and newer, C++, and anything that calls C.
 *
 * Every function that can fail returns a lamina_status; lamina_last_error() then says what happened in one
 * sentence. On failure nothing has changed and results are left as they were. No exception leaves a function.
 * Sizes count floats and rows, not bytes; arrays are row-major, one row a sample. Handles are freed by the
 * destroy function of their kind, which takes NULL, too. A predictor or trainer keeps what it needs of its
 * model, so handles may be destroyed in any order.
 *
 * Threads: a handle serves one call at a time, except that any number of threads may read a model (sizes,
 * predict, save, making predictors) that no thread writes (training, loading weights). */
#ifndef LAMINA_C_API_H
#define LAMINA_C_API_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a function did, or why it could not. */
typedef enum lamina_status {
  LAMINA_OK = 0,
  LAMINA_ERROR = 1,          /**< anything else, such as memory that ran out */
  LAMINA_SHAPE_ERROR = 2,    /**< an array has another shape than expected */
  LAMINA_ARGUMENT_ERROR = 3, /**< an argument or name that is not allowed, such as a null pointer */
  LAMINA_DTYPE_ERROR = 4,    /**< numbers of a type that is not supported there */
  LAMINA_DATA_ERROR = 5,     /**< NaN, infinity, or a label that is out of range */
  LAMINA_STATE_ERROR = 6,    /**< the object is not in the state for it */
  LAMINA_FORMAT_ERROR = 7,   /**< a file is damaged, or is not one of lamina's */
  LAMINA_FILE_ERROR = 8      /**< a file can't be read or written */
} lamina_status;

/** The type of the numbers in an array. */
typedef enum lamina_dtype {
  LAMINA_BOOL = 0,
  LAMINA_UINT8 = 1,
  LAMINA_INT8 = 2,
  LAMINA_UINT16 = 3,
  LAMINA_INT16 = 4,
  LAMINA_UINT32 = 5,
  LAMINA_INT32 = 6,
  LAMINA_UINT64 = 7,
  LAMINA_INT64 = 8,
  LAMINA_FLOAT16 = 9,
  LAMINA_FLOAT32 = 10,
  LAMINA_FLOAT64 = 11
} lamina_dtype;

/** Rows of the caller's numbers, contiguous; read in place and not kept. */
typedef struct lamina_array {
  const void* data;
  lamina_dtype dtype;
  size_t rows;
  size_t row_size; /**< numbers in a row; 1 for class labels */
} lamina_array;

typedef struct lamina_model lamina_model;         /**< layers and weights */
typedef struct lamina_predictor lamina_predictor; /**< predicts with a snapshot of a model's weights */
typedef struct lamina_trainer lamina_trainer;     /**< a model with its optimizer and loss */

/** lamina's version, such as "0.1.0". */
const char* lamina_version(void);

/** The instruction set in use: "baseline", "avx2" or "avx512"; the best of this CPU, or what the environment
 * variable LAMINA_ISA names. LAMINA_ARGUMENT_ERROR where that one is unknown or not there. */
lamina_status lamina_isa(const char** name);

/** The message of the last failure on this thread, "" before the first. Valid until the next failure. */
const char* lamina_last_error(void);

/** How many threads the library may use, the caller's included: 1 to 256. */
lamina_status lamina_set_num_threads(size_t threads);

/* ---- models */

/** Reads what lamina_model_save(), C++'s save_model() or Python's model.save() wrote. */
lamina_status lamina_model_load(const char* path, lamina_model** model);

/** Makes a chain of layers from JSON, as files hold them:
 * `[{"class_name": "Input", "config": {"shape": [2]}}, {"class_name": "Dense", "config": {"units": 3}}]`.
 * Arguments that are left out have their defaults. The first layer must be an Input. */
lamina_status lamina_model_create(const char* layers_json, uint64_t seed, lamina_model** model);

/** Writes architecture and weights, whole or not at all. */
lamina_status lamina_model_save(const lamina_model* model, const char* path);

/** Numbers in a row of inputs and of outputs; 0 for a null pointer. */
size_t lamina_model_input_size(const lamina_model* model);
size_t lamina_model_output_size(const lamina_model* model);

/** Predicts any number of rows, on several threads where that pays. `output` has room for
 * rows * lamina_model_output_size() floats. */
lamina_status lamina_model_predict(const lamina_model* model, lamina_array input, float* output);

void lamina_model_destroy(lamina_model* model);

/* ---- predictors: every allocation happens at creation */

/** Takes a snapshot of the weights, for calls of at most `max_batch` rows. One predictor a thread. */
lamina_status lamina_predictor_create(const lamina_model* model, size_t max_batch,
                                      lamina_predictor** predictor);

/** Predicts `input_size` / lamina_model_input_size() rows without allocation, lock or system call.
 * LAMINA_SHAPE_ERROR unless both sizes are of the same whole number of rows, 1 to max_batch; then `output` is
 * untouched. */
lamina_status lamina_predictor_predict(lamina_predictor* predictor, const float* input, size_t input_size,
                                       float* output, size_t output_size);

/** Takes the snapshot again, after the model was trained. */
lamina_status lamina_predictor_refresh(lamina_predictor* predictor);

void lamina_predictor_destroy(lamina_predictor* predictor);

/* ---- training */

/** A trainer of `model`, which it changes as it trains. `optimizer` and `loss` are names ("adam",
 * "sparse_categorical_crossentropy") or JSON: `{"class_name": "SGD", "config": {"learning_rate": 0.1}}`. */
lamina_status lamina_trainer_create(const lamina_model* model, const char* optimizer, const char* loss,
                                    uint64_t seed, lamina_trainer** trainer);

/** Reads a checkpoint: what lamina_trainer_save(), C++'s or Python's Trainer wrote. Goes on bit for bit. */
lamina_status lamina_trainer_load(const char* path, lamina_trainer** trainer);
lamina_status lamina_trainer_save(const lamina_trainer* trainer, const char* path);

/** One step of the optimizer on one batch. `loss`, if not null, receives the mean loss of the batch. */
lamina_status lamina_trainer_step(lamina_trainer* trainer, lamina_array x, lamina_array y, double* loss);

/** `epochs` passes over all rows, shuffled, in batches. `loss`, if not null, receives that of the last pass.
 */
lamina_status lamina_trainer_fit(lamina_trainer* trainer, lamina_array x, lamina_array y, int64_t epochs,
                                 size_t batch_size, double* loss);

/** The mean loss over all rows; changes nothing. */
lamina_status lamina_trainer_evaluate(lamina_trainer* trainer, lamina_array x, lamina_array y, double* loss);

/** Another handle of the model that is being trained. */
lamina_status lamina_trainer_model(lamina_trainer* trainer, lamina_model** model);

void lamina_trainer_destroy(lamina_trainer* trainer);

#ifdef __cplusplus
}
#endif

#endif
