"""One step of a rule, as a level takes it; and what must be true of what comes out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mtbalance.balancing.arrays import Matrix, Vector
from mtbalance.balancing.contract.verdicts import Broken, Subject, told
from mtbalance.balancing.rows import combine, gram_matrix
from mtbalance.balancing.rules import GramRule, LossRule, RowRule, Rule

DOUBLE = torch.float64


def take(rule: Rule, rows: Sequence[Tensor], losses: Vector) -> tuple[list[Tensor], Vector]:
    """The joint row, tensor by tensor, and the weights [K] for K rows given as tensors [K, *shape].

    Losses fall by up to 1 % before a second look. Raises :class:`Broken` for weights that are no float64 array [K].
    """
    if isinstance(rule, RowRule):
        joint, weights = rule.combine(list(rows), losses)
        require_weights(weights, rule.tasks)
    else:
        parts = [list(tensor) for tensor in rows]
        weights = weights_of(rule, gram_matrix(parts), losses)
        require_weights(weights, rule.tasks)
        joint = [combine(part, weights) for part in parts]
    if rule.looks_again:
        rule.observe(losses * (1 - 0.01 * losses / losses.max()))
    return joint, weights


def weights_of(rule: Rule, gram: Matrix, losses: Vector) -> Vector:
    """The weights [K] of a rule that does not see the rows."""
    if isinstance(rule, LossRule):
        return rule.weights(losses)
    if isinstance(rule, GramRule):
        return rule.weights(gram, losses)
    raise Broken(f"{type(rule).__name__} is no LossRule, GramRule or RowRule", "Take one of the three as its base.")


def require_weights(weights: Any, tasks: int) -> None:
    """Raise :class:`Broken` unless the weights are a float64 array [K]."""
    if not isinstance(weights, np.ndarray):
        raise Broken(f"weights that are a {type(weights).__name__}", f"Return an array of {tasks} float64 numbers.")
    if weights.shape != (tasks,):
        raise Broken(f"weights of shape {weights.shape}", f"Return one weight for each task: shape ({tasks},).")
    if weights.dtype != np.float64:
        raise Broken(f"weights of type {weights.dtype}", "Return float64 numbers.")


def spread(rows: Matrix, dtype: torch.dtype = DOUBLE) -> list[Tensor]:
    """Rows [K, p] over two tensors, as parameters hold them."""
    return [torch.tensor(part, dtype=dtype) for part in np.array_split(rows, 2, axis=1)]


def apply(rule: Rule, rows: Matrix, losses: Vector, dtype: torch.dtype = DOUBLE) -> tuple[Vector, Vector]:
    """One step's joint row [p] and weights [K], for rows [K, p] that are spread over two tensors."""
    joint, weights = take(rule, spread(rows, dtype), losses)
    return torch.cat(joint).double().numpy(), weights


@contextmanager
def going_in(what: str, subject: Subject) -> Iterator[None]:
    """Turn what the rule raises into :class:`Broken`, with what went in."""
    try:
        yield
    except Broken as broken:
        raise Broken(f"{what}; out came {broken.found}", broken.advice) from None
    except Exception as error:
        advice = f"Define {error.name}, or import it in the method that uses it." if type(error) is NameError else ""
        raise Broken(f"{what}; out came {told(error, subject.file)}", advice) from error


def tried(
    subject: Subject, rule: Rule, rows: Matrix, losses: Vector, case: str = "", dtype: torch.dtype = DOUBLE
) -> tuple[Vector, Vector]:
    """As :func:`apply`. Raises :class:`Broken`, with what went in and out, unless all is finite and of right shape."""
    named = f"{case}: " if case else ""
    given = f"{named}in went the rows {shown(rows)}{PRECISIONS.get(dtype, '')} and the losses {shown(losses)}"
    with warnings.catch_warnings(record=True) as said, going_in(given, subject):
        warnings.simplefilter("always", RuntimeWarning)
        tensors = spread(rows, dtype)
        joint, weights = take(rule, tensors, losses)
        require_joint(joint, tensors)
    whole = torch.cat([part.flatten() for part in joint]).double().numpy()
    numbers = [whole, weights, np.array(list(rule.diagnostics.values()), dtype=float)]
    warned = f", with {said[0].category.__name__}: {said[0].message} ({_place(said[0], subject)})" if said else ""
    if warned or not all(np.isfinite(each).all() for each in numbers):
        told_too = f", the diagnostics {rule.diagnostics}" if rule.diagnostics else ""
        raise Broken(f"{given}; out came the weights {shown(weights)}, the joint row {shown(whole)}{told_too}{warned}")
    return whole, weights


def _place(said: warnings.WarningMessage, subject: Subject) -> str:
    file = "" if said.filename == str(subject.file) else f"{Path(said.filename).name}, "
    return f"{file}line {said.lineno}"


PRECISIONS = {torch.float32: " in single precision", torch.bfloat16: " in bfloat16"}


def require_joint(joint: Any, rows: Sequence[Tensor]) -> None:
    """Raise :class:`Broken` unless the joint row has a tensor of right shape and type for each tensor of the rows."""
    found = [(tuple(part.shape), part.dtype) for part in joint]
    wanted = [(tuple(part.shape[1:]), part.dtype) for part in rows]
    if found != wanted:
        raise Broken(
            f"a joint row of {_kinds(found)} for rows that are tensors of {_kinds([(r.shape, r.dtype) for r in rows])}",
            f"Return one tensor for each tensor of the rows, without its first dimension: {_kinds(wanted)}.",
        )


def _kinds(tensors: Sequence[tuple[Sequence[int], torch.dtype]]) -> str:
    return ", ".join(f"{list(shape)} {str(dtype).removeprefix('torch.')}" for shape, dtype in tensors) or "no tensors"


def shown(numbers: Vector | Matrix) -> str:
    """Numbers on one line; the middle of many is left out."""
    with np.printoptions(precision=4, threshold=16, edgeitems=2, suppress=False):
        text = " ".join(np.array2string(np.asarray(numbers), separator=", ").split())
    return text.replace("[ ", "[").replace(" ]", "]").replace(" ,", ",")
