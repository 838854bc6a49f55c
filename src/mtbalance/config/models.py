"""Models: sizes that backbones share, and the backbones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from mtbalance.config.blocks import Count, Fraction, Strict


class ModelConfig(Strict):
    """Sizes that all ranking backbones share, so that they are compared at one capacity."""

    problem: Literal["ranking"] = "ranking"
    embedding: Count = 128
    """Width of each categorical embedding, and of the one linear field for all numbers."""
    expert: list[Count] = [512, 256]
    """Hidden layers of an expert (and of a shared bottom)."""
    tower: list[Count] = [128, 64]
    """Hidden layers of a task's tower."""
    dropout: Fraction = 0.2
    batch_norm: bool = True


class SceneModelConfig(Strict):
    """Sizes that the scene backbones share."""

    problem: Literal["scenes"]
    width: Count = 64
    """Channels of the first level; the five levels have 1, 2, 4, 8 and 8 times as many."""


def _problem_of(model: Any) -> str:
    return model.get("problem", "ranking") if isinstance(model, Mapping) else model.problem


Model = Annotated[
    Annotated[ModelConfig, Tag("ranking")] | Annotated[SceneModelConfig, Tag("scenes")], Discriminator(_problem_of)
]
"""An experiment's kind of problem, and the sizes of its models."""


class SingleTaskBackbone(Strict):
    """One complete model a task; nothing is shared."""

    shares: ClassVar = False
    problem: ClassVar[str] = "ranking"
    kind: Literal["single_task"]


class SharedBackbone(Strict):
    """What backbones with a shared trunk have in common."""

    shares: ClassVar = True
    representation: Literal["fork", "fields"] = "fork"
    """Where balancers at level representation act. ``fork``: behind the trunk, where the tasks part (MMOE: the stacked
    expert outputs and the gates' input). ``fields``: at the embeddings' output, which all tasks read; the trunk then
    costs a forward and a backward pass a task, and gets the sum of the losses' own gradients."""


class SharedBottomBackbone(SharedBackbone):
    """One bottom for all tasks, a tower each (Caruana 1997)."""

    problem: ClassVar[str] = "ranking"
    kind: Literal["shared_bottom"]


class MMoEBackbone(SharedBackbone):
    """Multi-gate mixture of experts (Ma et al. 2018)."""

    problem: ClassVar[str] = "ranking"
    kind: Literal["mmoe"]
    experts: Count = 8


class PLEBackbone(SharedBackbone):
    """Progressive layered extraction (Tang et al. 2020), an extraction layer for each expert layer."""

    problem: ClassVar[str] = "ranking"
    kind: Literal["ple"]
    shared_experts: Count = 4
    task_experts: Count = 4
    """Experts of each task, in each extraction layer."""


class SegNetBackbone(Strict):
    """One SegNet a task (Badrinarayanan et al. 2017); nothing is shared."""

    shares: ClassVar = False
    problem: ClassVar[str] = "scenes"
    kind: Literal["segnet"]


class SplitSegNetBackbone(Strict):
    """One SegNet for all tasks, a head each."""

    shares: ClassVar = True
    problem: ClassVar[str] = "scenes"
    kind: Literal["split_segnet"]


class MtanBackbone(Strict):
    """A shared SegNet with an attention network for each task (MTAN, Liu et al. 2019)."""

    shares: ClassVar = True
    problem: ClassVar[str] = "scenes"
    kind: Literal["mtan"]


Backbone = Annotated[
    SingleTaskBackbone
    | SharedBottomBackbone
    | MMoEBackbone
    | PLEBackbone
    | SegNetBackbone
    | SplitSegNetBackbone
    | MtanBackbone,
    Field(discriminator="kind"),
]
