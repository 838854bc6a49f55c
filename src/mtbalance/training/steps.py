"""StepLog: how gradient and update lie to each other in every training step, as a Parquet file beside the record.

Source: PUB (arXiv 2410.05806), section III, "we collected gradient and update of all parameters at every training
step". Three numbers by part of the parameters are all that its cosines need; no vector is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.levels import Level
from mtbalance.balancing.reach import Reach
from mtbalance.records.table import PRODUCTS, write_table

HALF, OTHER_HALF, TASK_SPECIFIC = "half", "other_half", "task_specific"


class StepLog:
    """Gathers the products g.Delta, |g|^2 and |Delta|^2 of every step, over three parts of the parameters.

    g is the joint gradient that the optimizer got, after balancing and clipping. At level update it is the one that the
    optimizer's moments take up, since nothing else is joint there (:attr:`~.Level.joint_gradient`). Delta is the change
    of the parameters by the step, with everything that moves them: momentum, preconditioner, and weight decay, coupled
    or not. The parts are the shared parameters, those of single tasks, and a random half of the shared ones, as graphs
    reach them. A parameter without a gradient counts as one whose gradient is zero.

    Products are of float32, or of whatever the parameters are, and stay on the device until :meth:`read`.
    """

    def __init__(self, level: Level, reach: Reach, tasks: Sequence[str], seed: int) -> None:
        half = random_half(reach.shared, seed)
        chosen = set(half)
        groups = {
            HALF: half,
            OTHER_HALF: [parameter for parameter in reach.shared if parameter not in chosen],
            TASK_SPECIFIC: [parameter for own in reach.own for parameter in own],
        }
        self._level, self._tasks = level, tasks
        self._parameters = [parameter for group in groups.values() for parameter in group]
        ends = np.cumsum([sum(map(Tensor.numel, group)) for group in groups.values()]).tolist()
        slices = zip(groups, map(slice, [0, *ends], ends), strict=True)
        self._parts = {name: part for name, part in slices if part.start < part.stop}
        self._before = _flat(self._parameters)
        self._now, self._gradient = torch.empty_like(self._before), torch.empty_like(self._before)
        self._products: list[Tensor] = []
        self._facts: list[list[float]] = []
        self._rows = np.empty((0, len(self._names)))
        level.keeps_joint = True

    @property
    def _names(self) -> list[str]:
        """The columns of the rows, as they are gathered."""
        products = [f"{part}_{product}" for part in self._parts for product in PRODUCTS]
        return ["step", "epoch", *(f"weight_{task}" for task in self._tasks), *products]

    @torch.no_grad()
    def add(self, epoch: int, weights: Vector) -> None:
        """Add the step that the level has just taken, in that epoch, with weights [K]."""
        joint, self._level.joint_gradient = self._level.joint_gradient, {}
        gradients = (joint[p] if p in joint else torch.zeros_like(p) for p in self._parameters)
        _flat(gradients, out=self._gradient)
        _flat(self._parameters, out=self._now)
        update = torch.sub(self._now, self._before, out=self._before)
        pairs = ((self._gradient, update), (self._gradient, self._gradient), (update, update))
        found = [torch.dot(one[part], other[part]) for part in self._parts.values() for one, other in pairs]
        self._products.append(torch.stack(found))
        self._facts.append([self._level.steps, epoch, *weights.tolist()])
        self._before, self._now = self._now, update

    def read(self) -> None:
        """Bring the products of the steps since the last reading to the host, in one transfer."""
        if self._products:
            products = torch.stack(self._products).double().cpu().numpy()
            self._rows = np.concatenate([self._rows, np.hstack([self._facts, products])])
            self._products, self._facts = [], []

    def write(self, path: Path, digest: str) -> None:
        """Write a row for each step of the run with that digest; a run that took no step has a file without rows."""
        self.read()
        write_table(path, self._table(), digest)

    def _table(self) -> pa.Table:
        """The columns of a steps file. A part without parameters has no columns."""
        found = dict(zip(self._names, self._rows.T, strict=True))
        whole = {name: found.pop(name).astype(np.int64) for name in ("step", "epoch")}
        shared = {f"shared_{product}": _sum_of_halves(found, product) for product in PRODUCTS}
        parts = {name: column for name, column in found.items() if not name.startswith(OTHER_HALF)}
        return pa.table(whole | {name: column for name, column in shared.items() if column is not None} | parts)

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, for a checkpoint."""
        self.read()
        return {"rows": torch.from_numpy(self._rows)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave; call it when the parameters have been taken back."""
        self._rows = state["rows"].numpy()
        _flat(self._parameters, out=self._before)


def random_half(shared: Sequence[Parameter], seed: int) -> list[Parameter]:
    """A random half of the shared parameters: the control for what any two sets of them differ by.

    Whole tensors are drawn, since the parts that the paper compares are whole layers, too. They are paired by size, and
    a coin decides for each pair; so the halves are about equally large. The seed's draws are no other generator's.
    """
    random = np.random.default_rng(seed)
    mixed = [shared[index] for index in random.permutation(len(shared))]
    ordered = sorted(mixed, key=Tensor.numel, reverse=True)
    return [pair[random.integers(2)] for pair in zip(ordered[::2], ordered[1::2], strict=False)]


def _flat(tensors: Iterable[Tensor], out: Tensor | None = None) -> Tensor:
    """All entries of the tensors, one after another."""
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors], out=out)


def _sum_of_halves(found: Mapping[str, Any], product: str) -> Any:
    columns = [found[name] for half in (HALF, OTHER_HALF) if (name := f"{half}_{product}") in found]
    return sum(columns[1:], columns[0]) if columns else None
