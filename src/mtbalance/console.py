"""How a run shows itself: a bar with an expected end on a terminal, plain lines in a log."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class ProgressBar:
    """Progress of one run over its epochs, as a context manager."""

    def __init__(self, name: str, epochs: int) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
        )
        self.task = self.progress.add_task(name, total=epochs)

    def __enter__(self) -> ProgressBar:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def step(self, epoch: int, share: float) -> None:
        """Epoch number ``epoch`` is done to ``share`` (0 to 1)."""
        self.progress.update(self.task, completed=epoch - 1 + share)

    def line(self, text: str) -> None:
        """Print a line above the bar."""
        self.console.print(text)
