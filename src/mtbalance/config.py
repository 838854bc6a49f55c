"""The typed configuration: what every key of ``params.yaml`` means, and what is refused.

A run never reads ``params.yaml``: it receives its own part, with every default filled in, as one canonical JSON
string (:class:`RunConfig`, :func:`canonical`). That string is the run's identity: its digest names the run in
records, in MLflow and in Snakemake's provenance.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self, get_type_hints

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SerializeAsAny,
    Tag,
    create_model,
    model_validator,
)

from mtbalance.combinations import Senseless, of_balancer, of_training, refuse
from mtbalance.registry import available, load

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Side = Annotated[int, Field(ge=32, multiple_of=32)]
"""Height or width of images in pixels; five poolings halve it."""


class UnknownKeys(ValueError):
    """A block holds keys that its schema does not have."""

    def __init__(self, keys: list[str], allowed: list[str]) -> None:
        super().__init__(f"unknown keys {keys}; allowed: {allowed}")
        self.keys, self.allowed = keys, allowed


class Strict(BaseModel):
    """A block of the configuration: immutable, and without room for misspelt keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), use_attribute_docstrings=True)
    not_here: ClassVar[dict[str, str]] = {}
    """Keys that other blocks of the kind have and this one does not, and why."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, block: Any) -> Any:
        unknown = [key for key in block if key not in cls.model_fields] if isinstance(block, Mapping) else []
        refused = [(key, cls.not_here[key]) for key in unknown if key in cls.not_here]
        if refused:
            raise Senseless(refused)
        if unknown:
            raise UnknownKeys(unknown, list(cls.model_fields))
        return block


# --- data -----------------------------------------------------------------------------------------------------------


class RawFile(Strict):
    """A raw file: where it lies, and from where it can be fetched."""

    path: str
    """Where the file lies, relative to the project."""
    urls: list[str] = []
    """Addresses, tried in order; empty: the file must be placed by hand."""
    sha256: str | None = None
    """Checksum of the file; a file that does not match is refused."""


class HashSplit(Strict):
    """Shares of rows (or of groups of rows) that go to each split, by a seeded hash."""

    train: Fraction = 0.0
    valid: Fraction = 0.5
    test: Fraction = 0.5
    seed: int = 0


class SyntheticData(Strict):
    """Stand-in rows in the AliExpress layout. Never AliExpress: always labelled synthetic."""

    problem: ClassVar[str] = "ranking"
    tasks: ClassVar = ("click", "conversion")
    adapter: Literal["synthetic"]
    train_rows: Count = 100_000
    test_rows: Count = 100_000
    rows_per_search: Positive = 5.0
    """Mean number of rows that share one search."""
    click_rate: Fraction = 0.021
    """Mean click probability (NL sample: 0.021)."""
    conversion_rate: Fraction = 0.0007
    """Mean probability of click and conversion together (NL sample: 0.0007)."""
    conflict: Fraction = 0.5
    """0: what makes a click makes a conversion; 0.5: unrelated; 1: opposed."""
    signal: Positive = 1.5
    """Standard deviation of the true log-odds: how much can be learnt."""
    seed: int = 0
    split: HashSplit = HashSplit()
    """How the test rows are cut into valid and test, by search."""


class AliExpressData(Strict):
    """One country of the AliExpress searches (Tianchi 74690).

    The raw data come as the original zip, or as the processed ``train.csv`` and ``test.csv``; where both CSV files
    are there they are used. Each lies at its customary place unless it is said here.
    """

    problem: ClassVar[str] = "ranking"
    tasks: ClassVar = ("click", "conversion")
    adapter: Literal["aliexpress"]
    country: Literal["NL", "ES", "FR", "US"]
    archive: RawFile | None = None
    """The original zip (33 user and 49 item columns, no header)."""
    train_csv: RawFile | None = None
    """The processed form (82 columns, with a header)."""
    test_csv: RawFile | None = None
    split: HashSplit = HashSplit()
    """How the official test rows are cut into valid and test, by search."""

    def raw(self) -> dict[str, RawFile]:
        """The raw files ``archive``, ``train`` and ``test``, each at its place."""
        folder = "data/raw/aliexpress"
        return {
            "archive": self.archive or RawFile(path=f"{folder}/aliexpress_{self.country}_datasets.zip"),
            "train": self.train_csv or RawFile(path=f"{folder}/AliExpress_{self.country}/train.csv"),
            "test": self.test_csv or RawFile(path=f"{folder}/AliExpress_{self.country}/test.csv"),
        }

    def forms(self) -> list[list[RawFile]]:
        """The files of each form that the raw data may have, the preferred one first."""
        raw = self.raw()
        return [[raw["train"], raw["test"]], [raw["archive"]]]


class TableTask(Strict):
    """A binary task read from a column of a table."""

    column: str
    positive: list[str]
    """The values that make the label 1."""
    title: str | None = None
    """The task's name in tables; its key if left out."""


