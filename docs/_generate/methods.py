"""The methods of ``params.yaml``: a rule at a level, and where it was published."""

from __future__ import annotations

import re
from pathlib import Path

from mtbalance.balancing.options import BalancerOptions
from mtbalance.blocks import Block
from mtbalance.config.reading import read_parameters
from mtbalance.reporting.names import balancer_name

PARAMETERS = Path(__file__).resolve().parents[2] / "params.yaml"
COMMENT = re.compile(r"^  (\w+): +\{[^}]*\} *(?:# *(.*))?$", re.MULTILINE)


def markdown() -> str:
    """One table: key, printed name, rule and level, the options that are set, and the remark of its line."""
    remarks = dict(COMMENT.findall(PARAMETERS.read_text(encoding="utf-8")))
    rows = [_row(name, block, remarks.get(name, "")) for name, block in read_parameters(PARAMETERS).balancers.items()]
    head = "| key | name | rule | level | options that are set | source |\n|:---|:---|:---|:---|:---|:---|\n"
    return head + "\n".join(rows) + "\n"


def _row(name: str, block: BalancerOptions, remark: str) -> str:
    printed = balancer_name(name)
    chosen = f"[`{block.rule}`](#rule-{block.rule}) | `{block.level}`"
    own = block.model_fields_set - {"level", "rule"}
    given = ", ".join(f"`{key}: {_value(getattr(block, key))}`" for key in type(block).model_fields if key in own)
    return f"| `{name}` | {printed if printed != name else ''} | {chosen} | {given} | {remark} |"


def _value(value: object) -> object:
    return value.model_dump(exclude_unset=True) if isinstance(value, Block) else value
