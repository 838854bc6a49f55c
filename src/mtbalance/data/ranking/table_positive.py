"""PositiveValues: which values of ``positive`` were met in the rows of a table."""

from __future__ import annotations

from mtbalance.data.ranking.csv_blocks import RowBlock
from mtbalance.data.ranking.table_form import TableForm
from mtbalance.data.ranking.table_labels import matches


class PositiveValues:
    """Crosses out values as rows have them; what is left at the end was misspelt, or is of other rows."""

    def __init__(self, form: TableForm) -> None:
        self._columns = {task: block.column for task, block in form.tasks.items()}
        self._left = {task: list(block.positive or []) for task, block in form.tasks.items()}

    def look(self, block: RowBlock) -> None:
        """Cross out the values that the block's rows have."""
        for task, values in self._left.items():
            cells = block.frame.get_column(self._columns[task])
            values[:] = [value for value in values if not matches(cells, [value]).any()]

    def unmet(self) -> dict[str, list[str]]:
        """By task, the values that no row had; a task without any is left out."""
        return {task: [repr(value) for value in values] for task, values in self._left.items() if values}
