"""Damaged files of parameters: each is refused in lines that name the file, quickly, in little memory."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest
import yaml

from mtbalance.config.reading import MOST_BYTES, MOST_FAULTS, ParametersError, read_parameters
from workflow_tree import TINY

TEXT = yaml.safe_dump(TINY, sort_keys=False)
LAUGH = "x:\n  - &a0 [1, 1]\n" + "".join(f"  - &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
WHOLE = {
    "5,000 brackets": (TEXT + "x: " + "[" * 5000, "cannot be read as YAML: its brackets are nested too deeply"),
    "5,000 blocks": ("".join(" " * n + "a:\n" for n in range(5000))[:MOST_BYTES], "nested too deeply"),
    "aliases of aliases": (TEXT + LAUGH, r":\d+: cannot be read as YAML: its aliases .* repeat too much"),
    "an alias of itself": (TEXT + "x: &a [*a]\n", r":\d+: cannot be read as YAML: its aliases .* repeat too much"),
    "a number of 5,000 digits": (TEXT + f"x: {'9' * 5000}\n", r":\d+: cannot be read as YAML: Exceeds the limit"),
    "a day that is none": (TEXT + "x: 2026-13-45\n", r":\d+: cannot be read as YAML: month must be in"),
    "a tag": (TEXT + "x: !!python/object/apply:os.system [touch made]\n", r":\d+: .*could not determine a constructor"),
    "bytes that are no text": (b"preset: \xff\xfe", "cannot be read as YAML: 'utf-8' codec"),
    "a sign that YAML does not have": ("preset: \x00", "unacceptable character"),
    "nothing": ("", "holds no keys; it should begin with `preset:`"),
    "a list": ("[1, 2]", "holds no keys"),
    "a megabyte": ("#" * 10**6, "has more than 500,000 bytes: that is no file of parameters"),
    "a value of 100,000 signs": (
        TEXT.replace("epochs: 1", f"epochs: {'x' * 10**5}"),
        "a whole number is wanted, not 'xx",
    ),
    "a key of 100,000 signs": (TEXT + f"? {'x' * 10**5}\n: 1\n", "xxx.*: unknown key"),
    "a name of 100,000 signs": (
        TEXT.replace("preset: tiny", f"preset: {'x' * 10**5}"),
        "preset: 'xxx.* is not defined",
    ),
}


def refused(path: Path) -> str:
    """What is said of a file that cannot be used."""
    began = time.process_time()
    with pytest.raises(ParametersError) as caught:
        read_parameters(path)
    assert time.process_time() - began < 10
    return str(caught.value)


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_of_another_kind_is_told_in_one_line(name: str, tmp_path: Path):
    content, message = WHOLE[name]
    path = tmp_path / "params.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = refused(path)
    assert re.search(message, said)
    assert said.startswith(str(path)) and "\n" not in said and len(said) < 1000


def nodes(node: yaml.Node) -> list[yaml.Node]:
    """A node, and all keys and values below it."""
    below = node.value if isinstance(node, yaml.SequenceNode) else []
    if isinstance(node, yaml.MappingNode):
        below = [part for pair in node.value for part in pair]
    return [node, *(each for part in below for each in nodes(part))]


def test_many_faults_are_told_in_part(tmp_path: Path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT + "".join(f"unknown{number}: 1\n" for number in range(400)))
    said = refused(path).split("\n")
    assert len(said) == MOST_FAULTS + 1 and said[-1] == "and 350 more"


@pytest.mark.parametrize("value", ["null", "[]", "{null: 1}", ".nan", "'../x'"])
def test_a_value_in_place_of_any_other_is_taken_or_refused_in_lines(value: str, tmp_path: Path):
    path = tmp_path / "params.yaml"
    places = random.Random(value).sample(nodes(yaml.compose(TEXT))[1:], 25)
    for node in places:
        path.write_text(TEXT[: node.start_mark.index] + value + " " + TEXT[node.end_mark.index :])
        try:
            read_parameters(path)
        except ParametersError as error:
            assert all(line.startswith(f"{path}") for line in str(error).split("\n")), error
