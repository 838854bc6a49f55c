"""The source files behind a run: its own parts and what they import, and nothing of other methods."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

import mtbalance
from mtbalance import sources
from mtbalance.config.models import backbone_kinds
from mtbalance.config.run import BackboneChoice, BalancerChoice, RunConfig
from mtbalance.config.training import TrainingConfig

PACKAGE = Path(mtbalance.__file__).parent
HELPERS = {"_layers", "_options", "_trunk", "_fields", "_numbers"}
EXAMPLES = {
    "ls": {"level": "loss", "rule": "equal"},
    "mgda": {"level": "gradient", "rule": "min_norm"},
    "nashmtl": {"level": "gradient", "rule": "nash"},
    "pub": {"level": "update", "rule": "nash"},
    "multibalance": {"level": "representation", "rule": "multibalance"},
    "pub_adatask": {"level": "update", "rule": "nash", "manipulation": "adatask"},
    "clippy_adam": {"level": "loss", "rule": "equal", "manipulation": "clippy"},
}


def run(balancer: str, kind: str = "mmoe") -> RunConfig:
    return RunConfig(
        experiment="any",
        dataset="any",
        backbone=BackboneChoice(name=kind, options={"kind": kind}),
        balancer=BalancerChoice(name=balancer, options=EXAMPLES[balancer]),
        model={},
        training=TrainingConfig(epochs=1),
        seed=0,
    )


def names(files: list[Path], package: Path = PACKAGE) -> set[str]:
    return {path.relative_to(package).as_posix() for path in files}


def in_folder(files: set[str], folder: str) -> set[str]:
    return {Path(name).stem for name in files if name.startswith(f"{folder}/")} - {"__init__"}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of a few files in place of the real one."""
    files = {
        "__init__.py": "",
        "config/__init__.py": "from mtbalance.blocks import Block\nimport mtbalance.used_by_config",
        "config/blocks.py": "",
        "used_by_config.py": "",
        "main.py": "from mtbalance.parts import helper\nfrom mtbalance.config import Block\nimport numpy",
        "parts/__init__.py": "",
        "parts/helper.py": "def late():\n    import mtbalance.late as found",
        "parts/other.py": "",
        "late.py": "from mtbalance.main import a_name_that_is_no_module",
    }
    root = tmp_path / "mtbalance"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(sources, "__file__", str(root / "sources.py"))
    return root


@pytest.mark.parametrize("balancer", EXAMPLES)
def test_a_run_has_its_own_rule_and_no_other(balancer: str):
    files = names(sources.of_run(run(balancer)))
    assert in_folder(files, "balancing/rules") == {EXAMPLES[balancer]["rule"]}
    assert f"balancing/levels/{EXAMPLES[balancer]['level']}.py" in files
    assert in_folder(files, "balancing/optimizers") == {"adam"}
    assert in_folder(files, "balancing/manipulations") == {EXAMPLES[balancer].get("manipulation")} - {None}
    assert {"training/run.py", "training/loop.py", "data/ranking/batches.py"} <= files


@pytest.mark.parametrize("kind", ["single_task", "shared_bottom", "mmoe", "ple"])
def test_a_run_has_its_own_backbone_and_no_other(kind: str):
    assert in_folder(names(sources.of_run(run("ls", kind))), "models/ranking") - HELPERS == {kind}


@pytest.mark.parametrize("kind", backbone_kinds())
def test_a_run_has_the_layers_of_its_own_kind_of_problem(kind: str):
    package = backbone_kinds()[kind]
    files = names(sources.closure([f"{package}.{kind}"]))
    layers = {f"models/{problem}/_layers.py" for problem in ("ranking", "scenes")}
    assert files & layers == {f"{package.removeprefix('mtbalance.').replace('.', '/')}/_layers.py"}


@pytest.mark.parametrize(("balancer", "solver"), [("ls", None), ("mgda", "min_norm"), ("pub", "bargaining")])
def test_a_solver_belongs_to_the_runs_whose_rule_imports_it(balancer: str, solver: str | None):
    solvers = in_folder(names(sources.of_run(run(balancer))), "balancing/solvers")
    assert bool(solvers) == bool(solver)
    assert solvers >= {solver} - {None}
    assert ("bargaining" in solvers) == (solver == "bargaining")


