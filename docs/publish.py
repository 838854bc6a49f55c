"""Put the tables, the figures and the records of a finished preset into ``docs/results``.

    python docs/publish.py demo

``docs/results/demo`` then has a folder for each experiment, with one picture of predictions if there are any, and
``evidence.tar.xz``: all records, the collected metrics and the checksums. Without a name, the tables of all presets
there are made again from their archives, as after a change of a caption; ``tests/docs/test_results.py`` finds out when
that is due.
"""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from mtbalance import places
from mtbalance.cli.arguments import parameters_from
from mtbalance.reporting.tables import write_table
from mtbalance.verification.archive import CONTENTS, write_archive
from mtbalance.workflow import Workflow

RESULTS = Path(__file__).resolve().parent / "results"
EVIDENCE = "evidence.tar.xz"


def publish(preset: str) -> None:
    """Copy what the preset has made, in the working directory."""
    parameters = parameters_from(places.PARAMETERS, preset)
    workflow, folder = Workflow(parameters), RESULTS / preset
    shutil.rmtree(folder, ignore_errors=True)
    for experiment in parameters.active():
        (folder / experiment).mkdir(parents=True)
        files = (*workflow.tables(experiment), *workflow.figures(experiment), *workflow.pictures(experiment)[-1:])
        for path in map(Path, files):
            if path.suffix in (".md", ".png"):
                shutil.copy(path, folder / experiment)
    count = write_archive(folder / EVIDENCE, parameters)
    print(f"{folder.name}: {count} files in the archive")


def unpacked(folder: Path, root: Path) -> Workflow:
    """Unpack the archive of ``docs/results/<preset>`` into ``root``. Paths of the result are relative to it."""
    with tarfile.open(folder / EVIDENCE) as archive:
        archive.extractall(root, filter="data")
    preset = json.loads((root / CONTENTS).read_text())["preset"]
    return Workflow(parameters_from(str(root / places.PARAMETERS), preset))


def remake(folder: Path, output: Path) -> None:
    """Make the tables of ``docs/results/<preset>`` from its archive, into folders of ``output``."""
    output = output.resolve()
    with TemporaryDirectory() as root, chdir(root):
        workflow = unpacked(folder, Path(root))
        parameters = workflow.parameters
        for experiment, block in parameters.active().items():
            for path in map(Path, workflow.tables(experiment)):
                if path.suffix == ".md":
                    (metrics,) = workflow.shown(experiment, path.stem)
                    stem, settings = Path(root, "made", path.stem), parameters.tables
                    write_table(path.stem, Path(metrics), stem, title=block.title, **settings.model_dump())
                    (output / experiment).mkdir(exist_ok=True)
                    shutil.copy(stem.with_suffix(".md"), output / experiment)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        publish(name)
    for path in [] if sys.argv[1:] else RESULTS.glob(f"*/{EVIDENCE}"):
        remake(path.parent, path.parent)