class TableData(Strict):
    """A table of one's own: CSV (also .gz or .zip) or Parquet, with its columns, tasks and split named here."""

    problem: ClassVar[str] = "ranking"
    adapter: Literal["table"]
    files: dict[Literal["all", "train", "test"], RawFile]
    """``all``, or ``train`` and ``test`` (valid is then cut from test)."""
    separator: str = ","
    columns: list[str] | None = None
    """Column names, in order, of files without a header line."""
    missing: list[str] = [""]
    """Cell texts that mean: no value. A category of its own, and the training mean of a number."""
    categorical: list[str]
    numerical: list[str] = []
    tasks: dict[str, TableTask]
    group: str | None = None
    """Rows with one value here stay in one split; left out: equal rows do."""
    normalize: Literal["none", "standard"] = "standard"
    """``standard``: numbers minus their training mean, over their training standard deviation."""
    split: HashSplit

    def raw(self) -> dict[str, RawFile]:
        """The raw files: ``all``, or ``train`` and ``test``."""
        return dict(self.files)


class SyntheticScenesData(Strict):
    """Stand-in scenes, rendered rooms in the NYUv2 layout. Never NYUv2: always labelled synthetic."""

    problem: ClassVar[str] = "scenes"
    tasks: ClassVar = ("segmentation", "depth", "normal")
    adapter: Literal["synthetic_scenes"]
    train_scenes: Count = 400
    test_scenes: Count = 100
    height: Side = 64
    width: Side = 96
    seed: int = 0


class NyuV2Data(Strict):
    """NYUv2 with 13 classes, depth and surface normals (Silberman et al. 2012), 795 training and 654 test images.

    The raw data come pre-processed, as MTAN's authors give them (``folder`` with ``train`` and ``val``, else
    ``archive``), or in the official pieces (``folder`` with ``splits.mat`` and the images).
    """

    problem: ClassVar[str] = "scenes"
    tasks: ClassVar = ("segmentation", "depth", "normal")
    adapter: Literal["nyuv2"]
    folder: str = "data/raw/nyuv2"
    archive: RawFile | None = None
    """A zip of ``train`` and ``val``; left out: ``nyuv2.zip`` in the folder."""
    height: Side = 288
    width: Side = 384
    """The official pieces are resized to height x width; the pre-processed ones must have this size."""
    train_images: Count = 795
    test_images: Count = 654
    """How many images make the set complete; another number is refused."""
    depth_unit: Positive = 5000.0
    """Steps a metre of the official pieces' depth images."""

    def raw(self) -> dict[str, RawFile]:
        """The one raw file that can have an address: ``archive``."""
        return {"archive": self.archive or RawFile(path=f"{self.folder}/nyuv2.zip")}

    def forms(self) -> list[list[RawFile]]:
        """The files or folders of each form that the raw data may have, the preferred one first."""
        kinds = ("image", "label", "depth", "normal")
        folders = [f"{side}/{kind}" for side in ("train", "val") for kind in kinds]
        preprocessed = [RawFile(path=f"{self.folder}/{name}") for name in folders]
        pieces = [RawFile(path=f"{self.folder}/{name}") for name in ("splits.mat", *kinds)]
        return [preprocessed, [self.raw()["archive"]], pieces]


