"""What all blocks of the configuration are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mtbalance.combinations import Senseless

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
