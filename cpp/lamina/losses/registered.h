// Every loss, one line each: what the registry, the file format and the Python package know.
#pragma once

#include "lamina/losses/binary_crossentropy.h"
#include "lamina/losses/cosine_similarity.h"
#include "lamina/losses/crossentropy.h"
#include "lamina/losses/hinge.h"
#include "lamina/losses/kl_divergence.h"
#include "lamina/losses/regression.h"

namespace lamina {

using RegisteredLosses = TypeList<  //
    CategoricalCrossentropy,        //
    SparseCategoricalCrossentropy,  //
    BinaryCrossentropy,             //
    NegativeLogLikelihood,          //
    MeanSquaredError,               //
    MeanAbsoluteError,              //
    Huber,                          //
    LogCosh,                        //
    Hinge,                          //
    SquaredHinge,                   //
    KLDivergence,                   //
    Poisson,                        //
    CosineSimilarity,               //
    BinaryFocalCrossentropy>;

}  // namespace lamina
