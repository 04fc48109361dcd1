// The layers that exist: one include and one line a layer.
#pragma once

#include "lamina/layers/activation.h"
#include "lamina/layers/activity_regularization.h"
#include "lamina/layers/batch_normalization.h"
#include "lamina/layers/dense.h"
#include "lamina/layers/dropout.h"
#include "lamina/layers/elu.h"
#include "lamina/layers/flatten.h"
#include "lamina/layers/gaussian_noise.h"
#include "lamina/layers/input.h"
#include "lamina/layers/layer_normalization.h"
#include "lamina/layers/leaky_relu.h"
#include "lamina/layers/rescaling.h"
#include "lamina/layers/reshape.h"
#include "lamina/layers/softmax.h"

namespace lamina {

// clang-format off
using RegisteredLayers = TypeList<
    Input,
    Dense,
    Activation,
    Dropout,
    BatchNormalization,
    LayerNormalization,
    Flatten,
    Reshape,
    Rescaling,
    ActivityRegularization,
    GaussianNoise,
    LeakyReLU,
    ELU,
    Softmax>;
// clang-format on

}  // namespace lamina
