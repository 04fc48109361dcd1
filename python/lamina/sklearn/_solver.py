"""The solvers: passes over the data with scikit-learn's rules of convergence, and L-BFGS."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .._callback import Callback, Logs
from .._configurable import find
from .._kinds import Optimizer
from ..optimizers import SGD, Adam
from ..trainer import Trainer
from ._network import Objective, penalty
from ._parameters import RATES
from ._rows import SparseBatches, Training, as_dense

_SMALLEST_RATE = 1e-6  # 'adaptive' gives up below
_ROUNDING = 1e-6  # relative change of a loss that float32 weights need not resolve


def optimizer_of(estimator: Any) -> Optimizer:
    """Return a new optimizer of lamina for a stochastic solver."""
    rate = estimator.learning_rate
    if isinstance(rate, str):
        rate = estimator.learning_rate_init
    solver = estimator.solver
    if solver == "sgd":
        nesterov = bool(estimator.nesterovs_momentum and estimator.momentum > 0)
        return SGD(rate, momentum=estimator.momentum, nesterov=nesterov, dampening=0.0)
    if solver == "adam":
        return Adam(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon)
    if isinstance(solver, str):
        return find(Optimizer, {"class_name": solver, "config": {"learning_rate": rate}})
    copy: Optimizer = type(solver).from_config(solver.get_config())
    return copy


def trainer_for(estimator: Any, optimizer: Optimizer, seed: int) -> Trainer:
    """Return a trainer of the estimator's model."""
    objective: Objective = estimator._objective
    metrics = [] if not estimator.callbacks else ["accuracy"] if estimator._classifies else ["r2"]
    trainer = Trainer(estimator.model_, optimizer, objective.loss, metrics, seed)
    trainer._session.set_scale(objective.weight, True)
    return trainer


class Convergence(Callback):
    """Keeps scikit-learn's figures after every epoch, and ends training by its rules."""

    def __init__(
        self,
        estimator: Any,
        score: Callable[[], float] | None,
        reported: Callable[[float], float],
        rows: int,
    ) -> None:
        self.estimator, self.score, self.reported, self.rows = estimator, score, reported, rows
        self.ended = False
        own = estimator.solver == "sgd" and isinstance(estimator.learning_rate, str)
        self.rate = estimator.learning_rate if own else RATES[0]

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the loss, and see whether it still falls, or the validation score still rises."""
        est = self.estimator
        est.loss_ = loss = self.reported((logs or {})["loss"])
        est.n_iter_ += 1
        est.t_ += self.rows
        est.loss_curve_.append(loss)
        if est.verbose:
            print(f"Iteration {est.n_iter_}, loss = {loss:.8f}")
        if self.score is not None:
            self._note_score(self.score())
        if not est.early_stopping:
            worse = loss > est.best_loss_ - est.tol
            est._no_improvement_count = est._no_improvement_count + 1 if worse else 0
            est.best_loss_ = min(est.best_loss_, loss)
        if self.rate == "invscaling":
            self._set_rate(est.learning_rate_init / (est.t_ + 1) ** est.power_t)
        if est._no_improvement_count > est.n_iter_no_change:
            self._stagnate()
        if not np.isfinite(loss) and not np.isfinite(self.model.flat_parameters).all():
            self._end()

    def _note_score(self, score: float) -> None:
        est = self.estimator
        est.validation_scores_.append(score)
        if est.verbose:
            print(f"Validation score: {score:f}")
        if est.early_stopping:
            worse = score < est.best_validation_score_ + est.tol
            est._no_improvement_count = est._no_improvement_count + 1 if worse else 0
        if score > est.best_validation_score_:
            est.best_validation_score_ = score
            if est.early_stopping:
                est._best_weights = self.model.get_weights()

    def _stagnate(self) -> None:
        est = self.estimator
        what = "Validation score" if est.early_stopping else "Training loss"
        message = (
            f"{what} did not improve more than tol={est.tol:f} for {est.n_iter_no_change} consecutive epochs."
        )
        rate: Any = self.trainer.optimizer.learning_rate
        if self.rate != "adaptive":
            ending = "Stopping."
        elif rate <= _SMALLEST_RATE:
            ending = "Learning rate too small. Stopping."
        else:
            self._set_rate(rate / 5)
            est._no_improvement_count = 0
            ending = f"Setting learning rate to {rate / 5:f}"
        if est.verbose:
            print(message, ending)
        if ending.endswith("Stopping."):
            self._end()

    def _set_rate(self, rate: float) -> None:
        """Set the rate; scikit-learn's velocity holds the rates of the steps that made it."""
        before: Any = self.trainer.optimizer.learning_rate
        if rate > 0:
            self.trainer._session.scale_slot("velocity", before / rate)
        self.trainer.optimizer.learning_rate = rate

    def _end(self) -> None:
        self.ended = True
        self.trainer.stop_training = True


