"""K rows that are spread over many tensors: their Gram matrix, and combinations of them.

A row's part in one parameter is a tensor of its shape, or None where the task does not reach it. The K parts are a
list, as they come from K backward passes, or one stacked tensor [K, *shape]: nothing is copied to make one of the
other, and never is there one flattened copy of a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Parts = Tensor | Sequence[Tensor | None]
PAIRWISE_UP_TO = 3
"""Up to so many tasks, K (K + 1) / 2 inner products are cheaper than a matrix product on stacked parts."""


@torch.no_grad()
def gram_matrix(rows: Iterable[Parts]) -> NDArray[np.float64]:
    """G [K, K], summed tensor by tensor in float64; the products of a tensor are in float32 at least."""
    return sum(_gram_of(parts) for parts in rows)


def _gram_of(parts: Parts) -> NDArray[np.float64]:
    tasks = len(parts)
    if tasks > PAIRWISE_UP_TO:
        matrix = at_least_float32(flattened(stacked(parts)))
        return (matrix @ matrix.T).double().cpu().numpy()
    gram = np.zeros((tasks, tasks))
    flat = [None if part is None else at_least_float32(part.flatten()) for part in parts]
    for i in range(tasks):
        for j in range(i, tasks):
            if flat[i] is not None and flat[j] is not None:
                gram[i, j] = gram[j, i] = float(torch.dot(flat[i], flat[j]))
    return gram


@torch.no_grad()
def combine(parts: Parts, weights: NDArray[np.float64], out: Tensor | None = None) -> Tensor:
    """sum_k w_k part_k [*shape]; a list of parts is summed in ``out`` where that is given."""
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
    """The parts as one tensor [K, *shape], zeros where a task does not reach."""
    if isinstance(parts, Tensor):
        return parts
    shape = next(part for part in parts if part is not None)
    return torch.stack([torch.zeros_like(shape) if part is None else part for part in parts])


def flattened(parts: Tensor) -> Tensor:
    """[K, *shape] as a matrix of K rows, whatever the shape: of a single number or of none, too."""
    return parts.reshape(len(parts), parts[0].numel())


def at_least_float32(tensor: Tensor) -> Tensor:
    """The tensor, raised to float32 if it is of a shorter type."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def size_of(parts: Parts) -> int:
    """Bytes of the K parts in one parameter."""
    return sum(part.nbytes for part in parts if part is not None)


def norm_of(row: Iterable[Tensor]) -> float:
    """The norm of one row, spread over tensors."""
    return float(sum(at_least_float32(part).square().sum(dtype=torch.float64) for part in row)) ** 0.5


def describe(gram: NDArray[np.float64], weights: NDArray[np.float64]) -> dict[str, float]:
    """Geometry of a search: cosines between rows (mean and smallest), norm of their weighted sum, sum of weights."""
    norms = np.sqrt(gram.diagonal())
    upper = np.triu_indices(len(gram), 1)
    sizes = np.outer(norms, norms)[upper]
    cosines = gram[upper][sizes > 0] / sizes[sizes > 0]
    report = {"joint_norm": float(np.sqrt(max(weights @ gram @ weights, 0.0))), "weight_sum": float(weights.sum())}
    if len(cosines):
        report |= {"cosine": float(cosines.mean()), "smallest_cosine": float(cosines.min())}
    return report