@pytest.mark.parametrize("balancer", EXAMPLES)
def test_what_gives_no_number_to_a_run_is_left_out(balancer: str):
    files = names(sources.of_run(run(balancer)))
    assert not in_folder(files, "config")
    assert not files & {"config/__init__.py", "blocks.py", "workflow/results.py"}
    assert not files & {f"balancing/{name}.py" for name in ("options", "checking", "contradictions")}
    assert "training/progress.py" not in files
    assert not any(in_folder(files, folder) for folder in ("reporting", "cli", "tracking", "reproduce"))
    assert not in_folder(files, "data") & {"aliexpress", "synthetic", "table", "writer", "csv_blocks", "download"}


def test_an_adapter_is_prepared_without_the_others_own_files():
    table = names(sources.closure(["mtbalance.data.adapters.table"]))
    assert {"data/adapters/table.py", "data/ranking/writer.py"} <= table
    assert not table & {
        "data/adapters/synthetic.py",
        "data/adapters/aliexpress.py",
        "data/ranking/batches.py",
        "training/run.py",
    }


def test_paths_are_relative_to_the_working_directory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(PACKAGE.parents[1])
    files = sources.relative(sources.of_run(run("pub")))
    assert "src/mtbalance/balancing/rules/nash.py" in files
    assert not any(map(os.path.isabs, files))
    assert all(name.startswith("src/mtbalance/") for name in files)


def test_a_link_to_the_project_changes_no_path(package: Path, monkeypatch: pytest.MonkeyPatch):
    direct = sources.closure(["mtbalance.main"])
    link = package.with_name("link")
    link.symlink_to(package)
    monkeypatch.setattr(sources, "__file__", str(link / "sources.py"))
    assert sources.closure(["mtbalance.main"]) == direct


def test_imports_are_followed_wherever_they_stand_and_round_in_circles(package: Path):
    found = sources.closure(["mtbalance.main"])
    assert names(found, package) == {"__init__.py", "main.py", "parts/__init__.py", "parts/helper.py", "late.py"}
    assert found == sorted(found)


def test_a_new_file_that_nothing_imports_changes_no_closure(package: Path):
    before = sources.closure(["mtbalance.main"])
    checksum = sources.checksum(before)
    (package / "parts/new.py").write_text("import mtbalance.main")
    assert sources.closure(["mtbalance.main"]) == before
    assert sources.checksum(before) == checksum


def test_the_checksum_is_of_contents_and_of_nothing_else(package: Path):
    files = sources.closure(["mtbalance.main"])
    checksum = sources.checksum(files)
    text = (package / "late.py").read_text()
    (package / "late.py").write_text(f"{text}\n")
    assert sources.checksum(files) != checksum
    (package / "late.py").write_text(text)
    os.utime(package / "late.py", (0, 0))
    assert sources.checksum(files) == checksum


def test_every_import_is_seen():
    """The statements alone are parsed; the whole file's syntax tree is the measure."""
    for path in PACKAGE.rglob("*.py"):
        names = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
        assert sources.imports(path.read_text()) == {name for name in names if name.split(".")[0] == "mtbalance"}, path


def test_no_module_imports_by_a_relative_name():
    """Such an import would not be followed, and an edit behind it would re-run nothing."""
    relative = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_ranking_and_scenes_are_data_apart():
    """An edit of the one must run nothing of the other again; what both need is of neither kind."""
    batches = {"ranking": "mtbalance.data.ranking.batches", "scenes": "mtbalance.data.scenes.batches"}
    adapters = {"ranking": ["aliexpress", "table", "synthetic"], "scenes": ["nyuv2", "synthetic_scenes"]}
    files = {
        kind: names(sources.closure([module, *(f"mtbalance.data.adapters.{adapter}" for adapter in adapters[kind])]))
        for kind, module in batches.items()
    }
    common = {f"data/{name}.py" for name in ("__init__", "batch", "manifest", "adapters/__init__")}
    common |= {f"data/stand_in/{name}.py" for name in ("__init__", "generated")}
    assert {file for file in files["ranking"] & files["scenes"] if file.startswith("data/")} == common | {
        file for file in files["ranking"] if file.startswith("data/files/")
    } & files["scenes"]
    assert not {file for file in files["ranking"] if "scenes" in file}
    assert not {file for file in files["scenes"] if "ranking" in file}
    trained_on = names(sources.closure([batches["scenes"]])) - files["ranking"]
    assert trained_on == {f"data/scenes/{n}.py" for n in ("__init__", "augmentation", "batches", "scene", "schema")}