Dataset = Annotated[
    SyntheticData | AliExpressData | TableData | SyntheticScenesData | NyuV2Data, Field(discriminator="adapter")
]


# --- model ----------------------------------------------------------------------------------------------------------


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

    problem: ClassVar[str] = "ranking"
    kind: Literal["single_task"]


class SharedBackbone(Strict):
    """What backbones with a shared trunk have in common."""

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

    problem: ClassVar[str] = "scenes"
    kind: Literal["segnet"]


class SplitSegNetBackbone(Strict):
    """One SegNet for all tasks, a head each."""

    problem: ClassVar[str] = "scenes"
    kind: Literal["split_segnet"]


class MtanBackbone(Strict):
    """A shared SegNet with an attention network for each task (MTAN, Liu et al. 2019)."""

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


# --- balancers: a rule at a level -----------------------------------------------------------------------------------


class Clip(Strict):
    """How far Clippy lets a coordinate move in a step: relative times its size, plus absolute.

    With the optimiser AdaGrad it is the original Clippy, whose authors' values are the defaults.
    """

    relative: NonNegative = 0.1
    absolute: NonNegative | None = None
    """Left out: 1e-7 with AdaGrad, as in the authors' code; 1e-4 with others (the released Adam form's 0.01, with
    relative 0.5, can never clip at lr 1e-3)."""
    accumulator: NonNegative = 0.0
    """AdaGrad only: allows this over the root of the accumulator too."""
    initial_accumulator: NonNegative = 0.1
    """AdaGrad only: what the accumulator begins with."""


Heads = Literal["own", "weighted"]
"""What a task's own parameters get. Their gradient of the sum of losses is the same as ``own``."""
Preconditioner = Literal["present", "delayed"]


class LossLevel(Strict):
    """One backward pass of the weighted sum of losses."""

    level: Literal["loss"]
    rule: str
    manipulation: Literal["none", "clippy"] = "none"
    """``clippy``: clip the joint update of every tensor (with equal weights: ClippyAdam)."""
    clip: Clip = Clip()
    preconditioner: Preconditioner | None = None
    """Clippy only: whether the divisor of an update has seen its gradient; left out: ``delayed`` with AdaGrad
    (the original), ``present`` with others."""
    max_norm: Positive | None = None
    """Shorten the gradient of all parameters to this norm before the optimiser's step; left out: never."""


class RepresentationLevel(Strict):
    """Balance dL_k/dz at the representation z where tasks fork; one backward pass through the trunk."""

    level: Literal["representation"]
    rule: str
    heads: Heads | None = None
    """What a task's own parameters get: gradients of its loss, or of its weighted loss; left out: the authors' way."""
    max_norm: Positive | None = None
    """Shorten the gradient of all parameters, trunk and heads, to this norm before the optimiser's step."""


class GradientLevel(Strict):
    """Balance dL_k/dtheta, the gradients of the shared parameters."""

    level: Literal["gradient"]
    rule: str
    heads: Heads | None = None
    every: Count = 1
    """Search weights at steps 1, n+1, 2n+1, ... and keep them between."""
    between: Literal["weighted_loss", "task_updates"] = "weighted_loss"
    """Between searches: one backward pass of the weighted sum, or K backward passes as at a search."""
    max_norm: Positive | None = None
    """Shorten the joint gradient of all parameters to this norm before the optimiser's step (NashMTL's code: 1.0)."""


