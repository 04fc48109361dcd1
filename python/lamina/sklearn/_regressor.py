"""The regressor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from .._callback import Callback
from .._kinds import LearningRate, Optimizer
from .._loss import Loss
from ..errors import DTypeError
from ._estimator import MLP
from ._network import Objective, poisson, regression, squared_error
from ._parameters import check_loss
from ._rows import Training

if TYPE_CHECKING:
    from numpy.typing import NDArray


class MLPRegressor(RegressorMixin, MLP):  # type: ignore[misc]
    """Multi-layer perceptron that predicts numbers.

    Everything that `sklearn.neural_network.MLPRegressor` has, with its names, defaults and meaning; the last
    parameters are lamina's.

    Parameters
    ----------
    loss : {'squared_error', 'poisson'}, a name or a Loss of `lamina.losses`, default 'squared_error'
        What is made small: half the squared error; half the Poisson deviance, of predictions exp(...).
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
    dropout : float or sequence of float, default 0.0
        Rate of dropout after each hidden layer. Not with 'lbfgs'.
    batch_norm : bool, default False
        Whether to normalize each hidden layer by its batch, before the activation. Not with 'lbfgs'.
    l1 : float, default 0.0
        L1 penalty: `l1 * sum|W|`, divided as `alpha` is.
    callbacks : list of Callback or None, default None
        lamina's callbacks, called as training goes, the very objects. Figures: 'loss', 'r2', and with
        early stopping or validation data 'val_loss' and so on.

    Attributes
    ----------
    loss_, best_loss_, loss_curve_ : float, float, list of float
        Loss of the last epoch, the lowest, and that of every epoch: means over the epoch's batches, penalties
        included. None or absent where scikit-learn has it so.
    validation_scores_, best_validation_score_ : list of float, float
        R2 of the validation rows after every epoch, and the highest; None without such rows.
    coefs_, intercepts_ : list of numpy.ndarray
        Views of the weights of `model_`, float32: `(in, out)` and `(out,)` for each layer. Writable.
    n_iter_, t_, n_layers_, n_outputs_, n_features_in_, feature_names_in_, out_activation_
        As in scikit-learn.
    model_ : Sequential
        The model of lamina: `estimator.model_.save("model.safetensors")`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import StandardScaler
    >>> from lamina.sklearn import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, y = StandardScaler().fit_transform(X), (y - y.mean()) / y.std()
    >>> regressor = MLPRegressor(solver="lbfgs", alpha=30, max_iter=1000, random_state=1).fit(X, y)
    >>> regressor.score(X, y) > 0.5
    True
    >>> regressor.predict(X[:3]).shape
    (3,)
    """

    _classifies = False

    def __init__(
        self,
        loss: str | Loss = "squared_error",
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
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool = False,
        l1: float = 0.0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.loss = loss
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
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.l1 = l1
        self.callbacks = callbacks

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> MLPRegressor:
        """Fit the model.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, n_features)
            Numbers.
        y : array of shape (n,) or (n, n_outputs)
            Numbers.
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
        >>> from lamina.sklearn import MLPRegressor
        >>> line = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, random_state=0)
        >>> line = line.fit([[0], [1], [2]], [1, 3, 5])
        >>> line.coefs_[0].round(3), line.intercepts_[0].round(3)
        (array([[2.]], dtype=float32), array([1.], dtype=float32))
        """
        fitted: MLPRegressor = self._fit(X, y, sample_weight, False, validation_data)
        return fitted

    @available_if(MLP._has_epochs)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train for one epoch, going on from what is fitted. `X`, `y` and `sample_weight` are those of `fit`.

        Examples
        --------
        >>> from lamina.sklearn import MLPRegressor
        >>> regressor = MLPRegressor(hidden_layer_sizes=(8,), random_state=0)
        >>> for _ in range(3):
        ...     regressor = regressor.partial_fit([[0], [1]], [1, 3])
        >>> len(regressor.loss_curve_), regressor.t_  # epochs, rows seen
        (3, 6)
        """
        fitted: MLPRegressor = self._fit(X, y, sample_weight, True)
        return fitted

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the prediction for each row of X, `(n,)` or `(n, n_outputs)`.

        Examples
        --------
        >>> from lamina.sklearn import MLPRegressor
        >>> line = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, random_state=0)
        >>> line.fit([[0], [1], [2]], [1, 3, 5]).predict([[3], [4]]).round(3)
        array([7., 9.])
        """
        outputs = self._outputs(X)
        return outputs.ravel() if outputs.shape[1] == 1 else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    # ---- targets and loss

    def _validation_options(self) -> dict[str, Any]:
        return {"multi_output": True, "y_numeric": True, "dtype": (np.float64, np.float32)}

    def _check_loss(self) -> None:
        check_loss(type(self).__name__, self.loss, ("squared_error", "poisson"))

    def _encode(self, y: Any, incremental: bool) -> NDArray[Any]:
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        return self._encode_known(y)

    def _encode_known(self, y: Any) -> NDArray[Any]:
        if hasattr(y, "toarray"):
            y = y.toarray()
        if y.dtype.kind not in "biuf":
            raise DTypeError(f"MLPRegressor: expected y to be numbers, got dtype {y.dtype}.")
        with np.errstate(over="ignore"):
            columns = np.ascontiguousarray(y, dtype=np.float32)
        return columns.reshape(len(columns), -1)

    def _choose_objective(self, targets: NDArray[Any]) -> tuple[Objective, int]:
        outputs = targets.shape[1]
        if isinstance(self.loss, str) and self.loss in ("squared_error", "poisson"):
            own = squared_error if self.loss == "squared_error" else poisson
            return own(outputs), outputs
        return regression(self.loss), outputs

    def _score_rows(self, rows: Training) -> float:
        """R2, the mean over outputs; NaN where predictions are not finite."""
        outputs = self._run(rows.x)
        if not np.isfinite(outputs).all():
            return float("nan")
        return _r2(rows.y, outputs, rows.weights)


def _r2(truth: NDArray[Any], outputs: NDArray[Any], weights: NDArray[Any] | None) -> float:
    """Return 1 - (squares of the errors) / (squares about the mean), the mean over columns.

    A constant column scores 1 where all is right, else 0.
    """
    y = truth.astype(np.float64)
    w = np.ones((len(y), 1)) if weights is None else weights.astype(np.float64)[:, None]
    errors = (w * (y - outputs) ** 2).sum(axis=0)
    spread = (w * (y - (w * y).sum(axis=0) / w.sum()) ** 2).sum(axis=0)
    scores = np.where(errors == 0, 1.0, 1 - errors / np.where(spread == 0, np.inf, spread))
    return float(np.where((spread == 0) & (errors > 0), 0.0, scores).mean())
