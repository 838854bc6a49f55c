"""The registry: a file is an entry, helpers are none, and a file that defines no entry or two says so."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from mtbalance import registry
from mtbalance.balancing.rules import Rule
from mtbalance.blocks import Count
from mtbalance.errors import UserError
from mtbalance.models.ranking._options import Place

RULES = "mtbalance.balancing.rules"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of entries in place of the real one: ``mtbalance.shelf``."""
    folder = tmp_path / "mtbalance" / "shelf"
    (folder / "kind").mkdir(parents=True)
    (folder / "empty").mkdir()
    files = {
        "__init__.py": "class Base: ...\n",
        "_helper.py": "from mtbalance.shelf import Base\nclass Helper(Base): ...\n",
        "one.py": '"""One."""\nfrom mtbalance.shelf._helper import Helper\nclass ANY(Helper):\n    """An entry."""\n',
        "none.py": '"""Nothing here."""\n',
        "two.py": "from mtbalance.shelf import Base\nclass First(Base): ...\nclass Second(Base): ...\n",
        "kind/__init__.py": "from mtbalance.shelf import Base\nclass Kind(Base): ...\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    import mtbalance

    monkeypatch.setattr(mtbalance, "__path__", [*mtbalance.__path__, str(folder.parent)])
    monkeypatch.setattr(registry, "__file__", str(folder.parent / "registry.py"))
    yield folder
    for name in [name for name in sys.modules if name.startswith("mtbalance.shelf")]:
        del sys.modules[name]
    importlib.invalidate_caches()


def test_files_and_folders_are_entries_and_helpers_are_not(shelf: Path):
    assert registry.available("mtbalance.shelf") == ["kind", "none", "one", "two"]
    assert not any(name.startswith("mtbalance.shelf") for name in sys.modules)


def test_an_entry_is_the_one_class_that_its_file_defines(shelf: Path):
    base = importlib.import_module("mtbalance.shelf").Base
    assert registry.entry("mtbalance.shelf", "one", base).__name__ == "ANY"
    assert registry.entry("mtbalance.shelf", "kind", base).__name__ == "Kind"


@pytest.mark.parametrize(("name", "said"), [("none", "it defines none"), ("two", "it defines 2: First, Second")])
def test_a_file_with_no_entry_or_two_says_so(shelf: Path, name: str, said: str):
    base = importlib.import_module("mtbalance.shelf").Base
    with pytest.raises(UserError, match=rf"{name}\.py must define one subclass of Base, the entry '{name}'; {said}"):
        registry.entry("mtbalance.shelf", name, base)


def test_an_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(UserError, match=r"no balancing\.rules 'nahs'; there are .*did you mean nash\?"):
        registry.entry(RULES, "nahs", Rule)


def test_a_file_without_the_function_says_so():
    with pytest.raises(UserError, match=r"equal\.py defines no function `draw`"):
        registry.function(RULES, "equal", "draw")


def test_a_backbone_is_described_without_importing_it():
    found = registry.declaration("mtbalance.models.ranking", "mmoe")
    assert found.summary == "Experts shared by all tasks; each task's gate mixes them for its tower."
    assert found.options["representation"] == (Place, "fork")
    kind, default = found.options["experts"]
    assert default == 8 and kind == Annotated[Count, "Experts, shared by all tasks."]
    assert registry.declaration("mtbalance.models.ranking", "single_task").constants["shares"] is False


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("*, width: Count = 3", r"option width: its type must use names that the file imports .*Count"),
        ("*, width=3", "option width has no type"),
        ("*, width: int = WIDTH", "option width: its default `WIDTH` must be a plain value"),
    ],
)
def test_an_option_that_cannot_be_read_says_so(shelf: Path, options: str, said: str):
    (shelf / "odd.py").write_text(f"class Odd:\n    def __init__(self, {options}): ...\n")
    with pytest.raises(UserError, match=said):
        registry.declaration("mtbalance.shelf", "odd")


def options(text: str, shelf: Path) -> dict[str, Any]:
    (shelf / "new.py").write_text(text)
    return dict(registry.declaration("mtbalance.shelf", "new").options)


def test_types_are_those_that_the_file_imports(shelf: Path):
    text = (
        "from typing import Literal\nclass New:\n    def __init__(self, a, *, b: Literal['x'] = 'x', c: float): ...\n"
    )
    assert options(text, shelf) == {"b": (Literal["x"], "x"), "c": (float, ...)}
