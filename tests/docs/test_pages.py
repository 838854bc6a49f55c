"""The pages are true: code runs, commands and files exist, keys are allowed, links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from documents import DOCS, HOW_TO, ROOT, blocks, files, merged, pages, settings, snippets
from mtbalance.config.reading import parse

sys.path.insert(0, str(DOCS))
from _generate import PARTS, commands  # the documentation's own extension

BESIDE = [
    ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md", "results/README.md")
]
WITH_SNIPPETS = [page for page in pages() if page not in (*HOW_TO, BESIDE[0]) and snippets(page)]
WITH_SETTINGS = [page for page in pages() if page not in HOW_TO and settings(page)]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
PARAMETERS = yaml.safe_load((ROOT / "params.yaml").read_text())


def relative(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def said(page: Path) -> Iterator[list[str]]:
    """The commands of a page, split into words: lines of shell blocks, and inline code."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in blocks(page, "shell") for line in block.splitlines()]
    inline = re.findall(r"`((?:make|mtbalance|snakemake) [^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    for line in [*lines, *inline]:
        for command in re.split(r"&&|;", re.sub(r"\s#.*", "", line)):
            if command.strip():
                yield shlex.split(command)


def test_the_readme_is_short_and_its_example_trains():
    readme = ROOT / "README.md"
    assert len(readme.read_text().splitlines()) <= 150
    (example,) = blocks(readme, "python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 12
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    assert names["report"].weights.sum() == pytest.approx(2) and -1 <= names["balancer"].level.steps - 101 <= 0


@pytest.mark.parametrize("page", WITH_SNIPPETS, ids=relative)
def test_snippets_run_one_after_the_other(page: Path):
    names = {}
    for number, snippet in enumerate(snippets(page), start=1):
        exec(compile(snippet, f"{relative(page)}, block {number}", "exec"), names)


@pytest.mark.parametrize("page", WITH_SETTINGS, ids=relative)
def test_settings_are_allowed(page: Path):
    parse(merged(PARAMETERS, *settings(page)))


def anchors(text: str) -> dict[str, str]:
    """The anchor of every key of a YAML text, by the key's path; empty where it has none."""
    found, path = {}, []
    for indent, key, anchor in re.findall(r"^( *)(\w+): *(&\w+)?", text, re.MULTILINE):
        path = [*path[: len(indent) // 2], key]
        found[".".join(path)] = anchor
    return found


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_a_shown_edit_keeps_the_anchor_of_its_line(page: Path):
    """Without it the file could not be read, because other lines take their values from there."""
    anchored = {path: anchor for path, anchor in anchors((ROOT / "params.yaml").read_text()).items() if anchor}
    assert anchored["experiments.demo.training"] == "&short"
    for block in blocks(page, "yaml"):
        shown = anchors(block)
        assert {path: shown[path] for path in anchored if path in shown}.items() <= anchored.items()


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_commands_exist(page: Path):
    known = dict(commands.commands())
    presets = {*PARAMETERS["presets"], *(name for one in settings(page) for name in one.get("presets", {}))}
    for words in said(page):
        if words[0] == "make":
            assert words[1] in TARGETS, f"the Makefile has no target {words[1]}"
        if words[0] == "mtbalance":
            name = next((name for name in known if words[: len(name.split())] == name.split()), None)
            assert name, f"no command {' '.join(words)}"
            options = {option for one in known[name].params for option in (*one.opts, *one.secondary_opts)}
            passes_on = known[name].context_settings.get("ignore_unknown_options", False)
            assert passes_on or {word for word in words if word.startswith("--")} <= options, words
        if words[0] in ("mtbalance", "snakemake"):
            assert {word.split("=")[1] for word in words if word.startswith("preset=")} <= presets, words


@pytest.mark.parametrize("page", pages(), ids=relative)
def test_files_that_are_named_exist(page: Path):
    shown = {path for one in HOW_TO for path in files(one)} | {"src/mtbalance/problems/regression"}
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:src|tests|docs|workflow|bench|examples)/[\w./]*)`", text)
    if page.name == "CONTRIBUTING.md":  # its tables name files and folders below the package
        rows = " ".join(line for line in text.splitlines() if line.startswith("|") and "src/" not in line)
        below = re.findall(r"`(?!tests/)((?:\w+/)+(?:\w+\.py)?|\w+\.py)`", rows)
        assert {"balancing/rules/", "balancing/options.py", "places.py"} <= set(below)
        named += [f"src/mtbalance/{name}" for name in below]
    missing = [path for path in named if path not in shown and not (ROOT / path).exists()]
    assert not missing


@pytest.mark.parametrize("page", BESIDE, ids=relative)
def test_links_lead_to_files(page: Path):
    links = re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8").replace("\n", " "))
    missing = [link for link in links if not link.startswith("http") and not (page.parent / link).exists()]
    assert links
    assert not missing


@pytest.mark.slow
@pytest.mark.long
def test_the_site_is_built_without_a_warning(tmp_path: Path):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "site/explanation/architecture.html").read_text()
    assert "floors.svg" in text and "levels.svg" in text
    assert "http" not in re.sub(r'<a [^>]*>|https?://[^"<]*(?=</a>)', "", _scripts_and_styles(text))


def _scripts_and_styles(html: str) -> str:
    """The tags of a page that fetch something when it is opened."""
    return " ".join(re.findall(r"<(?:script|link|img)[^>]*>", html))


@pytest.mark.long
def test_the_reference_has_every_entry_and_every_option():
    from mtbalance.balancing.options import LEVELS, RULES, ClippyOptions, OptimizerOptions
    from mtbalance.config.datasets import ADAPTERS, Dataset, HashSplit, RawFile
    from mtbalance.config.models import backbone_kinds
    from mtbalance.config.training import ScheduleConfig, TrainingConfig
    from mtbalance.registry import available, declaration, entry

    text = PARTS["parameters"]()
    assert "below 2,147,483,648" in text  # a limit has all of its digits
    adapters = {name: entry(ADAPTERS, name, Dataset) for name in available(ADAPTERS)}
    for key, names in {
        "level": LEVELS,
        "rule": available(RULES),
        "kind": backbone_kinds(),
        "adapter": adapters,
    }.items():
        assert all(f"`{key}: {name}`\n" in text for name in names)
    plain = [*LEVELS.values(), ClippyOptions, OptimizerOptions, ScheduleConfig, TrainingConfig, HashSplit, RawFile]
    options = [key for block in [*plain, *adapters.values()] for key in block.model_fields]
    options += [key for rule in available(RULES) for key in declaration(RULES, rule).options]
    assert not [key for key in options if key != "adapter" and f"`{key}` (" not in text]
    assert all(f"`{name}`" in PARTS["rules"]() for name in available(RULES))
    assert all(f"| `{name}` |" in PARTS["methods"]() for name in PARAMETERS["balancers"])


def test_hooks_before_a_commit_are_the_checks_of_make_lint():
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert {hook["id"] for hook in repository["hooks"]} == {"ruff-check", "ruff-format", "snakefmt", "mypy"}
    assert [hook["entry"] for hook in repository["hooks"] if hook["entry"] not in MAKEFILE] == []


def test_git_takes_the_folders_pages_and_nothing_else_of_them():
    if not (ROOT / ".git").exists():
        pytest.skip("only in a git checkout is it known what git ignores")
    paths = ["data/README.md", "results/README.md", "results/tables/demo/auc.md", "data/raw/x", "data/processed/x/y"]
    paths += ["results/runs/demo/x.json", "results/metrics/demo.json", "docs/reference/generated/rules.md"]
    ignored = subprocess.run(["git", "check-ignore", "--no-index", *paths], cwd=ROOT, capture_output=True, text=True)
    assert ignored.stdout.split() == paths[3:]
