"""The market in the workflow: made for an experiment that asks for it, and again after an edit that concerns it."""

from __future__ import annotations

import pandas as pd
import pytest

from mtbalance.config.reading import ParametersError, parse
from workflow_tree import TINY, Tree

SHOWN = {"claims ", "page "}
MARKET = {"market tiny", "table tiny/market", "figure tiny/market"} | SHOWN


def asking(tree: Tree) -> Tree:
    """The tree, whose tiny experiment now has the market."""
    tree.set("experiments.tiny.tables", ["auc", "ne", "market"])
    tree.set("experiments.tiny.figures", ["auc", "seesaw", "curves", "weights", "market"])
    return tree


@pytest.mark.long
def test_a_market_is_made_of_what_is_there_and_again_when_it_is_edited(tree: Tree):
    assert asking(tree).due() == MARKET
    tree.snakemake()
    assert tree.due() == set()
    frame = pd.read_parquet(tree.root / "results/metrics/market/tiny.parquet")
    tested = frame[frame["part"] == "expected"].drop_duplicates(["balancer", "seed"])
    assert list(zip(tested["balancer"], tested["seed"], strict=True)) == [
        *((name, seed) for name in ("nashmtl", "pub") for seed in (0, 1)),
        *(("ls", 1), ("truth", 0), ("truth", 1)),
    ]
    assert set(frame["backbone"]) == {"mmoe"}  # the shared bottom has nothing to compare
    assert "simulated A/B test on synthetic data" in tree.read("results/tables/tiny/market.md")

    path = "src/mtbalance/studies/market/expected.py"
    text = tree.read(path)
    tree.edit(path, lambda text: f"{text}# edited\n")
    assert tree.due() == MARKET
    (tree.root / path).write_text(text)
    tree.edit("src/mtbalance/reporting/figures/ranking/market.py", lambda text: f"{text}# edited\n")
    assert tree.due() == {"figure tiny/market"}


@pytest.mark.slow
def test_predictions_of_another_run_stop_the_market_with_their_name(tree: Tree):
    asking(tree)
    path = "results/runs/tiny/synthetic_a/mmoe/pub/seed-1.predictions.parquet"
    kept = pd.read_parquet(tree.root / path)
    kept.iloc[:-1].to_parquet(tree.root / path)
    said = tree.call("mtbalance", "market", "tiny", "market.parquet", expect=1)
    assert f"{path} has {len(kept) - 1:,} rows, but the test split has {len(kept):,}" in said
    assert not (tree.root / "market.parquet").exists()


def test_a_market_on_real_data_is_refused():
    rows = {"aliexpress_nl": {"adapter": "aliexpress", "country": "NL"}}
    tiny = TINY["experiments"]["tiny"] | {"datasets": ["aliexpress_nl"], "tables": ["market"]}
    said = r"experiments\.tiny\.tables: 'market' needs true probabilities, which aliexpress_nl does not have"
    with pytest.raises(ParametersError, match=said):
        parse(TINY | {"experiments": {"tiny": tiny}, "datasets": TINY["datasets"] | rows})
