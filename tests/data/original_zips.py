"""Zips in the layout of the original AliExpress: files of searches and of items, packed one by one."""

import io
import zipfile
from pathlib import Path

import polars as pl

USER = [
    "search_id",
    *(f"categorical_{n}" for n in range(1, 8)),
    *(f"numerical_{n}" for n in range(1, 24)),
    "categorical_8",
    "categorical_9",
]
ITEM_CATEGORICAL = {19: 10, 34: 11, 35: 12, 36: 13, 40: 14, 41: 15, 42: 16}


def item_columns() -> list[str]:
    number = iter(range(24, 64))
    features = [
        f"categorical_{ITEM_CATEGORICAL[p]}" if p in ITEM_CATEGORICAL else f"numerical_{next(number)}"
        for p in range(2, 49)
    ]
    return ["search_id", *features, "label"]


def original_files(raw: Path) -> dict[str, bytes]:
    """The four headerless CSV files that give the rows of ``raw`` when joined."""
    files = {}
    for side in ("train", "test"):
        rows = pl.read_csv(raw / f"{side}.csv").with_columns(label=pl.col("click") + pl.col("conversion"))
        searches = rows.select(USER).unique(maintain_order=True).reverse()  # their order must not matter
        files[f"user_{side}"] = searches.write_csv(include_header=False).encode()
        files[f"item_{side}"] = rows.select(item_columns()).write_csv(include_header=False).encode()
    return files


def pack(path: Path, files: dict[str, bytes], folder: str = "aliexpress_NL_datasets", inner: bool = True) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{folder}/", "")
        for role, content in files.items():
            if inner:
                packed = io.BytesIO()
                with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as member:
                    member.writestr(f"nl_{role}.csv", content)
                content = packed.getvalue()
            archive.writestr(f"{folder}/nl_{role}.{'zip' if inner else 'csv'}", content)
    return path
