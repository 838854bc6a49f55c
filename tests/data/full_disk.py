"""Preparing, generating and fetching data where large files cannot be written, as on a full disk."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mtbalance.config.datasets import Dataset

CHILD = """
import resource, sys
from pathlib import Path
from pydantic import TypeAdapter
from mtbalance.config.datasets import AnyDataset
from mtbalance.data import DataError
task, config = sys.argv[1], TypeAdapter(AnyDataset).validate_json(sys.argv[2])
output, room = Path(sys.argv[3]), int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))  # Python ignores SIGXFSZ: writes fail as on a full disk
try:
    config.prepare("full", output) if task == "prepare" else config.generate(output)
except DataError as error:
    print(error)
"""


def said_on_a_full_disk(task: str, config: Dataset, output: Path, room: int) -> str:
    """The error of ``prepare`` or ``generate`` where a file can have ``room`` bytes."""
    command = [sys.executable, "-c", CHILD, task, config.model_dump_json(), str(output), str(room)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@contextmanager
def little_room(room: int) -> Iterator[None]:
    """This process can write files of at most ``room`` bytes for a while."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
