"""A scene run: its images, its tasks, its model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbalance.config.run import RunConfig
from mtbalance.data.batch import Batch
from mtbalance.data.scenes.batches import SceneRows
from mtbalance.data.scenes.schema import SceneSchema
from mtbalance.models.backbone import Backbone
from mtbalance.problems import Problem
from mtbalance.records.evaluation import predicted_name
from mtbalance.tasks.depth import Depth
from mtbalance.tasks.normal import Normal
from mtbalance.tasks.segmentation import Segmentation


class ScenesProblem(Problem[SceneSchema]):
    """Images [B, 3, H, W]; tasks segmentation, depth and normal.

    Evaluations take batches of the training's size, which matters to the metrics that are averaged over batches.
    """

    def __init__(self, config: RunConfig, data: Path) -> None:
        super().__init__(config, data)
        self.schema = SceneSchema.read(data)
        titles = {task.name: task.title for task in self.schema.tasks}
        self.tasks = [
            Segmentation("segmentation", titles["segmentation"]),
            Depth("depth", titles["depth"]),
            Normal("normal", titles["normal"]),
        ]
        self.evaluation_batch = config.training.batch_size

    def _open(self, name: str) -> SceneRows:
        return SceneRows(self.data, name, augment=name == "train" and self.config.training.augment)

    def model(self) -> Backbone:
        """The run's backbone, with the memory layout of its images: channels last if the training says so."""
        model = self.backbone(len(self.schema.classes))
        if self.config.training.channels_last:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's types lack it
        return model

    def facts(self) -> dict[str, Any]:
        """The facts of every problem, and the test metrics of constant predictions, which ignore the image."""
        return super().facts() | {"constant": self._constant}

    @cached_property
    def _constant(self) -> dict[str, dict[str, float]]:
        """{task: {metric: value}} on the test split, for the commonest class and the mean depth and normal of train."""
        meters = [task.meter() for task in self.tasks]
        for batch in self.split("test").batches(self.evaluation_batch, None):
            for meter, output, target in zip(meters, self._constants(), batch.targets, strict=True):
                meter.add(output.expand(len(target), -1, *target.shape[-2:]), target)
        return {task.name: meter.result() for task, meter in zip(self.tasks, meters, strict=True)}

    def _constants(self) -> tuple[Tensor, Tensor, Tensor]:
        """The three constant predictions, as outputs for one pixel."""
        scores = torch.tensor(self.schema.splits["train"].class_pixels, dtype=torch.float32)
        depth, normal = torch.tensor(self.schema.mean_depth), torch.tensor(self.schema.mean_normal)
        return scores.view(1, -1, 1, 1), depth.view(1, 1, 1, 1), normal.view(1, 3, 1, 1)

    def sample(self, batch: Batch, outputs: Sequence[Tensor]) -> dict[str, NDArray[Any]]:
        """The images as ``image``, the targets as ``<task>``, the predictions as ``predicted_<task>``, ``classes``.

        A predicted segmentation is classes [B, H, W], not scores; ``classes`` are their names.
        """
        scores, depth, normal = outputs
        predictions = (scores.argmax(dim=1), depth, normal)
        names = [task.name for task in self.tasks]
        arrays = {"image": batch.inputs[0], **dict(zip(names, batch.targets, strict=True))}
        arrays |= {predicted_name(name): found for name, found in zip(names, predictions, strict=True)}
        return {name: values.cpu().numpy() for name, values in arrays.items()} | {
            "classes": np.array(self.schema.classes)
        }
