"""Progressive layered extraction (Tang et al. 2020)."""

from __future__ import annotations

from typing import Annotated, cast

import torch
from torch import Tensor, nn

from mtbalance.blocks import Count
from mtbalance.models.backbone import Tensors
from mtbalance.models.ranking._layers import Experts, Gate, Tower
from mtbalance.models.ranking._options import Place, RankingShape, RankingSizes
from mtbalance.models.ranking._trunk import TrunkBackbone


class PLE(TrunkBackbone):
    """Extraction layers of shared experts and of experts for each task, one for each hidden layer of an expert.

    In a layer, task k's gate mixes its own experts and the shared ones; the shared gate, absent from the last layer,
    mixes all. All losses therefore reach every parameter below the last layer, except the gates that feed only the
    task experts of the last layer.

    Tasks fork before the last layer. The representation has all experts' outputs of the layer below, the input of its
    gates, and the outputs of the last layer's shared experts.
    """

    def __init__(
        self,
        shape: RankingShape,
        sizes: RankingSizes,
        *,
        shared_experts: Annotated[Count, "Experts that all tasks share, in each extraction layer."] = 4,
        task_experts: Annotated[Count, "Experts of each task, in each extraction layer."] = 4,
        representation: Place = "fork",
    ) -> None:
        super().__init__(shape, sizes, representation)
        widths = [self.fields.width, *sizes.expert]
        self.layers = nn.ModuleList(
            _Extraction(widths[i], widths[i + 1], self.tasks, shared_experts, task_experts, i + 2 == len(widths), sizes)
            for i in range(len(sizes.expert))
        )
        self.towers = nn.ModuleList(Tower(widths[-1], sizes) for _ in range(self.tasks))

    def trunk(self, fields: Tensor) -> Tensors:
        """The outputs of the last layer's shared experts, then the tensors of the layer below.

        These are the input of each task's gate, the outputs of each task's experts, and those of the shared experts.
        With a single layer they are the fields alone.
        """
        common, states = fields, [fields] * self.tasks
        below: list[Tensor] = [fields]
        layers = self._layers()
        for index, layer in enumerate(layers[:-1]):
            shared = layer.shared(common)
            own = [experts(state) for experts, state in zip(layer.own, states, strict=True)]
            common = layer.common_gate(common, torch.cat([*own, shared]))
            below = [*states, *own, shared]
            if index + 2 < len(layers):
                states = [layer.mix(task, states[task], own[task], shared) for task in range(self.tasks)]
        return layers[-1].shared(common), *below

    def head(self, hidden: Tensors, task: int) -> Tensor:
        """Logits [B] of the task: its gate of the layer below, its last experts and gate, its tower."""
        last_shared, *below = hidden
        layers = self._layers()
        state = below[task] if len(layers) > 1 else below[0]
        if len(layers) > 1:
            state = layers[-2].mix(task, state, below[self.tasks + task], below[-1])
        last = layers[-1]
        logits: Tensor = self.towers[task](last.mix(task, state, last.own[task](state), last_shared))
        return logits

    def _layers(self) -> list[_Extraction]:
        return cast("list[_Extraction]", list(self.layers))


class _Extraction(nn.Module):
    """One layer: shared experts, each task's experts, and the gates over them."""

    def __init__(
        self, inputs: int, width: int, tasks: int, shared: int, own: int, last: bool, model: RankingSizes
    ) -> None:
        super().__init__()
        self.shared = Experts(shared, inputs, [width], model)
        self.own = nn.ModuleList(Experts(own, inputs, [width], model) for _ in range(tasks))
        self.gates = nn.ModuleList(Gate(inputs, own + shared) for _ in range(tasks))
        if not last:
            self.common_gate = Gate(inputs, own * tasks + shared)

    def mix(self, task: int, state: Tensor, own: Tensor, shared: Tensor) -> Tensor:
        """The task's mixture [B, width] of its own and the shared experts."""
        mixture: Tensor = self.gates[task](state, torch.cat([own, shared]))
        return mixture
