"""PositiveValues: which values of ``positive`` were met in the rows of a table."""

from __future__ import annotations

from collections.abc import Iterable

from mtbalance.data import DataError
from mtbalance.data.ranking.csv_blocks import RowBlock
from mtbalance.data.ranking.table_form import TableForm
from mtbalance.data.ranking.table_held import held
from mtbalance.data.ranking.table_labels import matches


class PositiveValues:
    """Crosses out values as rows have them; what is left at the end was misspelt, or is of other rows."""

    def __init__(self, form: TableForm) -> None:
        self._form = form
        self._left = {task: list(block.positive or []) for task, block in form.tasks.items()}
        self._held: dict[str, str] = {}
        """By task, what the first block with a label holds."""

    def look(self, block: RowBlock) -> None:
        """Cross out the values that the block's rows have."""
        for task, values in self._left.items():
            cells = block.frame.get_column(self._form.tasks[task].column)
            values[:] = [value for value in values if not matches(cells, [value]).any()]
            if values and task not in self._held and not cells.is_in([None, *self._form.missing]).all():
                self._held[task] = held(cells)

    def refuse(self, files: Iterable[str]) -> None:
        """Raise :class:`DataError` for a task that has labels, none of which is a value of its ``positive``."""
        for task, values in self._left.items():
            block = self._form.tasks[task]
            if values and values == block.positive and task in self._held:
                listed = ", ".join(map(repr, values))
                raise DataError(
                    f"{', '.join(files)}: task {task!r}: no row has {listed}, which `positive` names, in column"
                    f" {block.column!r}; it holds {self._held[task]}"
                )

    def unmet(self) -> dict[str, list[str]]:
        """By task, the values that no row had; a task without any is left out."""
        return {task: [repr(value) for value in values] for task, values in self._left.items() if values}
