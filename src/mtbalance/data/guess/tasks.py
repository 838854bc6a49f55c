"""Candidate: a column, or a limit on one, that could be a task; guessed from the table or wished for in words."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import Any, NamedTuple

import polars as pl

from mtbalance.data import DataError
from mtbalance.data.guess.alone import auc_alone
from mtbalance.data.guess.look import Column, Look
from mtbalance.data.ranking.schema import LEAK
from mtbalance.data.ranking.table_labels import matches
from mtbalance.data.ranking.table_tasks import TAKEN
from mtbalance.errors import quoted
from mtbalance.registry import unknown

LABELS = re.compile(
    r"label|target|class|outcome|response|income|click|buy|bought|purchase|order|convert|conversion|churn|default|fraud"
    r"|like|return|cancel|surviv|diagnos|disease|died|death|success|accept|approved|^y$|^is_|^has_",
    re.IGNORECASE,
)
"""Names that columns of labels often have."""
YES = ("1", "1.0", "yes", "y", "true", "t", "positive", "pos", "won")
"""Values that often are the positive one, in lower case."""
MOST_TASKS = 2
FEW_VALUES = 20
WORD = re.compile(r" (is|above|below|=|>|<)(?= .)")
"""What stands between a column and its value or limit, where a task is said in words."""
WORDS = {"=": "is", ">": "above", "<": "below"}
FORMS = "'COLUMN above NUMBER', 'COLUMN below NUMBER', 'COLUMN is VALUE' or COLUMN"


class Candidate(NamedTuple):
    """A task that the columns of a table could have."""

    name: str
    column: Column
    block: dict[str, Any]
    """Its block in ``params.yaml``."""
    label: pl.Series
    """The label of each row, null where there is none. For a regression: whether the number is above its median."""

    @property
    def regression(self) -> bool:
        """True for a task whose label is the number itself."""
        return self.block.get("kind") == "regression"

    def auc_of(self, column: Column) -> float:
        """How well a column alone tells the label, in the rows that have one (:func:`auc_alone`)."""
        rows = self.label.is_not_null()
        return auc_alone(column.within(rows), self.label.filter(rows).to_numpy())

    def leak(self, column: Column) -> str | None:
        """Why a column is a suspected leak of this task; None if it is not."""
        auc, told = self.auc_of(column), f"{self.name} above its median" if self.regression else self.name
        return f"suspected leak: alone it gives {told} an AUC of {auc:.3f}" if auc > LEAK else None

    def facts(self) -> str:
        """What a reader of its block wants to know."""
        numbers = self.column.numbers
        if self.regression and numbers is not None:
            present = numbers.drop_nulls().to_numpy()
            facts = f"from {present.min():g} to {present.max():g}"
        else:
            facts = f"{self.label.drop_nulls().to_numpy().mean():.2%} are positive"
        if missing := self.label.null_count():
            marks = ", ".join(map(repr, self.column.marks))
            facts += f", {missing / len(self.label):.1%} missing" + (f" ({marks} among them)" if marks else "")
        return facts if "positive" not in self.block else f"{facts}; it holds {self.column.values()}"


def key(text: str) -> str:
    """A name that keys, files and commands can have: small letters, digits and underscores."""
    found = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return found if found[:1].isalpha() else f"table_{found}".rstrip("_")


def tasks_of(table: Look, wishes: Sequence[str]) -> tuple[list[Candidate], list[Candidate]]:
    """The tasks that are wished for, or else guesses; and other columns that could be tasks, of guesses only."""
    tasks, others = ([wished(text, table) for text in dict.fromkeys(wishes)], []) if wishes else guessed(table.columns)
    return _named_apart(tasks, table), others


def _named_apart(tasks: Sequence[Candidate], table: Look) -> list[Candidate]:
    """The tasks under names that they can have, and that neither another task has nor another column."""
    found: list[Candidate] = []
    for task in tasks:
        taken = (
            {column.name for column in table.columns} - {task.column.name} | {other.name for other in found} | {*TAKEN}
        )
        names = (task.name, *(f"{task.name}_{number}" for number in range(2, len(taken) + 3)))
        found.append(task._replace(name=next(name for name in names if name not in taken)))
    return found


def guessed(columns: Sequence[Column]) -> tuple[list[Candidate], list[Candidate]]:
    """The likeliest tasks of a table, at most two that are not one and the same label; and the other candidates.

    Candidates are columns of two values: those with the name of a label first, then those without a missing one, then
    the last ones. If there is none, there is no task, and columns of few values are the other candidates.
    """
    placed = list(enumerate(columns))
    two = [(place, column) for place, column in placed if column.distinct == 2]
    few = [(place, column) for place, column in placed if 2 < column.distinct <= FEW_VALUES]
    ranked = sorted(
        two or few, key=lambda found: (LABELS.search(found[1].name) is None, found[1].missing > 0, -found[0])
    )
    candidates = [_of_values(key(column.name), column, [_likely_positive(column)]) for _, column in ranked]
    tasks: list[Candidate] = []
    for candidate in candidates if two else ():
        if len(tasks) < MOST_TASKS and not any(_same(candidate, task) for task in tasks):
            tasks.append(candidate)
    others = [candidate for candidate in candidates if all(candidate is not task for task in tasks)]
    places = {column.name: place for place, column in enumerate(columns)}
    return sorted(tasks, key=lambda task: places[task.column.name]), others


def wished(text: str, table: Look) -> Candidate:
    """The task that words wish for: ``delay above 15``, ``state is late, lost``, ``bought`` or ``euros``.

    The name of a column alone is its likely positive value if it has two, else a regression. Raises
    :class:`DataError` for a column or a value that is not there, for a limit that leaves one label, and for numbers
    with decimal commas or texts where numbers are needed.
    """
    columns, where = {column.name: column for column in table.columns}, f"{table.path}: --task {quoted(text)}"
    name, word, value = _parts(text, columns)
    if name not in columns:
        raise DataError(f"{where}: {unknown('column', name, list(columns))}; a task is {FORMS}")
    column, same = columns[name], f"{where}: all rows have the same label; the column holds"
    if column.alike:
        raise DataError(f"{same} {column.values() or 'nothing'}")
    if column.commas:
        raise DataError(f"{where}: the column holds {column.commas}")
    if word == "is":
        values = [each.strip() for each in value.split(",")]
        if absent := [each for each in values if not matches(column.cells, [each]).any()]:
            raise DataError(f"{where}: no row has {', '.join(map(quoted, absent))}; the column holds {column.values()}")
        named = name if value.lower() in YES else f"{name} is {value}"
        candidate = _of_values(key(named), column, values)
    elif word:
        candidate = _of_limit(key(f"{name} {word} {value}"), column, word, value, where)
    elif column.distinct == 2:
        candidate = _of_values(key(text), column, [_likely_positive(column)])
    elif column.numbers is None:
        example = quoted(f"{name} is {_likely_positive(column)}")
        raise DataError(
            f"{where}: a regression needs numbers, and a binary task the values that are positive, such as --task"
            f" {example}; the column holds {column.values()}"
        )
    else:
        above = column.numbers > column.numbers.median()
        candidate = Candidate(key(text), column, {"column": name, "kind": "regression"}, above)
    if candidate.label.n_unique() - (candidate.label.null_count() > 0) < 2:
        raise DataError(f"{same} {column.values()}")
    return candidate


def _parts(text: str, columns: Container[str]) -> tuple[str, str, str]:
    """The column, the word and the value of a task in words. Names may have such words in them, as ``spend > 100``."""
    if text in columns:
        return text, "", ""
    cuts = [(text[: cut.start()], WORDS.get(cut[1], cut[1]), text[cut.end() + 1 :]) for cut in WORD.finditer(text, 1)]
    named = [parts for parts in cuts if parts[0] in columns]
    return named[-1] if named else cuts[0] if cuts else (text, "", "")


def _of_values(name: str, column: Column, positive: list[str]) -> Candidate:
    label = matches(column.cells, positive).set(column.cells.is_null(), None)
    return Candidate(name, column, {"column": column.name, "positive": positive}, label)


def _of_limit(name: str, column: Column, word: str, value: str, where: str) -> Candidate:
    if column.numbers is None:
        raise DataError(f"{where}: a limit needs numbers; the column holds {column.values()}")
    try:
        limit = float(value)
    except ValueError:
        raise DataError(f"{where}: {quoted(value)} is no number") from None
    label = column.numbers > limit if word == "above" else column.numbers < limit
    number = int(limit) if limit.is_integer() else limit
    return Candidate(name, column, {"column": column.name, word: number}, label)


def _same(one: Candidate, other: Candidate) -> bool:
    """True if each of two labels tells the other almost surely."""
    return min(other.auc_of(one.column), one.auc_of(other.column)) > LEAK


def _likely_positive(column: Column) -> str:
    """A value that says yes; else the rarer of two, or the most frequent of several."""
    values = column.cells.drop_nulls().value_counts(sort=True).get_column(column.name).to_list()
    yes = next((value for value in values if value.lower() in YES), None)
    return str(yes or values[-1 if len(values) == 2 else 0])
