"""Scenes: the class, the depth and the surface normal of every pixel of an image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mtbalance.backbones import Backbone, build_backbone
from mtbalance.config import RunConfig
from mtbalance.data.batch import Batch
from mtbalance.data.scenes.batches import SceneSplit
from mtbalance.data.scenes.schema import SceneSchema
from mtbalance.problems import Problem
from mtbalance.problems.scenes.picture import draw
from mtbalance.tasks.depth import Depth
from mtbalance.tasks.normal import Normal
from mtbalance.tasks.segmentation import Segmentation


class Scenes(Problem):
    """Images [B, 3, H, W]; tasks segmentation, depth and normal.

    No one score chooses an epoch (``selection: last``). Evaluations take batches of the training's size, which matters
    to the metrics that are averaged over batches.
    """

    pictured = True

    def __init__(self, config: RunConfig, data: Path) -> None:
        super().__init__(config, data)
        self.schema = SceneSchema.load(data)
        titles = {task.name: task.title for task in self.schema.tasks}
        self.tasks = [
            Segmentation("segmentation", titles["segmentation"]),
            Depth("depth", titles["depth"]),
            Normal("normal", titles["normal"]),
        ]
        self.evaluation_batch = config.training.batch_size

    def _open(self, name: str) -> SceneSplit:
        return SceneSplit(self.data, name, augment=name == "train" and self.config.training.augment)

    def model(self) -> Backbone:
        """The run's backbone, its parameters laid out as its images are."""
        options = self.config.backbone.options.model_dump()
        model = build_backbone(options.pop("kind"), len(self.schema.classes), self.config.model, **options)
        return model.to(memory_format=torch.channels_last) if self.config.training.channels_last else model

    def facts(self) -> dict[str, Any]:
        """As of every problem, with the metrics of predictions that look at no image."""
        return super().facts() | {"constant": self._constant}

    @cached_property
    def _constant(self) -> dict[str, dict[str, float]]:
        """{task: {metric: value}} on the test split of the training pixels' commonest class, mean depth and normal."""
        meters = [task.meter() for task in self.tasks]
        for batch in self.split("test").batches(self.evaluation_batch, None):
            for meter, output, target in zip(meters, self._constants(), batch.targets, strict=True):
                meter.add(output.expand(len(target), -1, *target.shape[-2:]), target)
        return {task.name: meter.result() for task, meter in zip(self.tasks, meters, strict=True)}

    def _constants(self) -> tuple[Tensor, Tensor, Tensor]:
        """The three predictions, as outputs of one pixel."""
        scores = torch.tensor(self.schema.splits["train"].class_pixels, dtype=torch.float32)
        depth, normal = torch.tensor(self.schema.mean_depth), torch.tensor(self.schema.mean_normal)
        return scores.view(1, -1, 1, 1), depth.view(1, 1, 1, 1), normal.view(1, 3, 1, 1)

    def illustrate(self, batch: Batch, outputs: Sequence[Tensor], path: Path) -> None:
        """Draw images with their targets and predictions."""
        run = self.config
        kind = " (synthetic data)" if self.schema.synthetic else ""
        heading = f"{run.dataset}{kind}, {run.backbone.name}, {run.balancer.name}, seed {run.seed}: first test images"
        draw(batch, outputs, self.schema.classes, heading, path)
