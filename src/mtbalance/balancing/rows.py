"""K rows spread over many tensors: their Gram matrix, and combinations of them.

The part of a row in one parameter is a tensor of the parameter's shape, or None if the task does not reach it. The K
parts in one parameter are a list, as K backward passes give them, or one stacked tensor [K, *shape]. Neither form is
copied to make the other, and a network is never copied into one flat vector.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbalance.balancing.arrays import Matrix, Vector
from mtbalance.balancing.losses import read, together, widest
from mtbalance.balancing.processes import ALONE, Processes

Parts = Tensor | Sequence[Tensor | None]
"""The parts of K rows in one parameter."""
PAIRWISE_UP_TO = 3
"""Up to this number of tasks, K (K + 1) / 2 inner products are cheaper than a matrix product of stacked parts, and so
is a sum part by part."""
SAFE = (1e-24, 1e32)
"""Squared norms of rows between which float32 holds the squares of all entries that count."""


def gram_matrix(rows: Iterable[Parts]) -> Matrix:
    """G [K, K]: products within a tensor in float32 or better, sums over tensors in float64.

    It is read from the device once. Rows so short or so long that float32 cannot hold the squares of their entries are
    multiplied again in float64; that takes a second reading.
    """
    (gram,), _ = measure([list(rows)])
    return gram


@torch.no_grad()
def measure(
    groups: Sequence[Sequence[Parts]], others: Sequence[Tensor] = (), processes: Processes = ALONE
) -> tuple[list[Matrix], Vector]:
    """The Gram matrices of several groups of rows, as :func:`gram_matrix` says, and ``others``: one reading for all.

    ``processes`` are those that hold parts of the rows each.
    """
    with np.errstate(invalid="ignore"):  # of infinite products, which are looked at next
        grams, numbers = _measured(groups, others, processes, double=False)
    if not all(map(_is_safe, grams, groups)):
        with np.errstate(invalid="ignore"):
            grams, _ = _measured(groups, (), processes, double=True)
    return grams, numbers


def _is_safe(gram: Matrix, rows: Sequence[Parts]) -> bool:
    unsafe = [task for task, square in enumerate(gram.diagonal().tolist()) if not SAFE[0] < square < SAFE[1]]
    return not any(parts[task] is not None for parts in rows for task in unsafe)


def _measured(
    groups: Sequence[Sequence[Parts]], others: Sequence[Tensor], processes: Processes, *, double: bool
) -> tuple[list[Matrix], Vector]:
    tasks = next((len(parts) for rows in groups for parts in rows), 0)
    products_of = _inner_products if tasks <= PAIRWISE_UP_TO else _matrix_products
    found = [products_of(rows, double) for rows in groups]
    flat = [product for products, _ in found for product in products]
    products = [processes.sum(together(flat).to(widest(flat[0].device)))] if flat else []
    numbers = read([*products, *others]) if products or others else np.zeros(0)
    grams, position = [], 0
    for _, places in found:
        gram = np.zeros((tasks, tasks))
        for place in places:
            if place is None:
                gram += numbers[position : position + tasks**2].reshape(tasks, tasks)
                position += tasks**2
            else:
                for here in {place, place[::-1]}:
                    gram[here] += numbers[position]
                position += 1
        grams.append(gram)
    return grams, numbers[position:]


Places = list[tuple[int, int] | None]
"""Where products belong in a Gram matrix: one in its upper triangle, or a whole matrix (None)."""


def _inner_products(rows: Iterable[Parts], double: bool) -> tuple[list[Tensor], Places]:
    """The inner products of all pairs of parts."""
    found: list[Tensor] = []
    places: Places = []
    for parts in rows:
        flat = [None if part is None else _precise(_real(part).flatten(), double) for part in parts]
        for i, one in enumerate(flat):
            for j, other in enumerate(flat[i:], start=i):
                if one is not None and other is not None:
                    found.append(torch.dot(one, other))
                    places.append((i, j))
    return found, places


def _matrix_products(rows: Iterable[Parts], double: bool) -> tuple[list[Tensor], Places]:
    """The Gram matrix of the parts in each parameter."""
    matrices = [_precise(flattened(_real(stacked(parts))), double) for parts in rows]
    return [matrix @ matrix.T for matrix in matrices], [None] * len(matrices)


def _real(tensor: Tensor) -> Tensor:
    """Complex numbers as pairs of real ones."""
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def _precise(tensor: Tensor, double: bool) -> Tensor:
    """The tensor in float32 or better, or in float64: on the CPU if its own device has none."""
    if not double:
        return at_least_float32(tensor)
    return (tensor if widest(tensor.device) == torch.float64 else tensor.cpu()).double()


def combine(parts: Parts, weights: Vector, out: Tensor | None = None) -> Tensor:
    """sum_k w_k part_k [*shape]; for a list of parts, computed in the memory of ``out`` if that is given."""
    if isinstance(parts, Tensor) and len(parts) > PAIRWISE_UP_TO:
        vector = torch.as_tensor(weights, dtype=parts.dtype, device=parts.device)
        return (vector @ flattened(parts)).view(parts.shape[1:])
    present = [(part, float(weight)) for part, weight in zip(parts, weights, strict=True) if part is not None]
    total = torch.mul(*present[0], out=out)
    for part, weight in present[1:]:
        total.add_(part, alpha=weight)
    return total


def stacked(parts: Parts) -> Tensor:
    """The parts as one tensor [K, *shape], with zeros for a task that does not reach the parameter."""
    if isinstance(parts, Tensor):
        return parts
    shape = next(part for part in parts if part is not None)
    return torch.stack([torch.zeros_like(shape) if part is None else part for part in parts])


def flattened(parts: Tensor) -> Tensor:
    """Parts [K, *shape] as a matrix of K rows; the shape may also be that of a single number or of no number."""
    return parts.reshape(len(parts), parts[0].numel())


def at_least_float32(tensor: Tensor) -> Tensor:
    """The tensor in float32 if its type is shorter, else as it is."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def size_of(parts: Parts) -> int:
    """Bytes of the K parts in one parameter."""
    return sum(part.nbytes for part in parts if part is not None)


@torch.no_grad()
def squared_norms(row: Iterable[Tensor], processes: Processes = ALONE) -> Tensor:
    """The squared norms of the tensors of one row, in float64 if their device has it; they stay there."""
    squares = (at_least_float32(_real(part)).square() for part in row)
    return processes.sum(together([square.sum(dtype=widest(square.device)) for square in squares]))


def describe(gram: Matrix, weights: Vector) -> dict[str, float]:
    """The geometry of a search: mean and smallest cosine between rows, norm of the joint row, sum of weights."""
    norms, (one, other) = np.sqrt(gram.diagonal()), _pairs(len(gram))
    sizes = norms[one] * norms[other]
    known = sizes > 0
    cosines = gram[one, other][known] / sizes[known]
    squared = max(float(weights @ gram @ weights), 0.0)
    report = {"joint_norm": float(np.sqrt(squared)), "weight_sum": float(weights.sum())}
    if len(cosines):
        report |= {"cosine": float(cosines.mean()), "smallest_cosine": float(cosines.min())}
    return report


@cache
def _pairs(tasks: int) -> tuple[NDArray[np.intp], ...]:
    """The indices of all pairs of different tasks."""
    return np.triu_indices(tasks, 1)
