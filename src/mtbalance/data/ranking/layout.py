"""The columns of a prepared data set, in order, and their types in Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from mtbalance.data import DataError


@dataclass(frozen=True)
class Layout:
    """Which columns a data set has, and what each is for."""

    categorical: tuple[str, ...]
    numerical: tuple[str, ...]
    tasks: Mapping[str, str]
    """Name (the label's column) and title of each task."""
    group: str | None = None
    """Column whose equal values stay in one split, kept beside the features."""
    text: bool = False
    """Categories and groups are strings; otherwise int32 and int64."""

    def __post_init__(self) -> None:
        doubled = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if doubled:
            raise DataError(f"columns {doubled} have two roles; a task may need another name than its column")

    @property
    def columns(self) -> list[str]:
        """All columns: group, categorical, numerical, labels."""
        apart = self.group is not None and self.group not in (*self.categorical, *self.numerical)
        group = [self.group] if apart else []
        return [*group, *self.categorical, *self.numerical, *self.tasks]

    def arrow_schema(self) -> pa.Schema:
        """Types as stored: the raw values, exactly."""
        identifier, group = (pa.string(), pa.string()) if self.text else (pa.int32(), pa.int64())
        types = dict.fromkeys(self.categorical, identifier) | dict.fromkeys(self.numerical, pa.float32())
        types |= dict.fromkeys(self.tasks, pa.uint8())
        return pa.schema([pa.field(name, types.get(name, group), nullable=False) for name in self.columns])
