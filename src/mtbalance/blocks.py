"""Block: the base of all checked option blocks, of ``params.yaml`` and of the library's arguments. Free of torch.

An option is either a field of a block, with its sentence in the docstring below it, or a keyword-only argument of a
rule's or a backbone's constructor, with its sentence in its type:
``Annotated[Count, "Experts that all tasks share."]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, create_model, model_validator
from pydantic.fields import FieldInfo

from mtbalance.described import Described

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1, lt=2**31)]
Bytes = Annotated[int, Field(ge=1, lt=2**63)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""A seed that every generator of random numbers takes."""
Side = Annotated[int, Field(ge=32, multiple_of=32)]
"""Height or width of images in pixels; five poolings halve it."""

Fault = tuple[str, str]
"""The path of a key in the block at fault, and what is wrong with its value."""


class UnknownKeys(ValueError):
    """A block holds keys that its schema does not have."""

    def __init__(self, keys: list[str], allowed: list[str]) -> None:
        super().__init__(f"unknown keys {keys}; allowed: {allowed}")
        self.keys, self.allowed = keys, allowed


class Contradictions(ValueError):
    """Options that contradict each other, or that would have no effect."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{key}: {reason}" for key, reason in faults))
        self.faults = list(faults)


def refuse(faults: Iterable[Fault]) -> None:
    """Raise :class:`Contradictions` if there are any."""
    found = list(faults)
    if found:
        raise Contradictions(found)


def _once(values: list[Any]) -> list[Any]:
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    refuse([("", f"{', '.join(twice)}: named more than once")] if twice else [])
    return values


Once = AfterValidator(_once)
"""For the type of a list that may not have a value twice."""


class Block(Described):
    """Options that belong together: immutable, and without room for misspelt keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())
    not_here: ClassVar[dict[str, str]] = {}
    """Keys that other blocks of the kind have and this one does not, and why."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, block: Any) -> Any:
        unknown = [key for key in block if key not in cls.model_fields] if isinstance(block, Mapping) else []
        refuse((key, cls.not_here[key]) for key in unknown if key in cls.not_here)
        if unknown:
            raise UnknownKeys(unknown, list(cls.model_fields))
        return block


AnyBlock = TypeVar("AnyBlock", bound=Block)


def extended(base: type[AnyBlock], name: str, options: Mapping[str, tuple[Any, Any]]) -> type[AnyBlock]:
    """The block ``base`` with the options of an entry as further fields: {name: (type, default)}."""
    fields: dict[str, Any] = {key: (kind, _field(kind, default)) for key, (kind, default) in options.items()}
    return create_model(name, __base__=base, **fields)


def _field(kind: Any, default: Any) -> FieldInfo:
    """A field with its sentence: the text among the metadata of its type."""
    sentences = [part for part in getattr(kind, "__metadata__", ()) if isinstance(part, str)]
    found: FieldInfo = Field(default, description=sentences[0] if sentences else None)
    return found


def changed(block: Block, key: str) -> bool:
    """True if a key of a checked block has another value than its default."""
    return bool(getattr(block, key) != type(block).model_fields[key].default)
