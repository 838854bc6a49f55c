"""Writing a folder of files: all of them, or none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from mtbalance.data import DataError


@contextmanager
def writing(output: Path) -> Iterator[None]:
    """Turn an error of the operating system, such as a full disk, into a :class:`DataError` that names ``output``."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{output}: cannot write: {error}; free disk space or fix the permissions, then run it again"
        ) from error


class Staging:
    """A temporary folder beside ``output``, whose files move there when all are complete; a context manager.

    After an error the temporary folder is gone and ``output`` is as it was. A temporary folder that a killed process
    left is replaced: two processes must not write to one ``output`` at a time.
    """

    def __init__(self, output: Path) -> None:
        self._output = output

    def __enter__(self) -> Self:
        with self.writing():
            self.folder = self._output.parent / f".{self._output.name}.partial"
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
        return self

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn an error of the operating system, such as a full disk, into a :class:`DataError`."""
        with writing(self._output):
            yield

    def move(self, names: Sequence[str]) -> None:
        """Move the files to their place, in order.

        The presence of the last one means that the set is complete: it is removed first and moved last.
        """
        with self.writing():
            self._output.mkdir(exist_ok=True)
            for name in reversed(names):  # renaming over a large file can take as long as writing it
                (self._output / name).unlink(missing_ok=True)
            for name in names:
                (self.folder / name).replace(self._output / name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
