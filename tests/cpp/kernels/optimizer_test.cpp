// The optimizers' rules against the same formulas in float64.
#include <string>

#include "testing.h"

namespace lamina::kernels::testing {
namespace {

struct State {
  double w, slot[3], ema;
};

double sign(double x) {
  return x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : 0.0);
}

// kernels.h, word by word. `has` says which slots there are.
void reference(OptimizerKind kind, const OptimizerPass& pass, const bool (&has)[3], double g, State& s) {
  const auto of = [](float x) { return static_cast<double>(x); };
  const double lr = of(pass.learning_rate), beta1 = of(pass.beta1), beta2 = of(pass.beta2),
               epsilon = of(pass.epsilon);
  const double rest1 = of(pass.one_minus_beta1), rest2 = of(pass.one_minus_beta2);
  const double c0 = of(pass.c0), c1 = of(pass.c1), c2 = of(pass.c2);
  g = of(pass.gradient_scale) * g + of(pass.l1) * sign(s.w) + 2.0 * of(pass.l2) * s.w;
  g = std::clamp(g, -of(pass.clip_value), of(pass.clip_value));
  s.w -= of(pass.weight_decay) * s.w;
  double* slot = s.slot;
  switch (kind) {
    case OptimizerKind::sgd:
      if (!has[0]) {
        s.w -= lr * g;
        break;
      }
      slot[0] = beta1 * slot[0] + c0 * g;
      s.w -= lr * (pass.nesterov ? beta1 * slot[0] + c0 * g : slot[0]);
      break;
    case OptimizerKind::rmsprop: {
      slot[0] = beta2 * slot[0] + rest2 * g * g;
      slot[2] = beta2 * slot[2] + rest2 * g;
      const double increment = lr * g / std::sqrt(slot[0] - (has[2] ? slot[2] * slot[2] : 0.0) + epsilon);
      slot[1] = beta1 * slot[1] + increment;
      s.w -= has[1] ? slot[1] : increment;
      break;
    }
    case OptimizerKind::adam:
      slot[0] += (g - slot[0]) * rest1;
      slot[1] += (g * g - slot[1]) * rest2;
      slot[2] = std::max(slot[2], slot[1]);
      s.w -= c0 * slot[0] / (std::sqrt(has[2] ? slot[2] : slot[1]) + epsilon);
      break;
    case OptimizerKind::adamax:
      slot[0] += (g - slot[0]) * rest1;
      slot[1] = std::max(beta2 * slot[1], std::abs(g));
      s.w -= c0 * slot[0] / (slot[1] + epsilon);
      break;
    case OptimizerKind::nadam:
      slot[0] += (g - slot[0]) * rest1;
      slot[1] += (g * g - slot[1]) * rest2;
      s.w -= (c0 * slot[0] + c1 * g) / (std::sqrt(slot[1] * c2) + epsilon);
      break;
    case OptimizerKind::adagrad:
      slot[0] += g * g;
      s.w -= lr * g / std::sqrt(slot[0] + epsilon);
      break;
    case OptimizerKind::lion:
      s.w -= lr * sign(beta1 * slot[0] + rest1 * g);
      slot[0] = beta2 * slot[0] + rest2 * g;
      break;
  }
  s.ema = of(pass.ema_momentum) * s.ema + (1.0 - of(pass.ema_momentum)) * s.w;
}

struct Case {
  std::string name;
  OptimizerKind kind;
  bool has[3];
  bool nesterov;
};

const Case kCases[] = {
    {"sgd", OptimizerKind::sgd, {false, false, false}, false},
    {"sgd with momentum", OptimizerKind::sgd, {true, false, false}, false},
    {"sgd with nesterov", OptimizerKind::sgd, {true, false, false}, true},
    {"rmsprop", OptimizerKind::rmsprop, {true, false, false}, false},
    {"rmsprop with momentum", OptimizerKind::rmsprop, {true, true, false}, false},
    {"rmsprop centered", OptimizerKind::rmsprop, {true, true, true}, false},
    {"adam", OptimizerKind::adam, {true, true, false}, false},
    {"amsgrad", OptimizerKind::adam, {true, true, true}, false},
    {"adamax", OptimizerKind::adamax, {true, true, false}, false},
    {"nadam", OptimizerKind::nadam, {true, true, false}, false},
    {"adagrad", OptimizerKind::adagrad, {true, false, false}, false},
    {"lion", OptimizerKind::lion, {true, false, false}, false},
};

// Parameters, gradients and slots of one test, guarded.
struct Arrays {
  Arrays(std::size_t n, std::uint64_t seed) {
    Numbers numbers(seed);
    for (Guarded<>* array : {&w, &gradient, &slots[0], &slots[1], &slots[2], &ema}) {
      *array = Guarded<>(numbers.floats(n));
    }
    // Second moments are positive, and larger than the square of the average gradient.
    for (std::size_t i = 0; i < n; ++i) {
      slots[1][i] = std::abs(slots[1][i]) + 0.1F;
      if (n > 2) w[2] = 0.0F;
    }
  }
  bool intact() const {
    return w.intact() && gradient.intact() && slots[0].intact() && slots[1].intact() && slots[2].intact() &&
           ema.intact();
  }
  Guarded<> w{0}, gradient{0}, slots[3] = {Guarded<>(0), Guarded<>(0), Guarded<>(0)}, ema{0};
};

OptimizerPass pass_of(const Case& test, Arrays& arrays, std::size_t n, bool extras) {
  OptimizerPass pass = {};
  pass.w = arrays.w.data();
  pass.gradient = arrays.gradient.data();
  for (std::size_t i = 0; i < 3; ++i) pass.slots[i] = test.has[i] ? arrays.slots[i].data() : nullptr;
  pass.n = n;
  pass.gradient_scale = extras ? 0.7F : 1.0F;
  pass.clip_value = extras ? 0.6F : kInf;
  pass.l1 = extras ? 0.01F : 0.0F;
  pass.l2 = extras ? 0.02F : 0.0F;
  pass.weight_decay = extras ? 0.001F : 0.0F;
  pass.ema = extras ? arrays.ema.data() : nullptr;
  pass.ema_momentum = 0.9F;
  pass.learning_rate = 0.1F;
  pass.beta1 = 0.9F;
  pass.one_minus_beta1 = 0.1F;
  pass.beta2 = 0.99F;
  pass.one_minus_beta2 = 0.01F;
  pass.epsilon = 1e-3F;
  pass.c0 = 0.11F;
  pass.c1 = 0.05F;
  pass.c2 = 1.5F;
  pass.nesterov = test.nesterov;
  return pass;
}

// Values are at most 2 and each passes through at most 8 roundings; the steps' quotients have denominators of
// at least 0.03 and numerators of at most 0.3, so errors grow by less than 10: 2 * 8 * 10 * 2^-24 = 1e-5.
constexpr double kTolerance = 1e-5;

void check_case(const TrainingTable& table, const Case& test, std::size_t n, bool extras) {
  Arrays arrays(n, n);
  if (test.kind == OptimizerKind::rmsprop) {
    for (std::size_t i = 0; i < n; ++i) arrays.slots[0][i] = std::abs(arrays.slots[0][i]) + 1.1F;
  }
  if (test.kind == OptimizerKind::adagrad) {
    for (std::size_t i = 0; i < n; ++i) arrays.slots[0][i] = std::abs(arrays.slots[0][i]);
  }
  const Arrays before = arrays;
  const OptimizerPass pass = pass_of(test, arrays, n, extras);
  table.optimizer(test.kind, pass);
  CHECK(arrays.intact());
  CHECK(same_bits(arrays.gradient.data(), before.gradient.data(), n));
  for (std::size_t i = 0; i < n; ++i) {
    State s = {static_cast<double>(before.w[i]), {}, static_cast<double>(before.ema[i])};
    for (std::size_t j = 0; j < 3; ++j) s.slot[j] = static_cast<double>(before.slots[j][i]);
    reference(test.kind, pass, test.has, static_cast<double>(before.gradient[i]), s);
    INFO(test.name << " " << std::string(table.name) << " element " << i << " of " << n);
    REQUIRE(distance(arrays.w[i], s.w) <= kTolerance);
    for (std::size_t j = 0; j < 3; ++j) {
      const double want = test.has[j] ? s.slot[j] : static_cast<double>(before.slots[j][i]);
      REQUIRE(distance(arrays.slots[j][i], want) <= kTolerance);
    }
    REQUIRE(distance(arrays.ema[i], extras ? s.ema : static_cast<double>(before.ema[i])) <= kTolerance);
  }
}

TEST_CASE("optimizers follow their rules at any size") {
  for (const TrainingTable* table : available_training_tables()) {
    for (const Case& test : kCases) {
      for (std::size_t n : sizes()) {
        check_case(*table, test, n, false);
        check_case(*table, test, n, true);
      }
    }
  }
}

TEST_CASE("rows of parameters move as each of them by itself would, and nothing between them does") {
  constexpr std::size_t kRows = 5, kRow = 61, kGradientRow = 47, kN = 37;
  for (const TrainingTable* table : available_training_tables()) {
    for (const Case& test : kCases) {
      for (const bool extras : {false, true}) {
        INFO(test.name << " " << std::string(table->name) << (extras ? " with all extras" : ""));
        Arrays together(kRows * kRow, 3);
        for (std::size_t i = 0; i < kRows * kRow; ++i) {
          together.slots[0][i] = std::abs(together.slots[0][i]) + 1.1F;  // for rmsprop and adagrad
        }
        Arrays apart = together;
        OptimizerPass pass = pass_of(test, together, kN, extras);
        pass.rows = kRows;
        pass.row = kRow;
        pass.gradient_row = kGradientRow;
        table->optimizer(test.kind, pass);
        for (std::size_t r = 0; r < kRows; ++r) {
          OptimizerPass one = pass_of(test, apart, kN, extras);
          one.w += r * kRow;
          one.gradient += r * kGradientRow;
          for (float*& slot : one.slots) {
            if (slot != nullptr) slot += r * kRow;
          }
          if (one.ema != nullptr) one.ema += r * kRow;
          table->optimizer(test.kind, one);
        }
        CHECK(same_bits(together.w.data(), apart.w.data(), kRows * kRow));
        CHECK(same_bits(together.ema.data(), apart.ema.data(), kRows * kRow));
        for (std::size_t i = 0; i < 3; ++i) {
          CHECK(same_bits(together.slots[i].data(), apart.slots[i].data(), kRows * kRow));
        }
        CHECK(together.intact());
      }
    }
  }
}

TEST_CASE("regularize adds the derivative of l1 sum |w| + l2 sum w^2") {
  Numbers numbers(8);
  for (const TrainingTable* table : available_training_tables()) {
    for (std::size_t n : sizes()) {
      std::vector<float> w = numbers.floats(n);
      if (n > 2) w[2] = 0.0F;
      const std::vector<float> g = numbers.floats(n);
      Guarded<> result(g);
      table->regularize(w.data(), result.data(), n, 0.5F, 0.1F, 0.25F);
      CHECK(result.intact());
      for (std::size_t i = 0; i < n; ++i) {
        const double want = 0.5 * static_cast<double>(g[i]) +
                            static_cast<double>(0.1F) * sign(static_cast<double>(w[i])) +
                            0.5 * static_cast<double>(w[i]);
        REQUIRE(distance(result[i], want) <= 4 * 0x1p-24);  // three roundings of terms below 1.1
      }
    }
  }
}

}  // namespace
}  // namespace lamina::kernels::testing
