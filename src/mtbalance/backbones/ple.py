"""Progressive layered extraction (Tang et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mtbalance.backbones import Representation
from mtbalance.config import ModelConfig
from mtbalance.layers import Experts, Gate, Tower
from mtbalance.shared_backbone import Place, SharedBackbone


class Ple(SharedBackbone):
    """Layers of shared experts and of experts for each task, as many as the experts have hidden layers.

    In a layer, task k's gate mixes its own experts and the shared ones; the shared gate, absent from the last layer,
    mixes all. Every parameter below the last layer is therefore reached by all losses, except the gates that feed
    only the last layer's task experts. Tasks fork at the outputs of the last layer but one of all experts, what the
    tasks' gates read there, and the last layer's shared experts' outputs.
    """

    def __init__(
        self,
        cardinalities: Sequence[int],
        numbers: int,
        tasks: int,
        model: ModelConfig,
        *,
        shared_experts: int,
        task_experts: int,
        representation: Place = "fork",
    ) -> None:
        super().__init__(cardinalities, numbers, tasks, model, representation)
        widths = [self.fields.width, *model.expert]
        self.layers = nn.ModuleList(
            _Extraction(widths[i], widths[i + 1], tasks, shared_experts, task_experts, i + 2 == len(widths), model)
            for i in range(len(model.expert))
        )
        self.towers = nn.ModuleList(Tower(widths[-1], model) for _ in range(tasks))

    def trunk(self, fields: Tensor) -> Representation:
        """(last shared experts, [task gates' input and experts of the layer below] for each task, its shared experts).

        With a single layer: (its shared experts, the fields).
        """
        common, states = fields, [fields] * self.tasks
        below: list[Tensor] = [fields]
        for index, layer in enumerate(self.layers[:-1]):
            shared = layer.shared(common)
            own = [experts(state) for experts, state in zip(layer.own, states, strict=True)]
            common = layer.common_gate(common, torch.cat([*own, shared], dim=1))
            below = [*states, *own, shared]
            if index + 2 < len(self.layers):
                states = [layer.mix(task, states[task], own[task], shared) for task in range(self.tasks)]
        return self.layers[-1].shared(common), *below

    def head(self, hidden: Representation, task: int) -> Tensor:
        """Logits [B] of the task: its gate of the layer below, its last experts and gate, its tower."""
        last_shared, *below = hidden
        state = below[task] if len(self.layers) > 1 else below[0]
        if len(self.layers) > 1:
            state = self.layers[-2].mix(task, state, below[self.tasks + task], below[-1])
        last = self.layers[-1]
        return self.towers[task](last.mix(task, state, last.own[task](state), last_shared))


class _Extraction(nn.Module):
    """One layer: shared experts, each task's experts, and the gates over them."""

    def __init__(
        self, inputs: int, width: int, tasks: int, shared: int, own: int, last: bool, model: ModelConfig
    ) -> None:
        super().__init__()
        self.shared = Experts(shared, inputs, [width], model)
        self.own = nn.ModuleList(Experts(own, inputs, [width], model) for _ in range(tasks))
        self.gates = nn.ModuleList(Gate(inputs, own + shared) for _ in range(tasks))
        if not last:
            self.common_gate = Gate(inputs, own * tasks + shared)

    def mix(self, task: int, state: Tensor, own: Tensor, shared: Tensor) -> Tensor:
        """The task's mixture [B, width] of its own and the shared experts."""
        return self.gates[task](state, torch.cat([own, shared], dim=1))
