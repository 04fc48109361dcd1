// Every metric, one line each: what the registry and the Python package know.
#pragma once

#include "lamina/metrics/accuracy.h"
#include "lamina/metrics/auc.h"
#include "lamina/metrics/precision_recall.h"
#include "lamina/metrics/regression.h"

namespace lamina {

using RegisteredMetrics = TypeList<  //
    BinaryAccuracy,                  //
    CategoricalAccuracy,             //
    SparseCategoricalAccuracy,       //
    TopKCategoricalAccuracy,         //
    MeanSquaredErrorMetric,          //
    MeanAbsoluteErrorMetric,         //
    RootMeanSquaredError,            //
    R2Score,                         //
    Precision,                       //
    Recall,                          //
    F1Score,                         //
    AUC>;

}  // namespace lamina
