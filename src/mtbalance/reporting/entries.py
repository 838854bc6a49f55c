"""entry_of: the function that makes a table or a figure, looked up by its name and the kind of problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pandas as pd

from mtbalance.config.kinds import kind, names_in, package_of
from mtbalance.errors import UserError
from mtbalance.registry import function, unknown


def entry_of(frame: pd.DataFrame, what: Literal["tables", "figures"], name: str) -> Callable[..., Any]:
    """The function of the table or figure ``name``, for the kind of problem of a collected table.

    Raises ``UserError`` if that kind has no such table or figure.
    """
    problem = str(frame["problem"].iloc[0])
    packages, called = {
        "tables": (kind(problem).tables, "tabulate"),
        "figures": (kind(problem).figures, "draw"),
    }[what]
    package = package_of(packages, name)
    if package is None:
        raise UserError(unknown(f"{problem} {what.removesuffix('s')}", name, names_in(packages)))
    return function(package, name, called)
