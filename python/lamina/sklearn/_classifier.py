"""The classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted

from .._callback import Callback
from .._kinds import LearningRate, Optimizer
from .._loss import Loss
from ..errors import ArgumentError
from ..losses import Hinge, SquaredHinge
from ._estimator import MLP
from ._labels import MULTILABEL, Labels
from ._network import Objective, classification, log_loss, logits_of
from ._parameters import check_loss
from ._rows import Training

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SCORES = ("hinge", "squared_hinge", "Hinge", "SquaredHinge")  # outputs are no probabilities


class MLPClassifier(ClassifierMixin, MLP):  # type: ignore[misc]
    """Multi-layer perceptron that predicts classes, or several labels a row.

    Everything that `sklearn.neural_network.MLPClassifier` has, with its names, defaults and meaning; the last
    parameters are lamina's.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer.
    activation : str, function, or a sequence of them, default 'relu'
        Of the hidden layers: 'identity', 'logistic', 'tanh', 'relu', or any of `lamina.activations`. A
        sequence has one for each hidden layer.
    solver : {'lbfgs', 'sgd', 'adam'}, another optimizer's name, or Optimizer, default 'adam'
        'lbfgs' takes SciPy's steps, of all rows. An `Optimizer` keeps its own learning rate; every fit
        begins with a fresh copy of it.
    alpha : float, default 0.0001
        L2 penalty: `alpha / 2 * ||W||^2`, divided by the rows of the batch (by their weights, if any).
    batch_size : int or 'auto', default 'auto'
        Rows a step; 'auto' is `min(200, n_samples)`.
    learning_rate : {'constant', 'invscaling', 'adaptive'}, Schedule or function, default 'constant'
        The three are for solver='sgd': 'invscaling' is `learning_rate_init / (t_ + 1)**power_t` after an
        epoch; 'adaptive' divides by 5 where training stagnates. Schedules and functions of the step are for
        every stochastic solver.
    learning_rate_init : float, default 0.001
        The rate to begin with.
    power_t : float, default 0.5
        Exponent of 'invscaling'.
    max_iter : int, default 200
        Epochs at most; iterations of 'lbfgs'.
    shuffle : bool, default True
        Whether every epoch visits the rows in a new order.
    random_state : int, RandomState or None, default None
        For the initial weights (scikit-learn's own, number for number), the split for early stopping (the
        same rows), shuffling and dropout.
    tol : float, default 1e-4
        What counts as an improvement of loss or score; the largest gradient at which 'lbfgs' ends.
    verbose : bool, default False
        Whether to print loss and score of every epoch.
    warm_start : bool, default False
        Whether `fit` goes on from what is fitted.
    momentum : float, default 0.9
        Of solver='sgd', in its classical form: `v = momentum * v - rate * gradient; w += v`.
    nesterovs_momentum : bool, default True
        Whether that is Nesterov's.
    early_stopping : bool, default False
        Whether to hold out `validation_fraction` of the rows, to stop when their score no longer rises, and
        to keep the weights that scored best.
    validation_fraction : float, default 0.1
        The part held out.
    beta_1, beta_2, epsilon : float, default 0.9, 0.999, 1e-8
        Of solver='adam'.
    n_iter_no_change : int, default 10
        Epochs without improvement, above which training ends.
    max_fun : int, default 15000
        Evaluations at most, of 'lbfgs'.
    loss : {'log_loss'}, a name or a Loss of `lamina.losses`, default 'log_loss'
        What is made small. Cross-entropies give probabilities; with hinge losses there is no `predict_proba`.
    class_weight : dict, 'balanced' or None, default None
        Weight of the rows of each class, times `sample_weight`; 'balanced' is n / (n_classes * its rows).
    dropout : float or sequence of float, default 0.0
        Rate of dropout after each hidden layer. Not with 'lbfgs'.
    batch_norm : bool, default False
        Whether to normalize each hidden layer by its batch, before the activation. Not with 'lbfgs'.
    l1 : float, default 0.0
        L1 penalty: `l1 * sum|W|`, divided as `alpha` is.
    callbacks : list of Callback or None, default None
        lamina's callbacks, called as training goes, the very objects. Figures: 'loss', 'accuracy', and with
        early stopping or validation data 'val_loss' and so on.

    Attributes
    ----------
    classes_ : numpy.ndarray
        The classes, sorted.
    loss_, best_loss_, loss_curve_ : float, float, list of float
        Loss of the last epoch, the lowest, and that of every epoch: means over the epoch's batches, penalties
        included. None or absent where scikit-learn has it so.
    validation_scores_, best_validation_score_ : list of float, float
        Accuracy of the validation rows after every epoch, and the highest; None without such rows.
    coefs_, intercepts_ : list of numpy.ndarray
        Views of the weights of `model_`, float32: `(in, out)` and `(out,)` for each layer. Writable.
    n_iter_, t_, n_layers_, n_outputs_, n_features_in_, feature_names_in_, out_activation_
        As in scikit-learn.
    model_ : Sequential
        The model of lamina: `estimator.model_.save("model.safetensors")`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import StandardScaler
    >>> from lamina.sklearn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> X = StandardScaler().fit_transform(X)
    >>> classifier = MLPClassifier((16,), max_iter=500, tol=0.001, random_state=1).fit(X, y)
    >>> classifier.score(X, y) > 0.9
    True
    >>> classifier.predict(X[:3]).shape
    (3,)
    >>> [kernel.shape for kernel in classifier.coefs_], [bias.shape for bias in classifier.intercepts_]
    ([(4, 16), (16, 3)], [(16,), (3,)])
    """

    _classifies = True

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Callable[..., Any] | Sequence[Any] = "relu",
        *,
        solver: str | Optimizer = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str | LearningRate = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: str | Loss = "log_loss",
        class_weight: str | Mapping[Any, float] | None = None,
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool = False,
        l1: float = 0.0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.loss = loss
        self.class_weight = class_weight
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.l1 = l1
        self.callbacks = callbacks

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> MLPClassifier:
        """Fit the model.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, n_features)
            Numbers.
        y : array of shape (n,) or (n, n_outputs)
            Classes; or 0 and 1 for each of several labels.
        sample_weight : array of shape (n,) or None, default None
            Weight of each row. A row of weight 2 counts as two rows.
        validation_data : tuple or None, default None
            `(X, y)` or `(X, y, sample_weight)` to score after every epoch, and to stop by in place of a part
            of the rows with early_stopping=True.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters and data that are not allowed, and where weights became infinite or NaN.

        Warns
        -----
        ConvergenceWarning
            Where `max_iter` ended training.

        Examples
        --------
        >>> from lamina.sklearn import MLPClassifier
        >>> classifier = MLPClassifier((), solver="lbfgs", alpha=0.1, random_state=0)
        >>> classifier = classifier.fit([[0], [1], [2], [3]], ["low", "low", "high", "high"])
        >>> classifier.classes_.tolist(), classifier.coefs_[0].shape
        (['high', 'low'], (1, 1))
        >>> classifier.score([[-1], [4]], ["low", "high"])
        1.0
        """
        fitted: MLPClassifier = self._fit(X, y, sample_weight, False, validation_data)
        return fitted

    @available_if(MLP._has_epochs)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """Train for one epoch, going on from what is fitted.

        `classes` lists all classes that will ever come; the first call needs them. `X`, `y` and
        `sample_weight` are those of `fit`.

        Examples
        --------
        >>> from lamina.sklearn import MLPClassifier
        >>> classifier = MLPClassifier((8,), random_state=0)
        >>> classifier = classifier.partial_fit([[0], [1]], ["no", "yes"], classes=["no", "perhaps", "yes"])
        >>> classifier = classifier.partial_fit([[2]], ["perhaps"])
        >>> classifier.predict_proba([[0]]).shape, classifier.t_  # rows seen
        ((1, 3), 3)
        """
        if self._first_call(classes):
            several = type_of_target(y).startswith("multilabel")
            self._labels = Labels(y if several else self.classes_)
        fitted: MLPClassifier = self._fit(X, y, sample_weight, True)
        return fitted

    def predict(self, X: Any) -> Any:
        """Return the class of each row of X, `(n,)`; or 0 and 1 for each label, `(n, n_outputs)`.

        Examples
        --------
        >>> from lamina.sklearn import MLPClassifier
        >>> classifier = MLPClassifier((), solver="lbfgs", alpha=0.1, random_state=0)
        >>> classifier = classifier.fit([[0], [1], [2], [3]], ["low", "low", "high", "high"])
        >>> classifier.predict([[-1], [4]]).tolist()
        ['low', 'high']
        """
        outputs = self._outputs(X)
        if self._labels.kind == "multiclass":
            return self._labels.decode(outputs.argmax(axis=1))
        there = self._positive(outputs).astype(np.int64)
        return self._labels.decode(there if self._labels.kind == MULTILABEL else there.ravel())

    @available_if(lambda self: self._has_probabilities())  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return probabilities of the rows of X, `(n, n_classes)`, by `classes_`; labels each by itself.

        Examples
        --------
        >>> from lamina.sklearn import MLPClassifier
        >>> classifier = MLPClassifier((), solver="lbfgs", alpha=0.1, random_state=0)
        >>> classifier = classifier.fit([[0], [1], [2], [3]], ["low", "low", "high", "high"])
        >>> classifier.predict_proba([[-10], [1.5], [13]]).round(1)  # high, low
        array([[0. , 1. ],
               [0.5, 0.5],
               [1. , 0. ]])
        """
        check_is_fitted(self)
        # float32 has no 1 - 1e-8: so the last activation is done in float64
        outputs = self._outputs(X, logits_of(self.model_, self._architecture))
        link = self._objective.link or self.out_activation_
        outputs = expit(outputs) if link == "logistic" else softmax(outputs, axis=1)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    @available_if(lambda self: self._has_probabilities())  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithms of `predict_proba`, of the rows of X.

        Examples
        --------
        >>> from lamina.sklearn import MLPClassifier
        >>> classifier = MLPClassifier((), solver="lbfgs", alpha=0.1, random_state=0)
        >>> classifier = classifier.fit([[0], [1], [2], [3]], ["low", "low", "high", "high"])
        >>> classifier.predict_log_proba([[1.5]]).round(1)
        array([[-0.7, -0.7]])
        """
        logarithms: NDArray[Any] = np.log(self.predict_proba(X))
        return logarithms

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    # ---- targets

    def _validation_options(self) -> dict[str, Any]:
        return {"multi_output": True, "dtype": (np.float64, np.float32)}

    def _check_loss(self) -> None:
        check_loss(type(self).__name__, self.loss, ("log_loss",))

    def _first_call(self, classes: Any) -> bool:
        if not hasattr(self, "classes_"):
            if classes is None:
                raise ArgumentError("classes must be passed on the first call to partial_fit.")
            self.classes_ = unique_labels(classes)
            return True
        if classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
            raise ArgumentError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, "
                f"was: {self.classes_!r}"
            )
        return False

    def _encode(self, y: Any, incremental: bool) -> NDArray[Any]:
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        if not hasattr(self, "classes_") or (not self.warm_start and not incremental):
            self._labels, codes = Labels.of(y)
            self.classes_ = self._labels.classes
            return self._as_targets(codes)
        if (
            not incremental
            and self._labels.kind != MULTILABEL
            and not np.array_equal(np.unique(y), self.classes_)
        ):
            raise ArgumentError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {np.unique(y)}"
            )
        return self._encode_known(y)

    def _encode_known(self, y: Any) -> NDArray[Any]:
        return self._as_targets(self._labels.encode(y))

    def _as_targets(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Return targets as the loss takes them."""
        kind, objective = self._labels.kind, self._plain_objective()
        if objective.labels and kind == MULTILABEL:
            raise ArgumentError(
                f"{type(self).__name__}: expected a loss of columns with several labels a row, "
                f"got {self.loss!r}."
            )
        if objective.labels:
            return codes.astype(np.int32, copy=False)
        distributions = "softmax" in (objective.output, objective.link)
        if kind == "multiclass" or (kind == "binary" and distributions):
            codes = np.eye(max(2, len(self.classes_)))[codes]
        elif kind == "binary":
            codes = codes[:, None]
        signed = isinstance(objective.loss, (Hinge, SquaredHinge))
        return (2 * codes - 1 if signed else codes).astype(np.float32)

    def _weigh_classes(self, y: Any, weights: Any, incremental: bool) -> Any:
        if self.class_weight is None:
            return weights
        if incremental and self.class_weight == "balanced":
            raise ArgumentError(
                "class_weight 'balanced' is not supported for partial_fit, which sees a part of the rows: "
                "pass a dict, as sklearn.utils.class_weight.compute_class_weight makes it."
            )
        factors = compute_sample_weight(self.class_weight, y).astype(np.float32)
        return factors if weights is None else factors * weights

    # ---- the loss

    def _plain_objective(self) -> Objective:
        if isinstance(self.loss, str) and self.loss == "log_loss":
            return log_loss(self._labels.kind, 1)
        return classification(self.loss, self._labels.kind)

    def _choose_objective(self, targets: NDArray[Any]) -> tuple[Objective, int]:
        plain = self._plain_objective()
        if plain.labels:
            return plain, max(2, len(self.classes_))
        outputs = targets.shape[1]
        return (log_loss(self._labels.kind, outputs) if plain.own else plain), outputs

    def _has_probabilities(self) -> bool:
        if self.loss in _SCORES or isinstance(self.loss, (Hinge, SquaredHinge)):
            raise AttributeError(f"predict_proba is not available with loss={self.loss!r}.")
        return True

    def _positive(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Which labels are there, `(n, labels)`; of two outputs for two classes, whether it is the second."""
        if self._labels.kind == "binary" and outputs.shape[1] == 2:
            return outputs[:, 1:] > outputs[:, :1]
        return outputs > (0.0 if self.out_activation_ == "identity" else 0.5)

    def _score_rows(self, rows: Training) -> float:
        outputs = self._run(rows.x)
        if self._objective.labels or self._labels.kind == "multiclass":
            truth = rows.y if rows.y.ndim == 1 else rows.y.argmax(axis=1)
            right = outputs.argmax(axis=1) == truth
        else:
            truth = rows.y[:, 1:] if self._labels.kind == "binary" and rows.y.shape[1] == 2 else rows.y
            right = (self._positive(outputs) == (truth > 0)).all(axis=1)
        return float(right.mean() if rows.weights is None else np.average(right, weights=rows.weights))
