"""Dataset: the base of all adapters, with the fields and methods that each of them has."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    SerializeAsAny,
    StringConstraints,
    field_validator,
    model_validator,
)

from mtbalance.blocks import Block, Bytes, Fraction, Seed, refuse
from mtbalance.config.addresses import parsed, shown
from mtbalance.config.sizes import Size, StandIn
from mtbalance.errors import UserError
from mtbalance.registry import available, entry, unknown

ADAPTERS = "mtbalance.data.adapters"
TRUTH = "truth.csv"
"""The raw file of a stand-in data set that has the true probabilities of its test rows."""
Checksum = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]


def _folder(address: str) -> str:
    try:
        parsed(f"{address}/file")
    except ValueError:
        raise ValueError(
            "an address of a folder is https://<host>/<path>, hf:<owner>/<data set>@<revision> or gdrive:<folder id>"
        ) from None
    return address


Folder = Annotated[str, AfterValidator(_folder), PlainSerializer(shown)]
"""An address that the names of files are appended to."""
Address = Annotated[str, PlainSerializer(shown)]
"""An address of a file. As JSON, which commands and Snakemake's records hold, it is without secrets."""


class RawFile(Block):
    """A raw file: its place, and the addresses that it can be fetched from."""

    path: str
    """The file's place, relative to the project."""
    urls: list[Address] = []
    """Addresses, tried in order; empty: the file must be placed by hand. Forms: ``https://...``,
    ``hf:<owner>/<data set>@<revision>/<file>`` (Hugging Face), ``gdrive:<folder or file id>/<name>`` (Google Drive)."""
    sha256: Checksum | None = None
    """SHA-256 of the file; another file is refused. Without it, the file must stay what it was when it first came."""
    bytes: Bytes | None = None
    """Size of the file as published; another size is refused."""

    @field_validator("urls")
    @classmethod
    def _of_a_known_kind(cls, urls: list[str]) -> list[str]:
        faults = []
        for place, address in enumerate(urls):
            try:
                parsed(address)
            except ValueError as error:
                faults.append((str(place), str(error)))
        refuse(faults)
        return urls

    def obtainable(self) -> bool:
        """True if the file is there or has an address."""
        return bool(self.urls) or Path(self.path).exists()


class HashSplit(Block):
    """Shares of rows (or of groups of rows) that go to each split, by a seeded hash. They are relative to their sum."""

    train: Fraction = 0.0
    """Share of train; unused if training rows have a file of their own."""
    valid: Fraction = 0.5
    """Share of valid."""
    test: Fraction = 0.5
    """Share of test."""
    seed: Seed = 0
    """Seed of the hash; another seed gives another split."""

    @model_validator(mode="after")
    def _refuse_empty_splits(self) -> Self:
        refuse((name, "no row would go here") for name in ("valid", "test") if not getattr(self, name))
        return self


class Prepared(Protocol):
    """A description of a prepared data set."""

    def lines(self) -> Iterator[str]:
        """A summary of each split as readable text, one line each."""


class Dataset(Block):
    """A data set: the block of ``params.yaml``, and the adapter that prepares it. One adapter per file.

    Paths are relative to the working directory, which is the project's. Parsing ``params.yaml`` imports every adapter
    that it names, so a file of an adapter imports torch, polars and the like only within its methods.
    """

    problem: ClassVar[str]
    """The kind of problem that it is data for."""
    generated: ClassVar[tuple[str, ...]] = ()
    """The raw files that a stand-in data set generates in its folder of ``data/raw``; none for a real one."""
    terms: ClassVar[str] = "unknown here: see where the files come from"
    """Whose terms of use hold, in a few words."""
    model: ClassVar[Mapping[str, Any]] = {}
    """Options under ``model`` of an experiment that it decides where they are left open."""

    adapter: str
    """The file in ``mtbalance.data.adapters``."""

    @abstractmethod
    def task_names(self) -> Sequence[str]:
        """Names of the tasks."""

    def regressions(self) -> Sequence[str]:
        """Names of the tasks that are regressions. Default: none."""
        return ()

    def forms(self) -> Sequence[Sequence[RawFile]]:
        """The files of each form that the raw data may have, the preferred one first."""
        return ()

    def raw_files(self) -> list[RawFile]:
        """All raw files that can be fetched or placed by hand."""
        return [file for form in self.forms() for file in form]

    def needed(self) -> list[RawFile]:
        """The files of the first form whose files all are there or have an address; else none."""
        return next((list(form) for form in self.forms() if all(file.obtainable() for file in form)), [])

    @abstractmethod
    def prepare(self, name: str, output: Path) -> Prepared:
        """Write the splits as Parquet and ``schema.json`` of the data set ``name`` into the folder ``output``.

        Raises ``DataError`` for raw data that are missing or broken; ``output`` is then as it was before.
        """

    def look(self) -> None:
        """Raise ``DataError`` if the raw files at hand begin as this block does not say. Default: no look."""

    def routes(self, name: str) -> str:
        """What else can be done on a machine that cannot fetch the raw data of the data set ``name``."""
        return f"Its addresses stand under datasets.{name}"

    def size(self) -> Size:
        """What is known of its size before it is here. Default: nothing."""
        return Size()

    def stand_in(self, whole: bool = False) -> StandIn | None:
        """A small synthetic data set of its layout; None if there is none. ``whole``: images of the full size, too."""
        return None

    def generate(self, folder: Path) -> None:
        """Write the raw files of a stand-in data set into ``folder``. Raises ``UserError`` for a real data set."""
        raise UserError(f"{self.adapter} is real: its data are fetched or placed by hand, not generated")


def _dataset(block: Any) -> Dataset:
    if isinstance(block, Dataset):
        return block
    known = available(ADAPTERS)
    adapter = block.get("adapter") if isinstance(block, Mapping) else None
    if adapter not in known:
        said = unknown("adapter", adapter, known) if isinstance(adapter, str) else f"missing; one of {', '.join(known)}"
        refuse([("adapter", said)])
    return entry(ADAPTERS, str(adapter), Dataset).model_validate(dict(block))


AnyDataset = Annotated[SerializeAsAny[Dataset], BeforeValidator(_dataset)]
"""A data set's block, checked by its adapter."""
