"""Data sets: where their raw files lie, and how they are prepared."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mtbalance.config.blocks import Count, Fraction, Positive, Side, Strict


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
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
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
