"""draft: blocks of ``params.yaml`` for a table, with what was guessed and why in comments."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from mtbalance.data import DataError
from mtbalance.data.guess.look import Look
from mtbalance.data.guess.roles import Feature, Roles
from mtbalance.data.guess.tasks import key
from mtbalance.data.ranking.table_held import MOST_VALUES

FEW_ROWS = 20_000
SECTIONS = {
    "numerical": "amounts; codes of places, kinds or users belong to `categorical`",
    "categorical": "codes; amounts belong to `numerical`",
}
"""Where features stand, and what belongs there."""
REGRESSIONS_SHOWN = """  tables: [regression, cost]
  figures: [curves, weights, speed]
"""
"""The defaults show binary tasks."""
BOTH_SHOWN = "  tables: [auc, ne, regression]\n"


def draft(table: Look, roles: Roles, name: str, raw: Path | None = None) -> dict[str, str]:
    """Blocks by the keys of ``params.yaml`` that they go below: ``presets``, ``experiments`` and ``datasets``.

    ``raw`` is the path that they name; default: the table's own. Raises
    :class:`DataError` for a table without a column that could be a task, or without one that could be a feature.
    """
    if not roles.tasks:
        raise DataError(f"{table.path}: no column has two values, so say what is predicted{_wishes(roles)}")
    if not roles.features:
        raise DataError(f"{table.path}: no column is left that could be a feature; look at {_ignored(roles)}")
    return {
        "presets": f"{name}: [{name}]\n",
        "experiments": _experiment(table, roles, name),
        "datasets": "\n".join(_dataset(table, raw or table.path, roles, name)) + "\n",
    }


def _ignored(roles: Roles) -> str:
    """The first columns that are left out, each with the reason."""
    return "; ".join(f"{name} ({reason})" for name, reason in islice(roles.ignore.items(), MOST_VALUES))


def _wishes(roles: Roles) -> str:
    """Tasks that a user could ask for, as the end of a sentence."""
    columns = [*(other.column for other in roles.others), *(feature.column for feature in roles.features)]
    values = [
        f"{other.column.name} is {other.block['positive'][0]}"
        for other in roles.others
        if other.column.numbers is None and not other.column.commas
    ]
    limits = [
        f"{column.name} above {column.numbers.drop_nulls().to_numpy().mean():.3g}"
        for column in columns
        if column.numbers is not None
    ]
    examples = [f"--task '{text}'" for text in (*values[:1], *limits[:1])]
    return f", such as {' or '.join(examples)}" if examples else ""


def _experiment(table: Look, roles: Roles, name: str) -> str:
    batch = 256 if table.rows < FEW_ROWS else 1024
    kinds = {task.regression for task in roles.tasks}
    shown = BOTH_SHOWN if len(kinds) > 1 else REGRESSIONS_SHOWN if kinds == {True} else ""
    return f"""{name}:
  title: {_inline(name.replace("_", " ").capitalize())}
  datasets: [{name}]
  grid:
    single_task: [ls]
    mmoe: [ls, uncertainty, nashmtl, multibalance, pub]
  seeds: [0, 1, 2]    # with two, hardly any difference can be told from chance
  model: {{embedding: 8, expert: [64, 32], tower: [32], dropout: 0.1, head_bias: rate}}
  training:    # a run ends early when `patience` epochs in a row were not better on valid
    {{epochs: 30, batch_size: {batch}, patience: 2, optimizer: {{lr: 1.0e-3, weight_decay: 1.0e-6}}}}
  # tuning: {{trials: 3, grid: {{optimizer.lr: [3.0e-4, 1.0e-3, 3.0e-3]}}}}    # each at its best rate
{shown}"""


def _dataset(table: Look, raw: Path, roles: Roles, name: str) -> Iterable[str]:
    counted = "rows" if table.whole else "first rows: those behind them can differ"
    yield f"{name}:    # guessed from {table.rows:,} {counted}; read every line"
    yield "  adapter: table"
    yield "  files:"
    yield f"    all: {_inline({'path': str(raw)})}"
    if table.separator != ",":
        yield f"  separator: {_inline(table.separator)}"
    if table.missing != [""]:
        yield f"  missing: {_inline(table.missing)}"
    for section, about in SECTIONS.items():
        chosen = [feature for feature in roles.features if feature.numerical == (section == "numerical")]
        yield from _features(section, about, chosen, table.rows)
    if roles.ignore:
        yield "  ignore:    # a suspected leak is a column that may be written after the label was known"
        yield from (f"    {_inline(column)}: {_inline(reason)}" for column, reason in roles.ignore.items())
    yield "  tasks:    # what is predicted; `mtbalance new --task 'COLUMN above NUMBER'` writes others"
    yield from (f"    {task.name}: {_inline(task.block)}    # {task.facts()}" for task in roles.tasks)
    for other in roles.others:
        yield f"    # {_inline(other.column.name)} could be one, too: it holds {other.column.values()}"
    for name_of_count, above in roles.counts.items():
        block = _inline({"column": name_of_count, "above": 0})
        yield f"    # {key(name_of_count)}: {block}    # {above:.1%} are above 0; then it can be no feature"
    if roles.group:
        yield f"  group: {_inline(roles.group)}    # its rows stay in one split; it is no feature then"
    for group in roles.groups:
        yield f"  # group: {_inline(group)}    # if its values are users, visits ...: their rows then stay in one split"
    if roles.times:
        by_time = _inline({"time": roles.times[0], "train": 0.6, "valid": 0.2, "test": 0.2})
        beside = "; `group` must then go" if roles.group else ""
        yield f"  # split: {by_time}    # trains on the past{beside}"
    about = "" if roles.group else "    # `group: column`, beside it, keeps a user's rows together"
    yield f"  split: {{train: 0.6, valid: 0.2, test: 0.2}}{about}"


def _features(section: str, about: str, features: list[Feature], rows: int) -> Iterable[str]:
    if features:
        yield f"  {section}:    # {about}"
    for feature in features:
        column = feature.column
        item = {"column": column.name, **feature.options} if feature.options else column.name
        facts = [f"{column.distinct:,} values" if column.distinct > MOST_VALUES else column.values()]
        if column.missing:
            facts.append(f"{column.missing / rows:.1%} missing")
        if feature.reason and column.distinct > 2:
            facts.append(feature.reason)
        if but_for := column.but_for:
            facts.append(but_for)
        if feature.numerical and column.whole and column.distinct > MOST_VALUES:
            facts.append("whole numbers: amounts?")
        yield f"    - {_inline(item)}    # {', '.join(facts)}"


def _inline(value: Any) -> str:
    """A value as YAML in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
