"""inserted: adds blocks to the text of ``params.yaml``, whose comments and order stay."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent

import yaml

from mtbalance.errors import UserError


def inserted(text: str, blocks: Mapping[str, str], source: str) -> str:
    """``text`` with each block as the first one below its key, indented as those that are there.

    Raises :class:`UserError` for a key that is not there or whose value is not written line by line, and for a block
    whose name is taken.
    """
    root = yaml.compose(text, yaml.SafeLoader)
    entries = {key.value: (key, value) for key, value in root.value} if isinstance(root, yaml.MappingNode) else {}
    lines = text.splitlines(keepends=True)
    places: dict[int, str] = {}
    for name, block in blocks.items():
        key, value = entries.get(name, (None, None))
        if key is None or not isinstance(value, yaml.MappingNode) or value.flow_style or not value.value:
            raise UserError(f"{source} has no blocks below a line `{name}:`; paste the blocks by hand")
        new, siblings = block.partition(":")[0], [sibling for sibling, _ in value.value]
        if new in [sibling.value for sibling in siblings]:
            raise UserError(f"{source}: {name}.{new} is there already; choose another --name")
        places[key.start_mark.line] = indent(block, " " * siblings[0].start_mark.column)
    return "".join(line + places.get(number, "") for number, line in enumerate(lines))
