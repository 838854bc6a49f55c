"""The steps of Containerfile without a container: in a folder that stands for the image's root.

``python tests/container/steps.py FOLDER`` copies what COPY copies, and runs what RUN runs. A virtual environment is in
the place of the image's Python. Steps of apt are printed and left out. Paths below the image's root are made below
the folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def steps(text: str) -> Iterator[tuple[str, str]]:
    """The instructions of a container file and what stands after them; lines that end with a backslash go on."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            instruction, _, rest = line.partition(" ")
            yield instruction, rest.strip()


def build(root: Path, project: Path = PROJECT) -> dict[str, str]:
    """Do the steps of the project's Containerfile below ``root``. Returns the variables of a process in the image."""
    venv.create(root / "venv", with_pip=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    environment = inherited | {"PATH": os.pathsep.join([str(root / "venv/bin"), os.environ["PATH"]])}
    folder = root
    for instruction, rest in steps((project / "Containerfile").read_text()):
        if instruction == "WORKDIR":
            folder = root / rest.lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
        elif instruction == "COPY":
            *sources, target = rest.split()
            for source in sources:
                _copy(project / source, folder / target)
        elif instruction == "ENV":
            environment |= dict(pair.split("=", 1) for pair in rest.split())
        elif instruction == "RUN" and rest.startswith("apt-get"):
            print(f"left out: {rest}", file=sys.stderr)
        elif instruction == "RUN":
            subprocess.run(rest, shell=True, check=True, cwd=folder, env=environment)
    return environment


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    else:
        shutil.copy2(source, target)


if __name__ == "__main__":
    build(Path(sys.argv[1]).absolute())
