"""What stands in params.yaml is never run: each attack would make a file, which is looked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from plain_host import PlainHost

from workflow_tree import PROJECT, TINY, Tree, new_tree

SHELL = re.compile(r"^ +shell:\n((?: +[\"'].*\n)+)", re.MULTILINE)
QUOTED = re.compile(r"\{[\w.]+:q\}")
NOT_VALID = "WorkflowError in file "


@pytest.mark.parametrize(
    "file", ["Snakefile", *(f"workflow/rules/{path.name}" for path in PROJECT.glob("workflow/rules/*.smk"))]
)
def test_every_placeholder_of_a_command_is_quoted(file: str):
    for command in SHELL.findall((PROJECT / file).read_text()):
        assert QUOTED.sub("", command).count("{") == 0, command


def made(tree: Tree) -> list[str]:
    """Files that an attack made, in the tree or beside it."""
    return [str(path) for path in tree.root.parent.rglob("*") if path.name.startswith("made")]


def test_names_that_are_commands_are_refused_before_anything_runs(tmp_path: Path):
    attack = {
        "datasets": {"synthetic$(touch made_by_data)": TINY["datasets"]["synthetic_a"]},
        "experiments": {"tiny`touch made_by_experiment`": TINY["experiments"]["tiny"]},
        "presets": {"a;touch made_by_preset": ["tiny"]},
        "backbones": {"../../../made_by_backbone": TINY["backbones"]["mmoe"]},
        "balancers": {"ls$(touch made_by_balancer)": TINY["balancers"]["ls"]},
    }
    wrong = {block: TINY[block] | own for block, own in attack.items()}
    tree = new_tree(tmp_path / "tree", tmp_path / "cache", TINY | wrong)
    said = tree.snakemake("data", expect=1)
    assert NOT_VALID in said and all(f"{block}." in said for block in attack), said
    assert "Traceback" not in said and made(tree) == []


def test_texts_that_may_be_anything_are_quoted_and_secrets_are_kept(tree: Tree):
    """A title, a path and an address are texts: they reach commands, mean nothing on the way, and leave no secret."""
    rows = "".join(f"{number},{number % 2}\n" for number in range(200))
    with PlainHost(f"c$(touch made_by_column),'; touch made_by_label;'\n{rows}".encode()) as host:
        place = host.address.replace("//", "//me:SECRET1@")
        addresses = ["http://127.0.0.1:9/`touch${IFS}made_by_address`", f"{place}/$(touch${{IFS}}made)?key=SECRET2"]
        block = {
            "adapter": "table",
            "files": {"all": {"path": "data/raw/it's $(touch made_by_path)/a b.csv", "urls": addresses}},
            "categorical": ["c$(touch made_by_column)"],
            "tasks": {"t": {"column": "'; touch made_by_label;'", "positive": ["1"]}},
            "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
        }
        tree.set("datasets.mine", block)
        tree.set("experiments.tiny.title", "It's {title} $(touch made_by_title) `touch made_by_title`")
        said = tree.snakemake("data/processed/mine/schema.json", "results/tables/tiny/auc.md")
    assert "{title} $(touch made_by_title)" in tree.read("results/tables/tiny/auc.md")
    assert [request.url for request in host.asked] == ["/$(touch$%7BIFS%7Dmade)?key=SECRET2"]
    assert host.asked[0].headers["Authorization"].startswith("Basic ")
    assert made(tree) == []
    kept = [path for folder in (".snakemake", "logs", "data", "results") for path in (tree.root / folder).rglob("*")]
    assert "SECRET" not in said
    assert [path for path in kept if path.is_file() and b"SECRET" in path.read_bytes()] == []
