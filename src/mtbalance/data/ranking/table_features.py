"""The features of a table of one's own: its categorical and numerical columns, and the forms that they can have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from mtbalance.blocks import Block, refuse

AtLeastTwo = Annotated[int, Field(ge=2)]


class CategoricalColumn(Block):
    """A column whose values are categories."""

    column: str
    """The column."""
    at_least: AtLeastTwo | None = None
    """Training rows that a value must be in. All rarer values are one category, together with those that training rows
    do not have. Default: every value of the training rows is a category."""
    buckets: AtLeastTwo | None = None
    """Number of buckets that values are hashed into, for columns with very many values. A bucket is a category."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        both = self.at_least is not None and self.buckets is not None
        refuse([("buckets", "a column has `at_least` or `buckets`, not both")] if both else [])
        return self

    def name_beside(self, numbers: Collection[str]) -> str:
        """Its name in the prepared data beside those of ``numbers``: the column's, unless other values stand there."""
        if self.buckets is not None:
            return f"{self.column} (bucket)"
        return f"{self.column} (category)" if self.column in numbers else self.column


class NumericalColumn(Block):
    """A column whose values are numbers."""

    column: str
    """The column."""
    form: Literal["standard", "log1p", "quantile", "bins"] = "standard"
    """``standard``: as ``normalize`` says. ``log1p``: the same for log(1 + x), and for -log(1 - x) below zero.
    ``quantile``: the number's place among quantiles of the training rows, from -1 to 1. ``bins``: a category for each
    of the intervals between these quantiles."""
    mark_missing: bool = False
    """Add a category that says whether the number is missing."""


def _block(column: Any) -> Any:
    return {"column": column} if isinstance(column, str) else column


AnyCategorical = Annotated[CategoricalColumn, BeforeValidator(_block, json_schema_input_type=str | CategoricalColumn)]
"""A categorical column by its name alone, or as a block."""
AnyNumerical = Annotated[NumericalColumn, BeforeValidator(_block, json_schema_input_type=str | NumericalColumn)]
"""A numerical column by its name alone, or as a block."""


class Features(Block):
    """The features of a table. A column can be categorical and numerical at once."""

    categorical: list[AnyCategorical] = []
    """Columns whose values are categories, each by its name or as a block."""
    numerical: list[AnyNumerical] = []
    """Columns whose values are numbers, each by its name or as a block."""

    @model_validator(mode="after")
    def _at_least_one_and_none_twice(self) -> Self:
        refuse([] if self.categorical or self.numerical else [("", "no features: name `categorical` or `numerical`")])
        categories, numbers = [f.column for f in self.categorical], [f.column for f in self.numerical]
        for key, names in (("categorical", categories), ("numerical", numbers)):
            twice = sorted({name for name in names if names.count(name) > 1})
            refuse([(key, f"{', '.join(twice)}: named more than once")] if twice else [])
        return self

    def category_columns(self) -> Mapping[str, CategoricalColumn]:
        """The categorical columns, by the names that the prepared data have them under."""
        numbers = {feature.column for feature in self.numerical}
        return {feature.name_beside(numbers): feature for feature in self.categorical}

    def marks(self) -> Mapping[str, str]:
        """The columns whose missing numbers are marked, by the names of their marks in the prepared data."""
        return {f"{feature.column} (missing)": feature.column for feature in self.numerical if feature.mark_missing}

    def logarithms(self) -> list[str]:
        """The columns whose numbers are stored as logarithms."""
        return [feature.column for feature in self.numerical if feature.form == "log1p"]

    def feature_columns(self) -> list[str]:
        """The columns of the table that are features."""
        return list(dict.fromkeys([*(f.column for f in self.categorical), *(f.column for f in self.numerical)]))
