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
        many = self.size + 1
        kinds = [0 if tensor is None else many if _has_rows(tensor) else 1 for tensor in tensors]
        counted = self.sum(torch.tensor(kinds, device=like[0].device)).tolist()
        dense = [place for place, count in enumerate(counted) if count % many]
        summed = self.sum_all([_dense(tensors[place], like[place]) for place in dense])
        found = dict(zip(dense, summed, strict=True))
        for place, count in enumerate(counted):
            if count and not count % many:  # no process has it as a dense tensor
                found[place] = self._sum_sparse(tensors[place], like[place])
        return [found.get(place) for place in range(len(tensors))]

    @torch.no_grad()
    def _sum_sparse(self, tensor: Tensor | None, like: Tensor) -> Tensor:
        """The sum of tensors of which each process has some rows: all get the rows of all."""
        if tensor is None:
            rows, values = like.new_empty(0, dtype=torch.long), like.new_empty(0, *like.shape[1:])
        else:
            own = tensor.coalesce()
            rows, values = own.indices()[0], own.values()
        counts = torch.cat(self._gather(torch.tensor([len(rows)], device=rows.device))).tolist()
        sent = [self._gather(_padded(part, max(counts))) for part in (rows, values)]
        rows, values = (torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)]) for parts in sent)
        return torch.sparse_coo_tensor(rows.unsqueeze(0), values, like.shape, check_invariants=False).coalesce()

    def _gather(self, tensor: Tensor) -> list[Tensor]:
        """The tensors of one shape that all processes hold."""
        found = [torch.empty_like(tensor) for _ in range(self.size)]
        dist.all_gather(found, tensor, group=self.group)
        return found


def _has_rows(tensor: Tensor) -> bool:
    """True for the gradient of an embedding that is sparse: numbers of rows, and the rows."""
    return tensor.is_sparse and tensor.sparse_dim() == 1


def _dense(tensor: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if tensor is None else tensor.to_dense()


def _padded(tensor: Tensor, length: int) -> Tensor:
    """The tensor, contiguous, with zeros up to ``length`` in its first dimension."""
    return torch.cat([tensor, tensor.new_zeros(length - len(tensor), *tensor.shape[1:])])


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
