"""Damaged data, results and parameters end in one line that names the file, or in the right numbers."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
import yaml
from processes import command
from raw_subjects import FORMS, raw_subject
from result_subjects import CASES, result_subject
from subjects import MOST_MEGABYTES, MOST_SECONDS, REFUSED, RIGHT, SEED, Subject, damaged

RAW_TIMES, RESULT_TIMES, PARAMETERS_TIMES = 16, 20, 300
PARAMETERS = Path(__file__).parents[2] / "params.yaml"
VALUES = ["null", "[", "}", '"', "&a", "*a", "\t", "é", "1e400", "0x" + "f" * 300, "'../../x'", ": ", "- ", "\0", "!!a"]


def ends(subject: Subject, name: str, numbers: Sequence[int]) -> dict[str, int]:
    """How damages ended, counted. Raises ``AssertionError`` with all that ended as they must not."""
    counts: Counter[str] = Counter()
    faults = []
    for number in numbers:
        try:
            counts[damaged(subject, name, number)] += 1
        except AssertionError as error:
            faults.append(str(error))
    assert not faults, "\n\n".join(faults)
    return dict(counts)


@cache
def _nodes(text: str) -> list[yaml.Node]:
    """All keys and values of a text."""
    left, found = [yaml.compose(text)], []
    while left:
        node = left.pop()
        inside = node.value if isinstance(node, yaml.CollectionNode) else []
        left += [each for part in inside for each in (part if isinstance(part, tuple) else (part,))]
        found += [node]
    return found[1:]


def parameters_end(number: int) -> str:
    """How a damage of the project's params.yaml ended: in lines that each name the file, or in parameters."""
    draw, text = random.Random(f"{SEED} params.yaml {number}"), PARAMETERS.read_text()
    cut = draw.choice(_nodes(text))
    begin = draw.randrange(len(text))
    place = draw.choice([(cut.start_mark.index, cut.end_mark.index), (begin, begin + draw.choice([1, 9, 10**5]))])
    new = draw.choice(VALUES)
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, "project")
        folder.mkdir()
        (folder / "params.yaml").write_text(text[: place[0]] + new + text[place[1] :])
        ended = command(folder, "check")
        case = f"number {number}: {new[:20]!r} at {place} of params.yaml: {ended.status}, {ended.said[:2000]}"
        assert ended.status in (0, 1) and ended.seconds < MOST_SECONDS and ended.megabytes < MOST_MEGABYTES, case
        assert sorted(path.name for path in Path(root).rglob("*")) == ["params.yaml", "project"], case
        said = ended.said.removeprefix("mtbalance: ")
        assert ended.status == 0 or all(line.startswith(("params.yaml", "and ")) for line in said.splitlines()), case
    return REFUSED if ended.status else RIGHT


@pytest.mark.parametrize("name", ["table, gzip", "NYUv2, PNG and mat"])
def test_a_few_raw_files(name: str, tmp_path: Path):
    assert ends(raw_subject(name, tmp_path / "subject"), name, range(1))


@pytest.mark.parametrize("name", ["run records", "checkpoints"])
def test_a_few_results(name: str, project: Path):
    assert ends(result_subject(name, project), name, range(1))


@pytest.mark.faults
@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_raw_files(name: str, tmp_path: Path, told: Callable[..., None]):
    told("damaged", name=name, ends=ends(raw_subject(name, tmp_path / "subject"), name, range(RAW_TIMES)))


@pytest.mark.faults
@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_result(name: str, project: Path, told: Callable[..., None]):
    told("damaged", name=name, ends=ends(result_subject(name, project), name, range(RESULT_TIMES)))


@pytest.mark.faults
def test_parameters(told: Callable[..., None]):
    told("damaged", name="params.yaml", ends=dict(Counter(map(parameters_end, range(PARAMETERS_TIMES)))))
