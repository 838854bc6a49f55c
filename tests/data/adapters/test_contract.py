"""What every adapter must hold."""

import subprocess
import sys

import pytest

from mtbalance.config.datasets import ADAPTERS, Dataset, HashSplit, RawFile
from mtbalance.config.kinds import kinds
from mtbalance.data.adapters.nyuv2 import PublishedFile, Shards
from mtbalance.data.ranking.table_features import CategoricalColumn, NumericalColumn
from mtbalance.data.ranking.table_form import TableTask
from mtbalance.data.ranking.table_split import TableSplit
from mtbalance.registry import available, entry

HEAVY = ("polars", "pyarrow", "scipy", "sklearn", "PIL", "torch")
IMPORT_ALL = f"""
import sys
from mtbalance.config.datasets import ADAPTERS, Dataset
from mtbalance.registry import available, entry
for name in available(ADAPTERS):
    entry(ADAPTERS, name, Dataset)
print(*[name for name in {HEAVY} if name in sys.modules])
"""


def test_importing_the_adapters_imports_nothing_heavy():
    """Parsing params.yaml does it."""
    said = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=True).stdout
    assert said.split() == []


@pytest.mark.parametrize("name", available(ADAPTERS))
def test_an_adapter_says_its_kind_of_problem(name):
    assert entry(ADAPTERS, name, Dataset).problem in kinds()


@pytest.mark.parametrize(
    "block",
    [
        *(entry(ADAPTERS, name, Dataset) for name in available(ADAPTERS)),
        HashSplit,
        RawFile,
        TableTask,
        CategoricalColumn,
        NumericalColumn,
        TableSplit,
        Shards,
        PublishedFile,
    ],
)
def test_every_option_has_a_sentence(block):
    without = block.model_fields.keys() - block.sentences().keys()
    assert without <= {"adapter"}  # the name of the file