class UpdateLevel(Strict):
    """Balance what the optimiser would do with each task's gradient alone (PUB, algorithm 1)."""

    not_here = {
        "max_norm": "shortens a joint gradient, and here updates are combined: their scale is rescale and lr; "
        "what limits an update is manipulation: clippy"
    }

    level: Literal["update"]
    rule: str
    heads: Heads | None = None
    every: Count = 1
    first_search: Count = 1
    """Step of the first search (the release's: 2); until then tasks weigh the same."""
    between: Literal["task_updates", "weighted_loss"] = "task_updates"
    rescale: Literal["sum_to_K", "sum_to_1", "match_norm", "none"] = "sum_to_K"
    """Scale of the weights: their sum made K, or 1; the joint update made as long as the plain sum; or as solved."""
    manipulation: Literal["none", "clippy", "adatask"] = "none"
    """What is done to each task's update before they are combined: clipped (PUB+Clippy), or from moments of its own
    (PUB+AdaTask; with equal weights: AdaTask)."""
    clip: Clip = Clip()
    preconditioner: Preconditioner | None = None
    """Whether the divisor of a task's update has seen its gradient (``present``, the release's) or not; left out:
    ``present``, but ``delayed`` for Clippy with AdaGrad (the original)."""
    moment_weights: Literal["rescaled", "solved", "ones"] | None = None
    """Weights of the gradients that the moments see: those of the step, those before ``rescale``, or none; left out:
    ``rescaled``, but ``ones`` for AdaTask's moments."""
    gram_over: Literal["shared", "all"] = "shared"
    """Whether a search looks at updates of shared parameters (the paper), or of all, towers too (the release)."""


LEVELS: dict[str, type[Strict]] = {
    "loss": LossLevel,
    "representation": RepresentationLevel,
    "gradient": GradientLevel,
    "update": UpdateLevel,
}


