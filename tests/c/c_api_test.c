/* The C interface from C11: makes, trains, saves, loads and predicts "exclusive or"; every failure has a
 * status and a sentence. Prints the first check that fails. Takes a folder to write to. */
#include <lamina/c_api.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                                  \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      printf("line %d: %s; last error: %s\n", __LINE__, #condition, lamina_last_error()); \
      return 1;                                                                           \
    }                                                                                     \
  } while (0)

static const char* const kLayers =
    "[{\"class_name\": \"Input\", \"config\": {\"shape\": [2]}},"
    " {\"class_name\": \"Dense\", \"config\": {\"units\": 16, \"activation\": \"tanh\"}},"
    " {\"class_name\": \"Dense\", \"config\": {\"units\": 2, \"activation\": \"softmax\"}}]";

static const float kX[8] = {0, 0, 0, 1, 1, 0, 1, 1};
static const int32_t kY[4] = {0, 1, 1, 0};

static lamina_array x_rows(void) {
  lamina_array array = {kX, LAMINA_FLOAT32, 4, 2};
  return array;
}
static lamina_array y_rows(void) {
  lamina_array array = {kY, LAMINA_INT32, 4, 1};
  return array;
}

static int trains_saves_and_goes_on(const char* model_path, const char* run_path) {
  lamina_model *model = NULL, *loaded = NULL, *trained = NULL;
  lamina_trainer *trainer = NULL, *resumed = NULL;
  double loss = 0, again = 0;
  float output[8], expected[8];
  CHECK(lamina_model_create(kLayers, 7, &model) == LAMINA_OK);
  CHECK(lamina_model_input_size(model) == 2 && lamina_model_output_size(model) == 2);
  CHECK(lamina_trainer_create(model, "{\"class_name\": \"Adam\", \"config\": {\"learning_rate\": 0.05}}",
                              "sparse_categorical_crossentropy", 7, &trainer) == LAMINA_OK);
  CHECK(lamina_trainer_fit(trainer, x_rows(), y_rows(), 200, 4, &loss) == LAMINA_OK);
  CHECK(loss < 0.05);
  CHECK(lamina_trainer_evaluate(trainer, x_rows(), y_rows(), &again) == LAMINA_OK);
  CHECK(again <= loss);
  CHECK(lamina_trainer_save(trainer, run_path) == LAMINA_OK);
  CHECK(lamina_trainer_load(run_path, &resumed) == LAMINA_OK);
  CHECK(lamina_trainer_step(trainer, x_rows(), y_rows(), &loss) == LAMINA_OK);
  CHECK(lamina_trainer_step(resumed, x_rows(), y_rows(), &again) == LAMINA_OK);
  CHECK(loss == again);
  CHECK(lamina_trainer_model(resumed, &trained) == LAMINA_OK);
  CHECK(lamina_model_save(trained, model_path) == LAMINA_OK);
  CHECK(lamina_model_predict(model, x_rows(), expected) == LAMINA_OK);
  lamina_trainer_destroy(trainer);
  lamina_trainer_destroy(resumed);
  lamina_model_destroy(trained);
  lamina_model_destroy(model);
  CHECK(lamina_model_load(model_path, &loaded) == LAMINA_OK);
  CHECK(lamina_model_predict(loaded, x_rows(), output) == LAMINA_OK);
  CHECK(memcmp(output, expected, sizeof output) == 0);
  for (int row = 0; row < 4; ++row) CHECK(output[2 * row + kY[row]] > 0.9f);
  lamina_model_destroy(loaded);
  return 0;
}

static int predicts_row_by_row(const char* model_path) {
  lamina_model* model = NULL;
  lamina_predictor* predictor = NULL;
  float whole[8], row[2] = {-1, -1};
  CHECK(lamina_model_load(model_path, &model) == LAMINA_OK);
  CHECK(lamina_predictor_create(model, 1, &predictor) == LAMINA_OK);
  CHECK(lamina_model_predict(model, x_rows(), whole) == LAMINA_OK);
  lamina_model_destroy(model); /* the predictor keeps what it needs */
  CHECK(lamina_predictor_predict(predictor, kX, 3, row, 2) == LAMINA_SHAPE_ERROR);
  CHECK(lamina_predictor_predict(predictor, kX, 4, row, 4) == LAMINA_SHAPE_ERROR);
  CHECK(lamina_predictor_predict(predictor, kX, 2, row, 1) == LAMINA_SHAPE_ERROR);
  CHECK(row[0] == -1 && row[1] == -1);
  for (int i = 0; i < 4; ++i) {
    CHECK(lamina_predictor_predict(predictor, kX + 2 * i, 2, row, 2) == LAMINA_OK);
    CHECK(memcmp(row, whole + 2 * i, sizeof row) == 0);
  }
  CHECK(lamina_predictor_refresh(predictor) == LAMINA_OK);
  lamina_predictor_destroy(predictor);
  return 0;
}

