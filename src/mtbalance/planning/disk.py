"""What a preset downloads and writes, against the disk that is free."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from mtbalance import places
from mtbalance.config.datasets import Dataset
from mtbalance.config.kinds import kind
from mtbalance.config.parameters import Parameters
from mtbalance.data import DataError
from mtbalance.errors import UserError

GIGABYTE = 1e9


class DataPlan(NamedTuple):
    """What one data set needs that is not here yet. None where nobody knows."""

    name: str
    state: str
    """``prepared``, ``raw files here``, ``generated here``, ``download`` or ``place by hand``."""
    sources: list[str]
    """Hosts, or data sets at Hugging Face, that files are downloaded from."""
    download: int | None
    """Bytes to download."""
    raw: int | None
    """Bytes that raw files will take on the disk, beside those that are there."""
    prepared: int | None
    """Bytes that the prepared data set will take, with what its runs write beside it."""
    about: bool
    """True if one of the numbers is not exact."""
    terms: str


class Disk(NamedTuple):
    """One file system: what is needed on it, and what is free. In bytes."""

    folder: Path
    needed: int
    free: int

    @property
    def enough(self) -> bool:
        """True if all that is known to be needed fits."""
        return self.needed <= self.free


def data_plans(parameters: Parameters) -> list[DataPlan]:
    """The data sets of the chosen preset, in the order of its experiments."""
    names = {name: None for experiment in parameters.active().values() for name in experiment.datasets}
    return [_plan(name, parameters.datasets[name]) for name in names]


def _plan(name: str, dataset: Dataset) -> DataPlan:
    size = dataset.size()
    if is_prepared(name, dataset):
        return DataPlan(name, "prepared", [], 0, 0, _to_come(name, dataset), False, dataset.terms)
    if dataset.generated:
        folder = Path(places.RAW.format(dataset=name))
        raw = 0 if all((folder / file).exists() for file in dataset.generated) else size.raw
        return DataPlan(name, "generated here", [], 0, raw, size.prepared, size.about, dataset.terms)
    files = dataset.needed()
    absent = [file for file in files if not Path(file.path).exists()]
    if not files:
        return DataPlan(name, "place by hand", [], 0, size.raw, size.prepared, size.about, dataset.terms)
    if not absent:
        return DataPlan(name, "raw files here", [], 0, 0, size.prepared, size.about, dataset.terms)
    known = [file.bytes for file in absent if file.bytes is not None]
    download: int | None = sum(known)
    about = len(known) < len(absent)
    if about:
        here = sum(path.stat().st_size for file in files if (path := Path(file.path)).is_file())
        download = None if size.raw is None else max(size.raw - here, sum(known))
    sources = list(dict.fromkeys(source(file.urls[0]) for file in absent))
    return DataPlan(name, "download", sources, download, download, size.prepared, about or size.about, dataset.terms)


def _to_come(name: str, dataset: Dataset) -> int:
    """Bytes that the runs of a prepared data set will yet write beside it."""
    with suppress(DataError):  # it will be prepared anew, and nothing is known of that
        return kind(dataset.problem).shared_bytes(Path(places.PREPARED.format(dataset=name)))
    return 0


def is_prepared(name: str, dataset: Dataset) -> bool:
    """True if every file of the prepared data set is there."""
    files = places.prepared(kind(dataset.problem).splits)
    return all(Path(file.format(dataset=name)).is_file() for file in files)


def source(address: str) -> str:
    """Where an address leads, in a word or two."""
    scheme, _, rest = address.partition(":")
    if scheme == "hf":
        return f"Hugging Face {rest.partition('@')[0]}"
    return "Google Drive" if scheme == "gdrive" else urlsplit(address).hostname or address


def disks(plans: Iterable[DataPlan]) -> list[Disk]:
    """The file systems that the raw and the prepared data go to; what is not known counts as nothing."""
    found: dict[int, Disk] = {}
    for plan in plans:
        for pattern, needed in ((places.RAW, plan.raw), (places.PREPARED, plan.prepared)):
            folder = _existing(Path(pattern.format(dataset=plan.name)))
            number = folder.stat().st_dev
            before = found.get(number) or Disk(folder, 0, shutil.disk_usage(folder).free)
            found[number] = before._replace(needed=before.needed + (needed or 0))
    return list(found.values())


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(one for one in (folder, *folder.absolute().parents) if one.is_dir())


def refuse_full_disk(parameters: Parameters) -> None:
    """Raise :class:`~mtbalance.errors.UserError` if the data of the chosen preset will not fit on the disk."""
    if short := [shortage(disk) for disk in disks(data_plans(parameters)) if not disk.enough]:
        raise UserError(
            f"Preset {parameters.preset}: {'; '.join(short)}. Free some space, or make data/raw and data/processed "
            f"links to a larger disk; `mtbalance plan --preset {parameters.preset}` says what takes how much"
        )


def shortage(disk: Disk) -> str:
    """What is missing on a file system, as text."""
    needed, free = disk.needed / GIGABYTE, disk.free / GIGABYTE
    return f"the data need {needed:.1f} GB, and {free:.1f} GB are free on the disk of {disk.folder.absolute()}"
