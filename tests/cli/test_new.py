"""`mtbalance new`: the blocks of a table of one's own."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from mtbalance.cli import app
from mtbalance.config.insertion import inserted
from mtbalance.config.reading import read_parameters
from mtbalance.errors import UserError

FILE = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(FILE.read_text())
    columns = {
        "x": [n / 3 for n in range(200)],
        "sold": [n % 2 for n in range(200)],
        "kept": [n % 5 // 4 for n in range(200)],
    }
    (tmp_path / "data/raw").mkdir(parents=True)
    pl.DataFrame(columns).write_csv("data/raw/sales.csv")
    return tmp_path


def new(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["new", "data/raw/sales.csv", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_it_prints_blocks_and_changes_nothing(project):
    blocks = yaml.safe_load(new())
    assert set(blocks) == {"presets", "experiments", "datasets"}
    assert list(blocks["datasets"]["sales"]["tasks"]) == ["sold", "kept"]
    assert (project / "params.yaml").read_text() == FILE.read_text()


def test_a_table_elsewhere_gets_a_link(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("desk") / "sales.csv"
    elsewhere.write_text((project / "data/raw/sales.csv").read_text())
    result = CliRunner().invoke(app, ["new", str(elsewhere), "--write"], catch_exceptions=False)
    link = project / "data/raw/sales/sales.csv"
    assert f"data/raw/sales/sales.csv: a link to {elsewhere}" in result.output
    assert link.is_symlink() and link.samefile(elsewhere)
    found = read_parameters(project / "params.yaml").datasets["sales"]
    assert [file.path for file in found.raw_files()] == ["data/raw/sales/sales.csv"]
    again = CliRunner().invoke(app, ["new", "data/raw/sales.csv", "--name", "s"], catch_exceptions=False)
    assert "path: data/raw/sales.csv" in again.output
    (other := project / "other/sales.csv").parent.mkdir()
    other.write_text(elsewhere.read_text())
    with pytest.raises(UserError, match=r"data/raw/sales/sales\.csv is another file .*: give another --name"):
        CliRunner().invoke(app, ["new", str(other)], catch_exceptions=False)


def test_what_it_writes_is_valid_and_leaves_all_else_as_it_was(project):
    said = new("--name", "My Sales", "--write", "--task", "sold", "--task", "x above 20")
    text = (project / "params.yaml").read_text()
    line = 1 + text.splitlines().index(next(line for line in text.splitlines() if line.startswith("  my_sales:    #")))
    assert f"params.yaml:{line}: datasets.my_sales: new" in said
    assert "mtbalance prepare my_sales" in said and "preset=my_sales" in said
    parameters = read_parameters(project / "params.yaml")
    assert list(parameters.datasets["my_sales"].tasks) == ["sold", "x_above_20"]
    assert {run.dataset for run in parameters.runs("my_sales")} == {"my_sales"}
    assert {run.model.numbers for run in parameters.runs("my_sales")} == {"piecewise"}
    lines, before = (project / "params.yaml").read_text().splitlines(), FILE.read_text().splitlines()
    rest = iter(lines)
    assert all(line in rest for line in before)  # in their order
    assert parameters.datasets["my_sales"].prepare("my_sales", project / "out").splits["train"].rows > 100


def test_a_name_that_is_taken_is_refused(project):
    new("--write")
    with pytest.raises(UserError, match=r"params.yaml: presets.sales is there already; choose another --name"):
        new("--write")


def test_blocks_are_indented_as_their_siblings():
    text = "a: 1\nb:   # below\n    c: {d: 2}\n# end\n"
    assert (
        inserted(text, {"b": "x:\n  y: 3\n"}, "f") == "a: 1\nb:   # below\n    x:\n      y: 3\n    c: {d: 2}\n# end\n"
    )


@pytest.mark.parametrize("text", ["b: {c: 1}\n", "c:\n  d: 1\n", "b: 1\n", "- b\n"])
def test_a_file_without_room_for_a_block_is_left_alone(text):
    with pytest.raises(UserError, match="f has no blocks below a line `b:`; paste the blocks by hand"):
        inserted(text, {"b": "x: 1\n"}, "f")


def test_a_message_names_the_table_as_it_was_given(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("desk") / "sales.csv"
    elsewhere.write_text("x,y\n1.5,2.5\n2.5,3.5\n3.5,4.5\n")
    with pytest.raises(UserError, match=rf"{elsewhere}: no column has two values"):
        CliRunner().invoke(app, ["new", str(elsewhere)], catch_exceptions=False)


def test_help_names_all_forms_of_a_task(project):
    help_ = " ".join(CliRunner().invoke(app, ["new", "--help"]).output.replace("│", " ").split())
    assert "'COLUMN above NUMBER', 'COLUMN below NUMBER', 'COLUMN is VALUE'" in help_