static int failures_say_why(const char* model_path) {
  lamina_model* model = NULL;
  lamina_predictor* predictor = NULL;
  lamina_trainer* trainer = NULL;
  const float bad[8] = {0, 0, 0, NAN, 1, 0, 1, 1};
  const int32_t labels[4] = {0, 1, 2, 0};
  lamina_array array = {NULL, LAMINA_FLOAT32, 4, 2};
  double loss = -1;
  float output[8];
  CHECK(lamina_model_load("/no/such/file", &model) == LAMINA_FILE_ERROR && model == NULL);
  CHECK(strstr(lamina_last_error(), "/no/such/file") != NULL);
  CHECK(lamina_model_load(NULL, &model) == LAMINA_ARGUMENT_ERROR);
  CHECK(strcmp(lamina_last_error(), "lamina_model_load: expected a path, got a null pointer.") == 0);
  CHECK(lamina_model_create("[", 0, &model) == LAMINA_FORMAT_ERROR);
  CHECK(lamina_model_create("{}", 0, &model) == LAMINA_ARGUMENT_ERROR);
  CHECK(lamina_model_create("[{\"class_name\": \"Dance\", \"config\": {}}]", 0, &model) ==
        LAMINA_ARGUMENT_ERROR);
  CHECK(lamina_model_create("[{\"class_name\": \"Dense\", \"config\": {\"units\": 1}}]", 0, &model) ==
        LAMINA_ARGUMENT_ERROR);
  CHECK(model == NULL);
  CHECK(lamina_model_load(model_path, &model) == LAMINA_OK);
  CHECK(lamina_model_predict(model, array, output) == LAMINA_ARGUMENT_ERROR);
  array.data = kX;
  array.row_size = 1;
  CHECK(lamina_model_predict(model, array, output) == LAMINA_SHAPE_ERROR);
  array.dtype = (lamina_dtype)77;
  CHECK(lamina_model_predict(model, array, output) == LAMINA_DTYPE_ERROR);
  CHECK(lamina_predictor_create(model, 0, &predictor) == LAMINA_ARGUMENT_ERROR && predictor == NULL);
  CHECK(lamina_trainer_create(model, "adan", "mse", 0, &trainer) == LAMINA_ARGUMENT_ERROR);
  CHECK(strstr(lamina_last_error(), "adam") != NULL); /* the nearest one that there is */
  CHECK(lamina_trainer_create(model, "sgd", "sparse_categorical_crossentropy", 0, &trainer) == LAMINA_OK);
  array = x_rows();
  array.data = bad;
  CHECK(lamina_trainer_step(trainer, array, y_rows(), &loss) == LAMINA_DATA_ERROR);
  array = y_rows();
  array.data = labels;
  CHECK(lamina_trainer_step(trainer, x_rows(), array, &loss) == LAMINA_DATA_ERROR);
  CHECK(loss == -1);
  CHECK(lamina_model_save(model, "/no/such/folder/m.safetensors") == LAMINA_FILE_ERROR);
  CHECK(lamina_set_num_threads(0) == LAMINA_ARGUMENT_ERROR);
  lamina_trainer_destroy(trainer);
  lamina_model_destroy(model);
  lamina_model_destroy(NULL);
  lamina_predictor_destroy(NULL);
  lamina_trainer_destroy(NULL);
  return 0;
}

int main(int count, char** arguments) {
  char model_path[512], run_path[512];
  const char* isa = "";
  if (count != 2) return 2;
  snprintf(model_path, sizeof model_path, "%s/model.safetensors", arguments[1]);
  snprintf(run_path, sizeof run_path, "%s/run.safetensors", arguments[1]);
  CHECK(lamina_isa(&isa) == LAMINA_OK && strlen(isa) > 0);
  CHECK(strchr(lamina_version(), '.') != NULL);
  return trains_saves_and_goes_on(model_path, run_path) || predicts_row_by_row(model_path) ||
         failures_say_why(model_path);
}
