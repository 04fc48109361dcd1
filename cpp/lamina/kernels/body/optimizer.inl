// The optimizers' rules: one pass over parameters, gradients and slots. kernels.h states each rule.
#include "lamina/kernels/body/optimizer_pass.inl"

// What every rule shares, broadcast once.
struct OptimizerConstants {
  Floats learning_rate, beta1, one_minus_beta1, beta2, one_minus_beta2, epsilon, c0, c1, c2;
};

inline OptimizerConstants constants_of(const OptimizerPass& pass) {
  return {broadcast(pass.learning_rate),
          broadcast(pass.beta1),
          broadcast(pass.one_minus_beta1),
          broadcast(pass.beta2),
          broadcast(pass.one_minus_beta2),
          broadcast(pass.epsilon),
          broadcast(pass.c0),
          broadcast(pass.c1),
          broadcast(pass.c2)};
}

inline Floats regularized(Floats g, Floats w, float l1, float l2) {
  g = multiply_add(sign_of(w), l1, g);
  return multiply_add(w, 2.0F * l2, g);
}

// f(i, gradient, lanes) for all parameters i, of all rows.
template <class F>
inline void over_parameters(const OptimizerPass& pass, F&& f) {
  const float* gradient = pass.gradient;
  std::size_t begin = 0;
  for (std::size_t row = pass.rows; row > 0; --row, begin += pass.row, gradient += pass.gradient_row) {
    over_lanes(pass.n, [&](std::size_t i, auto lanes) { f(begin + i, gradient + i, lanes); });
  }
}

// The part before and after the rule; rule(i, lanes, w, g) gives the new w and updates the slots. The plain
// case has a loop of its own: asking each time for what isn't there takes as long as a simple rule.
template <class Rule>
inline void optimizer_pass(const OptimizerPass& pass, Rule&& rule) {
  if (is_plain(pass)) {
    over_parameters(pass, [&](std::size_t i, const float* gradient, auto lanes) {
      store(pass.w + i, rule(i, lanes, load(pass.w + i, lanes), load(gradient, lanes)), lanes);
    });
    return;
  }
  const bool regularize = pass.l1 != 0.0F || pass.l2 != 0.0F;
  const bool clip = pass.clip_value < kInfinity;
  over_parameters(pass, [&](std::size_t i, const float* gradient, auto lanes) {
    Floats w = load(pass.w + i, lanes);
    Floats g = load(gradient, lanes) * pass.gradient_scale;
    if (regularize) g = regularized(g, w, pass.l1, pass.l2);
    if (clip) g = at_most(at_least(g, -pass.clip_value), pass.clip_value);
    if (pass.weight_decay != 0.0F) w = multiply_add(w, -pass.weight_decay, w);
    w = rule(i, lanes, w, g);
    store(pass.w + i, w, lanes);
    if (pass.ema != nullptr) {
      const Floats old = load(pass.ema + i, lanes);
      store(pass.ema + i, multiply_add(old, pass.ema_momentum, w * (1.0F - pass.ema_momentum)), lanes);
    }
  });
}

void sgd_pass(const OptimizerPass& pass, const OptimizerConstants& c) {
  float* const velocities = pass.slots[0];
  const Floats down = -c.learning_rate;
  if (velocities == nullptr) {
    optimizer_pass(pass, [&](std::size_t, auto, Floats w, Floats g) { return multiply_add(g, down, w); });
    return;
  }
  optimizer_pass(pass, [&](std::size_t i, auto lanes, Floats w, Floats g) {
    const Floats scaled = c.c0 * g;
    const Floats velocity = multiply_add(load(velocities + i, lanes), c.beta1, scaled);
    store(velocities + i, velocity, lanes);
    const Floats step = pass.nesterov ? multiply_add(velocity, c.beta1, scaled) : velocity;
    return multiply_add(step, down, w);
  });
}

void rmsprop_pass(const OptimizerPass& pass, const OptimizerConstants& c) {
  float* velocities = pass.slots[0];
  float* momenta = pass.slots[1];
  float* averages = pass.slots[2];
  optimizer_pass(pass, [&](std::size_t i, auto lanes, Floats w, Floats g) {
    const Floats velocity = multiply_add(load(velocities + i, lanes), c.beta2, c.one_minus_beta2 * (g * g));
    store(velocities + i, velocity, lanes);
    Floats variance = velocity;
    if (averages != nullptr) {
      const Floats average = multiply_add(load(averages + i, lanes), c.beta2, c.one_minus_beta2 * g);
      store(averages + i, average, lanes);
      // Not below 0 through rounding: the square root must stay a number.
      variance = at_least(velocity - average * average, 0.0F);
    }
    Floats increment = c.learning_rate * g / square_root(variance + c.epsilon);
    if (momenta != nullptr) {
      increment = multiply_add(load(momenta + i, lanes), c.beta1, increment);
      store(momenta + i, increment, lanes);
    }
    return w - increment;
  });
}

