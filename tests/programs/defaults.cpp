// Prints what every factory of the C++ API makes when it is given no more than it must be: a line each, of
// the kind and the description as JSON. tests/python/test_cpp_programs.py compares it with Python's defaults.
#include <lamina/lamina.h>

#include <cstdio>
#include <string>

namespace {

void print(const char* kind, const lamina::Config& config) {
  std::printf("%s\t%s\n", kind, lamina::to_json(lamina::Value(config)).c_str());
}

template <class... Pointers>
void print_all(const char* kind, const Pointers&... objects) {
  (print(kind, objects->config()), ...);
}

}  // namespace

int main() {
  using namespace lamina;
  print_all("layer", input({3}), dense({.units = 3}), activation({.activation = "relu"}),
            dropout({.rate = 0.5}), batch_normalization(), layer_normalization(), flatten(), reshape({3}),
            rescaling({.scale = 0.5}), activity_regularization(), gaussian_noise({.stddev = 0.5}),
            leaky_relu(LeakyReLUOptions{}), elu(ELUOptions{}), softmax());
  print_all("layer", dense(3), activation("relu"), dropout(0.5), rescaling(0.5), gaussian_noise(0.5),
            leaky_relu(), elu());
  print_all("loss", categorical_crossentropy(), sparse_categorical_crossentropy(), binary_crossentropy(),
            negative_log_likelihood(), mean_squared_error(), mean_absolute_error(), huber(), log_cosh(),
            hinge(), squared_hinge(), kl_divergence(), poisson(), cosine_similarity(),
            binary_focal_crossentropy());
  print_all("optimizer", sgd(), rmsprop(), adam(), adamw(), adamax(), nadam(), adagrad(), lion());
  print_all("schedule",
            exponential_decay({.initial_learning_rate = 0.1, .decay_steps = 9, .decay_rate = 0.5}),
            piecewise_constant_decay({.boundaries = {5}, .values = {0.1, 0.2}}),
            polynomial_decay({.initial_learning_rate = 0.1, .decay_steps = 9}),
            cosine_decay({.initial_learning_rate = 0.1, .decay_steps = 9}),
            cosine_decay_restarts({.initial_learning_rate = 0.1, .first_decay_steps = 9}),
            inverse_time_decay({.initial_learning_rate = 0.1, .decay_steps = 9, .decay_rate = 0.5}),
            one_cycle({.maximal_learning_rate = 0.1, .total_steps = 9}));
  print_all("regularizer", l1(), l2(), l1_l2());
  print_all("constraint", max_norm(), non_neg(), unit_norm(), min_max_norm());
  print_all("initializer", glorot_uniform(), glorot_normal(), he_uniform(), he_normal(), lecun_uniform(),
            lecun_normal(), random_normal(), random_uniform(), truncated_normal(), orthogonal(), zeros(),
            ones(), constant(), identity());
  print_all("metric", metrics::binary_accuracy(), metrics::categorical_accuracy(),
            metrics::sparse_categorical_accuracy(), metrics::top_k_categorical_accuracy(),
            metrics::precision(), metrics::recall(), metrics::f1_score(), metrics::auc(),
            metrics::mean_squared_error(), metrics::mean_absolute_error(), metrics::root_mean_squared_error(),
            metrics::r2_score());
  // Of callbacks only what they are made of can be seen.
  const EarlyStoppingOptions stopping;
  print("callback", {"EarlyStopping",
                     {{"monitor", stopping.monitor},
                      {"min_delta", stopping.min_delta},
                      {"patience", stopping.patience},
                      {"mode", stopping.mode},
                      {"baseline", FieldType<std::optional<double>>::to(stopping.baseline)},
                      {"restore_best_weights", stopping.restore_best_weights},
                      {"start_from_epoch", stopping.start_from_epoch}}});
  const ModelCheckpointOptions saving;
  print(
      "callback",
      {"ModelCheckpoint",
       {{"monitor", saving.monitor},
        {"save_best_only", saving.save_best_only},
        {"save_weights_only", saving.save_weights_only},
        {"mode", saving.mode},
        {"initial_value_threshold", FieldType<std::optional<double>>::to(saving.initial_value_threshold)}}});
  const ReduceLROnPlateauOptions lowering;
  print("callback", {"ReduceLROnPlateau",
                     {{"monitor", lowering.monitor},
                      {"factor", lowering.factor},
                      {"patience", lowering.patience},
                      {"mode", lowering.mode},
                      {"min_delta", lowering.min_delta},
                      {"cooldown", lowering.cooldown},
                      {"min_lr", lowering.min_lr}}});
  const FitOptions fitting;
  print("fit", {"fit",
                {{"epochs", fitting.epochs},
                 {"batch_size", static_cast<std::int64_t>(fitting.batch_size)},
                 {"initial_epoch", fitting.initial_epoch},
                 {"shuffle", fitting.shuffle},
                 {"validation_split", fitting.validation_split},
                 {"validation_freq", fitting.validation_freq}}});
}