@cache
def balancer_model(level: str, rule: str) -> type[Strict]:
    """The schema of one balancer: the options of its level, then those of its rule (its constructor's)."""
    constructor = load("mtbalance.rules", rule).__init__
    hints = get_type_hints(constructor, include_extras=True)
    options = {
        name: (hints[name], parameter.default)
        for name, parameter in inspect.signature(constructor).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    return create_model(f"{rule} at {level}", __base__=LEVELS[level], **options)


def balancer_config(block: Mapping[str, Any]) -> Strict:
    """Validate one balancer's block of ``params.yaml``.

    Raises ``pydantic.ValidationError`` for a key or value that its level or its rule does not have, and for an
    unknown level or rule; :class:`Senseless` for options that do not go together.
    """
    names = create_model(
        "balancer",
        level=(Literal[tuple(LEVELS)], ...),
        rule=(Literal[tuple(available("mtbalance.rules"))], ...),
    ).model_validate(dict(block))
    config = balancer_model(names.level, names.rule).model_validate(dict(block))
    refuse(of_balancer(config))
    rule = load("mtbalance.rules", names.rule)
    rule.check_level(names.level)
    options = rule_options(config)
    tasks = len(next(iter(lists_of(options).values()), ())) or 2
    rule(tasks=tasks, **options)  # its constructor checks the values
    return config


def lists_of(options: Mapping[str, Any]) -> dict[str, list]:
    """The options of a rule that hold one value a task."""
    return {name: value for name, value in options.items() if isinstance(value, list)}


def task_faults(config: Strict, tasks: int, path: str) -> list[str]:
    """A line for each option of the balancer ``config``, at ``path``, that has values for another number of tasks."""
    lists = lists_of(rule_options(config))
    return [f"{path}.{name}: {len(found)} values, not {tasks}" for name, found in lists.items() if len(found) != tasks]


def rule_options(config: Strict) -> dict[str, Any]:
    """The options of ``config`` that belong to the rule's constructor."""
    level_keys = LEVELS[config.level].model_fields
    return {key: value for key, value in config.model_dump().items() if key not in level_keys}


def _as_balancer(block: Any) -> Strict:
    return block if isinstance(block, Strict) else balancer_config(block)


Balancer = Annotated[SerializeAsAny[Strict], BeforeValidator(_as_balancer)]
"""A balancer's block, checked by :func:`balancer_config`."""


# --- training -------------------------------------------------------------------------------------------------------


class OptimizerConfig(Strict):
    """The optimiser, and the one meaning of weight decay for all methods."""

    name: Literal["adam", "adagrad", "rmsprop"] = "adam"
    lr: Positive = 1e-3
    weight_decay: NonNegative = 1e-6
    decay: Literal["decoupled", "coupled"] = "decoupled"
    """``decoupled``: parameters shrink by lr times weight_decay, apart from the gradient (AdamW);
    ``coupled``: weight_decay times the parameter is added to the gradient (Adam)."""


class ScheduleConfig(Strict):
    """How the learning rate changes; left out, it does not."""

    warmup: Fraction = 0.0
    """Share of all steps over which it rises linearly from nothing."""
    every: Annotated[int, Field(ge=0)] = 0
    """Epochs between drops; 0: it never drops."""
    factor: Positive = 0.5
    """What a drop multiplies it by."""


class TrainingConfig(Strict):
    """Everything between a model and its test metrics."""

    epochs: Count
    batch_size: Count = 4096
    optimizer: OptimizerConfig = OptimizerConfig()
    patience: Annotated[int, Field(ge=0)] = 3
    """Stop after this many epochs without a better mean AUC; 0: never."""
    selection: Literal["valid", "test", "last"] = "valid"
    """Split whose mean AUC chooses the best epoch; ``test`` repeats a published habit and says so in the tables.
    ``last``: no epoch is chosen, and the test metrics are means over the last ``last_epochs`` epochs."""
    last_epochs: Count = 1
    schedule: ScheduleConfig = ScheduleConfig()
    micro_batches: Count = 1
    """Parts that a batch is computed in, to bound memory (gradient accumulation); not at level representation."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """``bfloat16``: products and convolutions in bfloat16, parameters and losses in float32 (autocast)."""
    channels_last: bool = False
    """Images laid out pixel by pixel in memory (scenes only)."""
    augment: bool = False
    """Random crops and flips of training images (scenes only)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"


def check_problem(model: Model, training: TrainingConfig) -> None:
    """Raise ``ValueError`` for training options that the model's kind of problem does not have."""
    if model.problem == "scenes":
        if training.selection != "last" or training.patience:
            raise ValueError("scenes have no one score to choose an epoch by: set selection: last and patience: 0")
    elif training.augment or training.channels_last:
        raise ValueError("augment and channels_last are of images: leave them out")


class NamedBlock(Strict):
    """A block with the name it has in ``params.yaml``."""

    name: str


class BackboneChoice(NamedBlock):
    """A backbone, by its name in ``params.yaml``."""

    options: Backbone


class BalancerChoice(NamedBlock):
    """A balancer, by its name in ``params.yaml``."""

    options: Balancer


class RunConfig(Strict):
    """One run: everything that decides its numbers, besides the data and the code."""

    experiment: str
    dataset: str
    backbone: BackboneChoice
    balancer: BalancerChoice
    model: Model
    training: TrainingConfig
    seed: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _refuse_what_makes_no_sense(self) -> Self:
        check_problem(self.model, self.training)
        faults = of_training(self.balancer.options, self.training)
        refuse((f"balancer.options.{key}", reason) for key, reason in faults)
        return self

    @property
    def cell(self) -> str:
        """Where the run stands in the grid, as a path."""
        return f"{self.experiment}/{self.dataset}/{self.backbone.name}/{self.balancer.name}/seed-{self.seed}"

    def digest(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(canonical(self).encode()).hexdigest()[:12]


def canonical(config: BaseModel) -> str:
    """Canonical JSON of ``config``: defaults filled in, keys sorted, no spaces."""
    return json.dumps(config.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
