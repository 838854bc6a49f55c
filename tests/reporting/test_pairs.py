"""The statistics of pairs on planted data: what each test finds where nothing is, and where something is."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mtbalance.errors import UserError
from mtbalance.reporting.pairs import method_means, pair_tests, power, within_groups
from mtbalance.reporting.tables.ranking.pairs import tabulate
from planted_claims import evidence, row

DRAWS = 1000


def planted(rng: np.random.Generator, groups: int, methods: int, share: float = 0.5, alike: bool = False):
    """Groups of methods with random AUC and Diff.

    Of two methods the one with the smaller Diff has the higher AUC with probability ``share``. ``alike``: the methods
    differ by themselves, in the same way in all groups, and AUC and Diff have nothing to do with each other.
    """
    auc, diff = rng.normal(size=(2, groups, methods))
    if alike:
        auc, diff = (noise * 0.3 + rng.normal(size=methods) for noise in (auc, diff))
    elif share != 0.5:
        assert methods == 2, "pairs of two methods are independent"
        reverse = rng.random(groups) < share
        diff = np.where(reverse[:, None], -auc, auc)
    return pd.DataFrame(
        {"dataset": str(group), "backbone": "mmoe", "balancer": str(method), "auc": a, "diff": d}
        for group in range(groups)
        for method, (a, d) in enumerate(zip(auc[group], diff[group], strict=True))
    )


def measured(groups: int, mgda: float) -> pd.DataFrame:
    """A collected table with one run of LS and of MGDA in each group; ``mgda`` and .2 are their AUC."""
    cosines = {"cosine_shared": 0.1, "cosine_task_specific": 0.3}
    rows = []
    for group, (name, auc) in product(range(groups), {"ls": 0.2, "mgda": mgda}.items()):
        own = {"dataset": str(group), "balancer": name}
        rows.append(row(metric="mean_auc", value=auc, **own))
        rows += [row(metric=metric, value=value * auc, split="train", **own) for metric, value in cosines.items()]
    return evidence(rows).metrics


def within(found: int, draws: int, probability: float) -> bool:
    """A count that is no surprise at the level of one in a thousand."""
    return stats.binomtest(found, draws, probability).pvalue > 0.001


def test_the_printed_count_gives_the_printed_kind_of_chi_square():
    """97 of 144 ordered pairs with balanced margins (the count that 67.36 % stand for)."""
    found = stats.chi2_contingency([[23.5, 48.5], [48.5, 23.5]], correction=False)
    assert found.statistic == pytest.approx(17.4, abs=0.05)
    half = pair_tests(planted(np.random.default_rng(0), 12, 4))
    assert half.counts.sum() == 144 and half.pairs == 72
    assert (half.counts == half.counts[::-1, ::-1]).all(), "symmetric by construction"
    assert half.counts[0, 1] == half.reverse


@pytest.mark.long
def test_without_an_effect_the_permutation_test_keeps_its_level_and_the_printed_one_does_not():
    rng = np.random.default_rng(1)
    found = [pair_tests(planted(rng, 12, 4)) for _ in range(DRAWS)]
    permuted = np.array([tests.within_groups_p for tests in found])
    printed = np.array([tests.chi_square_p for tests in found])
    for level in (0.05, 0.1, 0.25, 0.5):
        # p is discrete: at most the level, and close to it
        assert within(int((permuted <= level).sum()), DRAWS, _attained(level))
    assert not within(int((printed <= 0.05).sum()), DRAWS, 0.05)
    assert (printed <= 0.05).mean() > 0.15


def _attained(level: float) -> float:
    """The largest probability not above ``level`` that the exact test can have with 12 groups of 4 methods."""
    values = {within_groups(count, [4] * 12, 72): 0 for count in range(73)}
    return max(p for p in values if p <= level)


@pytest.mark.long
def test_methods_that_differ_by_themselves_deceive_every_test_but_the_permutation_of_methods():
    rng = np.random.default_rng(2)
    found = [pair_tests(planted(rng, 12, 4, alike=True)) for _ in range(150)]
    assert np.mean([tests.within_groups_p <= 0.05 for tests in found]) > 0.3
    assert np.mean([tests.binomial_p <= 0.05 for tests in found]) > 0.3
    assert within(sum(tests.methods_p <= 0.1 for tests in found), 150, 2 / 24)


def test_a_planted_effect_is_found_with_the_power_that_was_stated():
    rng = np.random.default_rng(3)
    stated = power(72, 0.67)
    found = sum(pair_tests(planted(rng, 72, 2, 0.67)).binomial_p <= 0.05 for _ in range(150))
    assert 0.7 < stated < 0.95 and within(found, 150, stated)
    assert power(72, 0.5) <= 0.05


def test_the_permutation_within_groups_is_scipys_kendall_in_one_group():
    rng = np.random.default_rng(4)
    for _ in range(20):
        group = planted(rng, 1, 6)
        expected = stats.kendalltau(group["auc"], group["diff"], method="exact").pvalue
        assert pair_tests(group).within_groups_p == pytest.approx(expected)


def test_the_interval_is_of_whole_groups():
    rng = np.random.default_rng(5)
    data = planted(rng, 40, 4)
    found = pair_tests(data)
    shares = np.array([pair_tests(group).share for _, group in data.groupby("dataset")])
    half = 1.96 * shares.std(ddof=1) / np.sqrt(len(shares))
    assert found.high - found.low == pytest.approx(2 * half, rel=0.15)
    assert found.low < found.share < found.high


def test_the_interval_of_few_groups_is_too_short_and_the_table_says_so():
    covered = {}
    for groups in (2, 12):
        found = [pair_tests(planted(np.random.default_rng(seed), groups, 4)) for seed in range(200)]
        covered[groups] = np.mean([one.low <= 0.5 <= one.high for one in found])
    assert covered[2] < 0.75 and covered[12] > 0.88
    for groups, said in ((2, True), (12, False)):
        caption = tabulate(measured(groups, mgda=0.4), "Title", "ls", 0.05)[0].caption
        assert any(f"Of {groups} groups it is too short" in sentence for sentence in caption) == said


def test_methods_that_are_all_equal_have_a_table_without_tests():
    """As LS and fixed weights of one."""
    table, numbers = tabulate(measured(2, mgda=0.2), "Title", "ls", 0.05)
    assert numbers["pairs"].tolist() == [0, 0] and numbers["binomial_p"].isna().all()
    assert not any("nan" in cell.text for line in table.rows for cells in line.cells for cell in cells)


def test_a_run_without_cosines_is_named():
    rows = []
    for balancer in ("ls", "mgda"):
        for metric, split in (("mean_auc", "test"), ("cosine_shared", "train"), ("cosine_task_specific", "train")):
            rows.append(
                {"dataset": "a", "backbone": "mmoe", "balancer": balancer, "seed": 0, "epoch": pd.NA, "shares": True,
                 "status": "finished",
                 "metric": metric, "split": split, "value": 0.5}
            )  # fmt: skip
    whole = pd.DataFrame(rows)
    assert list(method_means(whole)["diff"]) == [0, 0]
    with pytest.raises(UserError, match="a/mmoe/mgda/0 has no AUC or no cosines"):
        method_means(whole.drop(index=5))


def test_a_missing_seed_or_data_set_of_a_method_is_named():
    runs = [
        {"dataset": dataset, "backbone": "mmoe", "balancer": balancer, "seed": seed}
        for dataset in ("a", "b")
        for balancer in ("ls", "mgda")
        for seed in (0, 1)
    ]
    facts = {"epoch": pd.NA, "shares": True, "status": "finished", "value": 0.5}
    metrics = (("mean_auc", "test"), ("cosine_shared", "train"), ("cosine_task_specific", "train"))
    whole = pd.DataFrame(run | facts | {"metric": metric, "split": split} for run in runs for metric, split in metrics)
    assert len(method_means(whole)) == 4
    lost = (whole["dataset"] == "b") & (whole["balancer"] == "mgda")
    with pytest.raises(UserError, match="1 runs are missing from the pairs, the first is b/mmoe/mgda/1"):
        method_means(whole[~(lost & (whole["seed"] == 1))])
    with pytest.raises(UserError, match="2 runs are missing from the pairs, the first is b/mmoe/mgda/0"):
        method_means(whole[~lost])


def test_one_group_has_no_interval():
    table, _ = tabulate(measured(1, mgda=0.4), "Title", "ls", 0.05)
    cells = {row.name: row.cells[0][0].text for row in table.rows}
    assert cells["95 % interval, whole groups drawn"] == "–"
    assert any(sentence.startswith("1 group (data set and backbone), 2 methods.") for sentence in table.caption)
    assert any(sentence.endswith("One group has none.") for sentence in table.caption)
