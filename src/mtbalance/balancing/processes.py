"""The processes of a data-parallel run: sums over them, so that N processes balance as one would.

Every process computes its losses on its own part of the batch. A loss of the whole batch is the mean over processes, so
each process gives one N-th of its losses, and everything else (losses, rows, Gram matrices, gradients) is a sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

BUCKET = 2**22
"""Numbers that one message holds; small tensors travel together."""


@dataclass(frozen=True)
class Processes:
    """The processes of a group, as one of them sees them; with one process, nothing is sent."""

    group: dist.ProcessGroup | None = None
    size: int = 1
    rank: int = 0

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum of the tensors that all processes hold."""
        if self.size == 1:
            return tensor
        total = tensor.clone()
        dist.all_reduce(total, group=self.group)
        return total

    @torch.no_grad()
    def sum_all(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The sums of many tensors, in few messages; all processes must give the same shapes in the same order."""
        if self.size == 1:
            return list(tensors)
        sums: list[Tensor] = []
        for bucket in _buckets(tensors):
            flat = torch.cat([tensor.reshape(-1) for tensor in bucket])
            dist.all_reduce(flat, group=self.group)
            parts = torch.split(flat, [tensor.numel() for tensor in bucket])
            sums += [part.view(tensor.shape) for part, tensor in zip(parts, bucket, strict=True)]
        return sums

    def sum_present(self, tensors: Sequence[Tensor | None], like: Sequence[Tensor]) -> list[Tensor | None]:
        """The sums of tensors that some processes may lack (None); one that all lack stays None.

        ``like`` has a tensor of the shape of each.
        """
        if self.size == 1:
            return list(tensors)
        present = torch.tensor([tensor is not None for tensor in tensors], device=like[0].device)
        somewhere = self.any(present).tolist()
        pairs = [pair for pair, some in zip(zip(tensors, like, strict=True), somewhere, strict=True) if some]
        summed = iter(self.sum_all([torch.zeros_like(shape) if one is None else one for one, shape in pairs]))
        return [next(summed) if some else None for some in somewhere]

    def any(self, flags: Tensor) -> Tensor:
        """The flags that are set in at least one process."""
        return self.sum(flags.int()).bool()


ALONE = Processes()


def processes(group: dist.ProcessGroup | None = None) -> Processes:
    """The processes of ``group``, or of the default group; one if there is no group."""
    if not (dist.is_available() and dist.is_initialized()):
        return ALONE
    return Processes(group, dist.get_world_size(group), dist.get_rank(group))


def _buckets(tensors: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Neighbors of one type on one device, up to ``BUCKET`` numbers at a time."""
    bucket: list[Tensor] = []
    for tensor in tensors:
        alike = bucket and (tensor.dtype, tensor.device) == (bucket[0].dtype, bucket[0].device)
        if bucket and not (alike and sum(one.numel() for one in bucket) + tensor.numel() <= BUCKET):
            yield bucket
            bucket = []
        bucket.append(tensor)
    if bucket:
        yield bucket
