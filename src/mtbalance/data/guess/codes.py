"""why_code: what makes whole numbers look like names of things (zip codes, kinds, grades), not like amounts."""

from __future__ import annotations

import re

import polars as pl

from mtbalance.data.guess.look import Column

NAMES = {"zip", "zipcode", "postal", "postcode", "code", "codes", "id", "ids", "key", "fips", "sku", "type", "category"}
NAMES |= {"region", "district"}
"""Words that columns of codes often have in their names."""
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
"""A word of a name: ``zip_code``, ``zipCode`` and ``ZIPCode`` have two."""
FEW_VALUES = 20
ROWS_A_VALUE = 50
"""Rows that a value of few must have on average: fewer do not tell what it means by itself."""


def why_code(column: Column) -> str | None:
    """The reason to take a column for codes, in words; None for one of amounts, and for one that has no numbers."""
    if not column.whole:
        return None
    present = column.cells.drop_nulls()
    if present.str.contains(r"^0\d+$").any():
        return "codes: some begin with 0"
    if named := [word for word in WORD.findall(column.name) if word.lower() in NAMES]:
        return f"codes, as the word {named[0]} in the name says"
    if _told_as_one(column):
        return "codes: so long that they are one number to a model"
    if column.distinct <= FEW_VALUES and len(present) >= ROWS_A_VALUE * column.distinct:
        return "few whole numbers: codes?"
    return None


def _told_as_one(column: Column) -> bool:
    """True if many values are one or two numbers in float32, as a model gets them."""
    return column.numbers is not None and column.numbers.drop_nulls().cast(pl.Float32).n_unique() <= 2 < column.distinct
