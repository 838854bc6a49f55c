"""K rows spread over many tensors: their Gram matrix, and combinations of them.

The part of a row in one parameter is a tensor of the parameter's shape, or None if the task does not reach it. The K
parts in one parameter are a list, as K backward passes give them, or one stacked tensor [K, *shape]. Neither form is
copied to make the other, and a network is never copied into one flat vector.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from mtbalance.balancing.arrays import Matrix, Vector

Parts = Tensor | Sequence[Tensor | None]
"""The parts of K rows in one parameter."""
PAIRWISE_UP_TO = 3
"""Up to this number of tasks, K (K + 1) / 2 inner products are cheaper than a matrix product of stacked parts."""


@torch.no_grad()
def gram_matrix(rows: Iterable[Parts]) -> Matrix:
    """G [K, K], summed over tensors in float64; the products within a tensor are in float32 or better."""
    return sum((_gram_of(parts) for parts in rows), np.zeros(()))


def _gram_of(parts: Parts) -> Matrix:
    tasks = len(parts)
    if tasks > PAIRWISE_UP_TO:
        matrix = at_least_float32(flattened(stacked(parts)))
        product: Matrix = (matrix @ matrix.T).double().cpu().numpy()
        return product
    gram = np.zeros((tasks, tasks))
    flat = [None if part is None else at_least_float32(part.flatten()) for part in parts]
    for i, one in enumerate(flat):
        for j, other in enumerate(flat[i:], start=i):
            if one is not None and other is not None:
                gram[i, j] = gram[j, i] = float(torch.dot(one, other))
    return gram


@torch.no_grad()
def combine(parts: Parts, weights: Vector, out: Tensor | None = None) -> Tensor:
    """sum_k w_k part_k [*shape]; for a list of parts, computed in the memory of ``out`` if that is given."""
    if isinstance(parts, Tensor):
        vector = torch.as_tensor(weights, dtype=parts.dtype, device=parts.device)
        return (vector @ flattened(parts)).view(parts.shape[1:])
    present = [(part, float(weight)) for part, weight in zip(parts, weights, strict=True) if part is not None]
    total = torch.mul(*present[0], out=out)
    for part, weight in present[1:]:
        total.add_(part, alpha=weight)
    return total


@torch.no_grad()
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


def norm_of(row: Iterable[Tensor]) -> float:
    """The norm of one row that is spread over tensors."""
    norm: float = float(sum(at_least_float32(part).square().sum(dtype=torch.float64) for part in row)) ** 0.5
    return norm


def describe(gram: Matrix, weights: Vector) -> dict[str, float]:
    """The geometry of a search: mean and smallest cosine between rows, norm of the joint row, sum of weights."""
    norms = np.sqrt(gram.diagonal())
    upper = np.triu_indices(len(gram), 1)
    sizes = np.outer(norms, norms)[upper]
    cosines = gram[upper][sizes > 0] / sizes[sizes > 0]
    squared = max(float(weights @ gram @ weights), 0.0)
    report = {"joint_norm": float(np.sqrt(squared)), "weight_sum": float(weights.sum())}
    if len(cosines):
        report |= {"cosine": float(cosines.mean()), "smallest_cosine": float(cosines.min())}
    return report