// m += (g - m) * rate
template <class Lanes>
inline Floats move_towards(float* slot, Floats target, Floats rate, Lanes lanes) {
  const Floats old = load(slot, lanes);
  const Floats moved = multiply_add(target - old, rate, old);
  store(slot, moved, lanes);
  return moved;
}

void adam_pass(const OptimizerPass& pass, const OptimizerConstants& c) {
  float* const ms = pass.slots[0];
  float* const vs = pass.slots[1];
  float* const largest = pass.slots[2];
  if (largest == nullptr) {
    optimizer_pass(pass, [&](std::size_t i, auto lanes, Floats w, Floats g) {
      const Floats m = move_towards(ms + i, g, c.one_minus_beta1, lanes);
      const Floats v = move_towards(vs + i, g * g, c.one_minus_beta2, lanes);
      return w - divide_by_root(c.c0 * m, v, c.epsilon);
    });
    return;
  }
  optimizer_pass(pass, [&](std::size_t i, auto lanes, Floats w, Floats g) {
    const Floats m = move_towards(ms + i, g, c.one_minus_beta1, lanes);
    Floats v = move_towards(vs + i, g * g, c.one_minus_beta2, lanes);
    v = at_least(v, load(largest + i, lanes));
    store(largest + i, v, lanes);
    return w - divide_by_root(c.c0 * m, v, c.epsilon);
  });
}

void adamax_pass(const OptimizerPass& pass, const OptimizerConstants& c) {
  optimizer_pass(pass, [&](std::size_t i, auto lanes, Floats w, Floats g) {
    const Floats m = move_towards(pass.slots[0] + i, g, c.one_minus_beta1, lanes);
    const Floats u = at_least(magnitude(g), c.beta2 * load(pass.slots[1] + i, lanes));
    store(pass.slots[1] + i, u, lanes);
    return w - c.c0 * m / (u + c.epsilon);
  });
}

void nadam_pass(const OptimizerPass& pass, const OptimizerConstants& c) {
  optimizer_pass(pass, [&](std::size_t i, auto lanes, Floats w, Floats g) {
    const Floats m = move_towards(pass.slots[0] + i, g, c.one_minus_beta1, lanes);
    const Floats v = move_towards(pass.slots[1] + i, g * g, c.one_minus_beta2, lanes);
    return w - divide_by_root(multiply_add(c.c0, m, c.c1 * g), v * c.c2, c.epsilon);
  });
}

void adagrad_pass(const OptimizerPass& pass, const OptimizerConstants& c) {
  optimizer_pass(pass, [&](std::size_t i, auto lanes, Floats w, Floats g) {
    const Floats accumulator = multiply_add(g, g, load(pass.slots[0] + i, lanes));
    store(pass.slots[0] + i, accumulator, lanes);
    return w - c.learning_rate * g / square_root(accumulator + c.epsilon);
  });
}

void lion_pass(const OptimizerPass& pass, const OptimizerConstants& c) {
  optimizer_pass(pass, [&](std::size_t i, auto lanes, Floats w, Floats g) {
    const Floats m = load(pass.slots[0] + i, lanes);
    const Floats direction = multiply_add(m, c.beta1, c.one_minus_beta1 * g);
    store(pass.slots[0] + i, multiply_add(m, c.beta2, c.one_minus_beta2 * g), lanes);
    return multiply_add(sign_of(direction), -c.learning_rate, w);
  });
}

void run_rule(OptimizerKind kind, const OptimizerPass& pass) {
  const OptimizerConstants c = constants_of(pass);
  switch (kind) {
    case OptimizerKind::sgd:
      return sgd_pass(pass, c);
    case OptimizerKind::rmsprop:
      return rmsprop_pass(pass, c);
    case OptimizerKind::adam:
      return adam_pass(pass, c);
    case OptimizerKind::adamax:
      return adamax_pass(pass, c);
    case OptimizerKind::nadam:
      return nadam_pass(pass, c);
    case OptimizerKind::adagrad:
      return adagrad_pass(pass, c);
    case OptimizerKind::lion:
      return lion_pass(pass, c);
  }
}

void optimizer(OptimizerKind kind, const OptimizerPass& pass) {
  const unsigned saved = flush_denormals();
  run_rule(kind, pass);
  restore_denormals(saved);
}

void regularize(const float* w, float* g, std::size_t n, float scale, float l1, float l2) {
  over_lanes(n, [&](std::size_t i, auto lanes) {
    const Floats weights = load(w + i, lanes);
    store(g + i, regularized(load(g + i, lanes) * scale, weights, l1, l2), lanes);
  });
}
