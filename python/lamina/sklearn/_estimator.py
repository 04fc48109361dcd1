"""What the classifier and the regressor share: parameters, fitting, fitted attributes, pickles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from .. import _core
from .._layer import Layer
from ..errors import ArgumentError, FormatError, ShapeError
from ._network import Architecture, Objective, dense_layers
from ._parameters import check_parameters, dropout_rates, hidden_activations, hidden_sizes
from ._rows import Training, as_dense, merged, without_idle
from ._solver import fit_lbfgs, fit_stochastic
from ._state import from_bytes, to_bytes
from ._threads import heed_workers
from ._validation import features, features_and_targets, random_state

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..model import Sequential
    from ..trainer import Trainer

_PREDICTED = 4096  # sparse rows that become an array at a time


class MLP(BaseEstimator):  # type: ignore[misc]
    """The base of the estimators. Subclasses encode targets, decode outputs and choose the loss."""

    _classifies: bool
    _trainer: Trainer | None
    _objective: Objective
    _architecture: Architecture
    model_: Sequential
    n_outputs_: int

    # ---- fitting

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, incremental: bool = False, validation_data: Any = None
    ) -> Any:
        check_parameters(self)
        self._check_loss()
        heed_workers()
        if incremental and self.early_stopping:
            raise ArgumentError("partial_fit does not support early_stopping=True")
        with random_state(self.random_state) as random:
            before = dict(self.__dict__)
            try:
                rows, held_out = self._prepare(X, y, sample_weight, validation_data, random, incremental)
            except BaseException:
                self.__dict__.clear()  # what was fitted before stays as it was
                self.__dict__.update(before)
                raise
            self._solve(rows, held_out, random, incremental)
        if _core.finite_float32(self.model_.flat_parameters) is None:
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and "
                "need to be preprocessed."
            )
        return self

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, validation_data: Any, random: Any, incremental: bool
    ) -> tuple[Training, Training | None]:
        """Return the rows to learn from, and those held out, and see to the model."""
        first = not hasattr(self, "model_") or (not self.warm_start and not incremental)
        X, y, self._single = features_and_targets(self, X, y, first, self._validation_options())
        targets = self._encode(y, incremental)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X).astype(np.float32)
        weights = self._weigh_classes(y, weights, incremental)
        held_out = None if validation_data is None else self._held_out(validation_data)
        self._prepare_model(X.shape[1], targets, random, first)
        return Training(X, targets, weights), held_out

    def _prepare_model(self, features: int, targets: NDArray[Any], random: Any, first: bool) -> None:
        """Make the model, or keep the one that there is, with the parameters that are asked for now."""
        objective, outputs = self._choose_objective(targets)
        hidden = hidden_sizes(self)
        architecture = Architecture(
            n_features=features,
            hidden=hidden,
            activations=hidden_activations(self, len(hidden)),
            n_outputs=outputs,
            output=objective.output,
            alpha=float(self.alpha),
            l1=float(self.l1),
            dropout=dropout_rates(self, len(hidden)),
            batch_norm=bool(self.batch_norm),
        )
        if first:
            self.model_ = architecture.build()
            architecture.draw(self.model_, random)
            self._trainer = None
            self._reset(architecture)
        elif architecture != self._architecture:
            model = architecture.build()
            try:
                model.set_weights(self.model_.get_weights())
            except ShapeError as error:
                raise ArgumentError(
                    f"{type(self).__name__}: expected layers of the shapes that are fitted already, to go on "
                    f"from them, got {architecture.hidden} and {architecture.n_outputs} outputs."
                ) from error
            olds, news = ([layer for layer in m.layers if layer.count_params()] for m in (self.model_, model))
            for old, new in zip(olds, news, strict=True):
                new.trainable = old.trainable
            self.model_, self._trainer = model, None
        self._architecture, self._objective = architecture, objective

    def _reset(self, architecture: Architecture) -> None:
        self.n_iter_ = self.t_ = 0
        self.n_outputs_ = architecture.n_outputs
        self.n_layers_ = len(architecture.hidden) + 2
        self.out_activation_ = architecture.output
        self._no_improvement_count = 0
        if self.solver != "lbfgs":
            self.loss_curve_: list[float] = []
            self.best_loss_: float | None = None if self.early_stopping else np.inf
            self.validation_scores_: list[float] | None = None
            self.best_validation_score_: float | None = None

    def _solve(self, rows: Training, held_out: Training | None, random: Any, incremental: bool) -> None:
        if self.solver == "lbfgs":
            rows.x = as_dense(rows.x)
            fit_lbfgs(self, self._reduced(rows, True), int(random.randint(2**31 - 1)))
            return
        if not hasattr(self, "loss_curve_"):  # what was fitted before was fitted by L-BFGS
            self._reset(self._architecture)
        if self.early_stopping and held_out is None:
            rows, held_out = self._split(rows, random)
        if held_out is not None and self.validation_scores_ is None:
            self.validation_scores_, self.best_validation_score_ = [], -np.inf
        if self.early_stopping:
            self._best_weights = self.model_.get_weights()
        elif self.best_loss_ is None:
            self.best_loss_ = np.inf
        given = len(rows)
        whole = given <= (200 if self.batch_size == "auto" else self.batch_size)
        rows = self._reduced(rows, whole and not self.callbacks)
        fit_stochastic(self, rows, given, held_out, int(random.randint(2**31 - 1)), incremental)

    def _reduced(self, rows: Training, whole: bool) -> Training:
        """Leave out and put together what changes nothing but rounding, where every step sees all rows."""
        sparse = hasattr(rows.x, "toarray")
        if self._objective.weighs_rows and self._architecture.by_rows:
            rows = without_idle(rows)
            return merged(rows) if whole and not sparse else rows
        return rows

    def _split(self, rows: Training, random: Any) -> tuple[Training, Training]:
        # a column would be compared as texts, row by row
        stratify = rows.y.ravel() if self._classifies and self.n_outputs_ == 1 else None
        kept, held_out = train_test_split(
            np.arange(len(rows)), random_state=random, test_size=self.validation_fraction, stratify=stratify
        )
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return rows.take(kept), rows.take(held_out)

    def _held_out(self, data: Any) -> Training:
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise ArgumentError(
                f"{type(self).__name__}: expected validation_data to be (X, y) or (X, y, sample_weight), "
                f"got {type(data).__name__}."
            )
        X, y, _ = features_and_targets(self, data[0], data[1], False, self._validation_options())
        weights = _check_sample_weight(data[2], X).astype(np.float32) if len(data) == 3 else None
        return Training(X, self._encode_known(y), weights)

    def _has_epochs(self) -> bool:
        if self.solver == "lbfgs":
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
            )
        return True

    # ---- predictions

    def _outputs(self, X: Any, model: Sequential | None = None) -> NDArray[Any]:
        """Return what the model, or another, gives for rows, in the type of the data it was fitted to."""
        check_is_fitted(self)
        heed_workers()
        X, single = features(self, X)
        return self._run(X, model).astype(np.float32 if self._single and single else np.float64, copy=False)

    def _run(self, x: Any, model: Sequential | None = None) -> NDArray[np.float32]:
        model = model or self.model_
        if not hasattr(x, "toarray"):
            return model.predict(x)
        x = x.tocsr()
        parts = [
            model.predict(as_dense(x[start : start + _PREDICTED]))
            for start in range(0, x.shape[0], _PREDICTED)
        ]
        return np.concatenate(parts)

    # ---- fitted attributes

    @property
    def coefs_(self) -> list[NDArray[np.float32]]:
        """The kernel of each layer, `(in, out)`: float32 views of the model's weights, writable.

        Examples
        --------
        >>> from lamina.sklearn import MLPRegressor
        >>> regressor = MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", random_state=0)
        >>> [kernel.shape for kernel in regressor.fit([[0, 1], [1, 0]], [1, 2]).coefs_]
        [(2, 4), (4, 1)]
        """
        return [layer.kernel for layer in self._fitted_layers("coefs_")]

    @coefs_.setter
    def coefs_(self, values: Sequence[Any]) -> None:
        self._set("kernel", "coefs_", values)

    @property
    def intercepts_(self) -> list[NDArray[np.float32]]:
        """The bias of each layer, `(out,)`: float32 views of the model's weights, writable.

        Examples
        --------
        >>> from lamina.sklearn import MLPRegressor
        >>> regressor = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", random_state=0)
        >>> regressor = regressor.fit([[0, 1], [1, 0]], [1, 2])
        >>> regressor.coefs_, regressor.intercepts_ = [np.zeros((2, 1))], [[7.0]]
        >>> regressor.predict([[3, 4]])
        array([7.])
        """
        return [layer.bias for layer in self._fitted_layers("intercepts_")]

    @intercepts_.setter
    def intercepts_(self, values: Sequence[Any]) -> None:
        self._set("bias", "intercepts_", values)

    def _set(self, weight: str, name: str, values: Sequence[Any]) -> None:
        layers = self._fitted_layers(name)
        if len(values) != len(layers):
            raise ShapeError(
                f"{type(self).__name__}: expected {len(layers)} arrays as {name}, got {len(values)}."
            )
        for layer, value in zip(layers, values, strict=True):
            setattr(layer, weight, value)

    def _fitted_layers(self, name: str) -> list[Layer]:
        if "model_" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}: no attribute '{name}' before it is fitted.")
        return dense_layers(self.model_)

    def __sklearn_is_fitted__(self) -> bool:
        return "model_" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # ---- pickles

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        model, trainer = state.pop("model_", None), state.pop("_trainer", None)
        if model is not None:
            state["_file"], state["_is_checkpoint"] = to_bytes(model, trainer), trainer is not None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        file, is_checkpoint = state.pop("_file", None), state.pop("_is_checkpoint", False)
        super().__setstate__(state)
        if file is None:
            return
        objective = state.get("_objective")
        if not isinstance(objective, Objective) or not isinstance(state.get("_architecture"), Architecture):
            raise FormatError(
                f"{type(self).__name__}: expected the state of a fitted one, got a damaged one."
            )
        parts = [objective.loss, self.learning_rate, getattr(self.solver, "learning_rate", None)]
        self.model_, self._trainer = from_bytes(file, is_checkpoint is True, parts)
        if self._trainer is not None:
            self._trainer._session.set_scale(objective.weight, True)

    # ---- of subclasses

    def _validation_options(self) -> dict[str, Any]:
        raise NotImplementedError  # by the classifier and the regressor

    def _check_loss(self) -> None:
        raise NotImplementedError  # by the classifier and the regressor

    def _encode(self, y: Any, incremental: bool) -> NDArray[Any]:
        raise NotImplementedError  # by the classifier and the regressor

    def _encode_known(self, y: Any) -> NDArray[Any]:
        raise NotImplementedError  # by the classifier and the regressor

    def _weigh_classes(self, y: Any, weights: Any, incremental: bool) -> Any:
        return weights

    def _choose_objective(self, targets: NDArray[Any]) -> tuple[Objective, int]:
        raise NotImplementedError  # by the classifier and the regressor

    def _score_rows(self, rows: Training) -> float:
        raise NotImplementedError  # by the classifier and the regressor
