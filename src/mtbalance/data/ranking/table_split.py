"""TableSplit: how the rows of a table are split that have no file of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, model_validator

from mtbalance.blocks import Block, Fault, Fraction, Seed, changed, refuse
from mtbalance.data.ranking.schema import SPLITS, SplitName

ROUNDING = 1e-6


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, bool | int | float) else value


Values = list[Annotated[str, BeforeValidator(_text, json_schema_input_type=str | bool | int | float)]]


class TableSplit(Block):
    """How rows are split: by a hash of the whole row or of its group, by time or their order, or by a column's values.

    One file of all rows is cut into ``train``, ``valid`` and ``test``. Where train and test have files, the train file
    is cut into ``train`` and ``valid``.
    """

    not_here: ClassVar = {"group": "stands beside `split`, not in it"}

    train: Fraction | Values | None = None
    """Share of train. With ``column``, the values of its rows."""
    valid: Fraction | Values | None = None
    """Share of valid, or the values of its rows."""
    test: Fraction | Values | None = None
    """Share of test, or the values of its rows."""
    time: str | None = None
    """Column of times, which are numbers or begin as 2026-11-28 does: train is the first share, and test the last. Rows
    of one time stay together."""
    in_order: bool = False
    """Rows stand in the order of time and have no column of it: train is the first share, and test the last."""
    column: str | None = None
    """Column whose values decide."""
    seed: Seed = 0
    """Seed of the hash; another seed gives another split."""

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        given = {name: getattr(self, name) for name in SPLITS if getattr(self, name) is not None}
        deciding = self._deciding()
        if len(deciding) > 1:
            first, *_, last = deciding
            yield last, f"rows are split by `{first}` or by `{last}`, not by both"
        elif self.column is None:
            listed = [name for name, share in given.items() if isinstance(share, list)]
            yield from ((name, "these are values: say of which `column`") for name in listed)
            yield from ((name, "no row would go here") for name in given if given[name] == 0)
            total = sum(share for share in given.values() if not isinstance(share, list))
            if not listed and abs(total - 1) > ROUNDING:
                yield "", f"the shares of {', '.join(given) or 'no split'} sum to {total:.6g}; they must sum to 1"
        else:
            shares = [name for name, values in given.items() if not isinstance(values, list)]
            yield from ((name, f"list the values of column {self.column!r} that go here") for name in shares)
            values = [value for name in given.keys() - set(shares) for value in given[name]]
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                yield "column", f"the values {', '.join(twice)} are listed more than once"
        if changed(self, "seed") and deciding:
            yield "seed", f"nothing is drawn where `{deciding[0]}` decides; leave it out"

    def _deciding(self) -> list[str]:
        return [name for name in ("time", "in_order", "column") if getattr(self, name)]

    def by_hash(self) -> bool:
        """True if neither a column nor the order of rows decides."""
        return not self._deciding()

    def given(self) -> list[SplitName]:
        """The splits that have a share or values."""
        return [name for name in SPLITS if getattr(self, name) is not None]

    def shares(self, parts: Sequence[SplitName]) -> list[float]:
        """The shares of some splits."""
        return [share for name in parts if isinstance(share := getattr(self, name), float)]

    def values(self, parts: Sequence[SplitName]) -> dict[str, int]:
        """The listed values, each with the position of its split in ``parts``."""
        return {value: position for position, name in enumerate(parts) for value in getattr(self, name)}

    def rule(self, group: str | None) -> str:
        """What decides, in a few words."""
        if self.columns():
            return f"by {'time' if self.time else 'the values'} in {self.columns()[0]}"
        if self.in_order:
            return "in the order of the rows"
        return f"by a hash of {group or 'the whole row'}"

    def columns(self) -> list[str]:
        """The column that decides, if there is one."""
        return [name for name in (self.time, self.column) if name is not None]