def fit_stochastic(
    estimator: Any,
    rows: Training,
    given_rows: int,
    validation: Training | None,
    seed: int,
    incremental: bool,
) -> None:
    """Train by 'sgd', 'adam' or an optimizer of lamina; one epoch of it when `incremental`."""
    from sklearn.exceptions import ConvergenceWarning

    if not incremental or estimator._trainer is None:
        estimator._trainer = trainer_for(estimator, optimizer_of(estimator), seed)
    trainer: Trainer = estimator._trainer
    score = None
    if validation is not None:
        score = partial(estimator._score_rows, validation)
    batch_size = _batch_size(estimator, given_rows)
    batches = -(-given_rows // batch_size)
    convergence = Convergence(estimator, score, report_of(estimator, rows, batches), given_rows)
    epochs = 1 if incremental else estimator.max_iter
    estimator.n_iter_ = 0
    try:
        _fit(estimator, trainer, rows, batch_size, validation, convergence, epochs)
        if estimator.n_iter_ == epochs and not incremental and not convergence.ended:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({epochs}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
                stacklevel=5,
            )
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=5)
    if estimator.early_stopping:
        estimator.model_.set_weights(estimator._best_weights)
        del estimator._best_weights


def _fit(
    estimator: Any,
    trainer: Trainer,
    rows: Training,
    batch_size: int,
    validation: Training | None,
    convergence: Convergence,
    epochs: int,
) -> None:
    whole = batch_size >= convergence.rows
    first = trainer.epoch
    options: dict[str, Any] = {
        "epochs": first + epochs,
        "initial_epoch": first,
        "callbacks": [convergence, *(estimator.callbacks or ())],
        "verbose": 0,
    }
    if estimator.callbacks and validation is not None:  # they may look at val_loss
        options["validation_data"] = (as_dense(validation.x), validation.y) + (
            () if validation.weights is None else (validation.weights,)
        )
    if hasattr(rows.x, "toarray"):
        shuffle = bool(estimator.shuffle)
        trainer.fit(SparseBatches(rows, batch_size, shuffle, trainer._session.seed() % 2**32), **options)
        return
    trainer.fit(
        rows.x,
        rows.y,
        sample_weight=rows.weights,
        batch_size="full" if whole else batch_size,
        shuffle=bool(estimator.shuffle) and not whole,
        **options,
    )


def _batch_size(estimator: Any, rows: int) -> int:
    if estimator.batch_size == "auto":
        return min(200, rows)
    if estimator.batch_size > rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=6,
        )
    return int(min(estimator.batch_size, rows))


def report_of(estimator: Any, rows: Training, batches: int) -> Callable[[float], float]:
    """Return what turns the mean of what is made small into the loss that scikit-learn reports."""
    objective: Objective = estimator._objective
    if objective.deviance:
        constant = _deviance_constant(rows)
        return lambda value: value + constant
    if objective.averages == 1:
        return lambda value: value
    share = 1 / objective.averages
    total = len(rows) if rows.weights is None else float(rows.weights.sum())

    def reported(value: float) -> float:
        penalties = batches * penalty(estimator.model_, estimator._architecture) / total
        return share * (value - penalties) + penalties

    return reported


def _deviance_constant(rows: Training) -> float:
    """Mean over rows of the sum over outputs of y log y - y."""
    from scipy.special import xlogy

    y = rows.y.astype(np.float64).reshape(len(rows), -1)
    return float(np.average((xlogy(y, y) - y).sum(axis=1), weights=rows.weights))


def fit_lbfgs(estimator: Any, rows: Training, seed: int) -> None:
    """Train by L-BFGS, with scikit-learn's limits."""
    from sklearn.exceptions import ConvergenceWarning

    def tell(iterations: int, _: int, loss: float) -> None:
        print(f"Iteration {iterations}, loss = {loss:.8f}")

    result = trainer_for(estimator, SGD(), seed).fit_lbfgs(
        rows.x,
        rows.y,
        rows.weights,
        max_iterations=int(estimator.max_iter),
        max_evaluations=int(estimator.max_fun),
        gradient_tolerance=float(estimator.tol),
        on_iteration=tell if estimator.verbose else None,
    )
    estimator.loss_ = report_of(estimator, rows, 1)(result.loss)
    estimator.n_iter_ = result.iterations
    limited = result.iterations >= estimator.max_iter or result.evaluations > estimator.max_fun
    rounding = result.iterations > 1 and result.last_decrease <= _ROUNDING * max(1.0, abs(result.loss))
    if not result.converged and (limited or not rounding):
        warnings.warn(
            f"lbfgs failed to converge after {result.iterations} iteration(s): {result.message}. "
            "Increase max_iter, or scale the data.",
            ConvergenceWarning,
            stacklevel=5,
        )
