/* lamina from C: makes a small network, trains it on "exclusive or" and predicts. */
#include <lamina/c_api.h>
#include <stdio.h>

static const char* const kLayers =
    "[{\"class_name\": \"Input\", \"config\": {\"shape\": [2]}},"
    " {\"class_name\": \"Dense\", \"config\": {\"units\": 16, \"activation\": \"tanh\"}},"
    " {\"class_name\": \"Dense\", \"config\": {\"units\": 1, \"activation\": \"sigmoid\"}}]";
static const char* const kAdam = "{\"class_name\": \"Adam\", \"config\": {\"learning_rate\": 0.05}}";

static int fail(void) {
  fprintf(stderr, "%s\n", lamina_last_error());
  return 1;
}

int main(void) {
  const float x[8] = {0, 0, 0, 1, 1, 0, 1, 1};
  const float y[4] = {0, 1, 1, 0};
  const lamina_array inputs = {x, LAMINA_FLOAT32, 4, 2};
  const lamina_array targets = {y, LAMINA_FLOAT32, 4, 1};
  lamina_model* model = NULL;
  lamina_trainer* trainer = NULL;
  float output[4];
  int wrong = 0;

  if (lamina_model_create(kLayers, 7, &model) != LAMINA_OK) return fail();
  if (lamina_trainer_create(model, kAdam, "binary_crossentropy", 7, &trainer) != LAMINA_OK) return fail();
  for (int step = 0; step < 200; ++step) {
    if (lamina_trainer_step(trainer, inputs, targets, NULL) != LAMINA_OK) return fail();
  }
  if (lamina_model_predict(model, inputs, output) != LAMINA_OK) return fail();
  for (int row = 0; row < 4; ++row) {
    printf("%.0f xor %.0f = %.2f\n", x[2 * row], x[2 * row + 1], output[row]);
    wrong += (output[row] > 0.5f) != (y[row] > 0.5f);
  }
  lamina_trainer_destroy(trainer);
  lamina_model_destroy(model);
  return wrong;
}
