"""Element-wise work on large tensors, a piece at a time, so that operations find their elements in the cache.

Each of a chain of operations on whole tensors goes through memory. On a CPU that is what such a chain costs; on another
device pieces would be more kernels. Measured on a layer of nine million numbers: two proposals of Adam take .65 of the
time. Chains of two operations gain nothing, and smaller pieces lose more by calls than they gain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

PIECE = 2**17
"""Elements of a piece."""


def pieces(like: Tensor, *others: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Views of tensors [*shape] or [K, *shape], where the shape is that of ``like``: [n] or [K, n] of each, in turn.

    They are the tensors themselves where these are small, on another device than a CPU, or not contiguous.
    """
    if _whole(like, others):
        yield like, *others
        return
    size = like.numel()
    flat = [tensor.view(*tensor.shape[: tensor.dim() - like.dim()], size) for tensor in (like, *others)]
    for first in range(0, size, PIECE):
        yield tuple(tensor[..., first : first + PIECE] for tensor in flat)


def in_pieces(work: Callable[..., Tensor], like: Tensor, gradients: Tensor, *others: Tensor) -> Tensor:
    """What ``work`` makes of the tensors, piece by piece: a tensor of the shape of the gradients."""
    if _whole(like, (gradients, *others)):
        return work(like, gradients, *others)
    made = torch.empty_like(gradients)
    for own, out, *part in pieces(like, made, gradients, *others):
        out.copy_(work(own, *part))
    return made


def _whole(like: Tensor, others: Sequence[Tensor]) -> bool:
    tensors = (like, *others)
    small = like.numel() < 2 * PIECE
    return small or like.device.type != "cpu" or not all(tensor.is_contiguous() for tensor in tensors)
