"""What the papers' own numbers say: verdicts as printed, and after one printed number is changed."""

import pandas as pd
import pytest

from mtbalance.reporting.claims import LEDGER
from mtbalance.reporting.claims.claim import Verdict
from mtbalance.reporting.claims.introduction import EARLIER
from mtbalance.reporting.claims.scenes import EARLIER as SCENE_METHODS
from mtbalance.reporting.printed import everything

PRINTED = everything()
CHECKS = {claim.id: claim.printed for claim in LEDGER if claim.printed}
NOT_BORNE_OUT = {
    "pub-144-pairs",
    "pub-two-thirds-reverse",
    "pub-two-of-eighty",
    "pub-all-task-metrics",
    "pub-adatask-ctcvr",
    "pub-same-runs",
    "pub-speed-mmoe",
    "pub-speed-ple",
    "pub-average-gain",
    "pub-scenes-best-standard",
}
"""Claims that the printed numbers contradict."""


def cell(table, where, column, value):
    """A change of one printed number."""

    def change(printed):
        frame = getattr(printed, table).copy()
        rows = frame.query(where)
        assert len(rows) == 1
        frame.loc[rows.index, column] = value
        return printed._replace(**{table: frame})

    return change


def text(name, value):
    """A change of a number of the text."""
    return lambda printed: printed._replace(text=pd.concat([printed.text.drop(name), pd.Series({name: value})]))


def both(*changes):
    """Several changes."""

    def change(printed):
        for one in changes:
            printed = one(printed)
        return printed

    return change


def table3(country, backbone, balancer):
    return f"dataset == 'aliexpress_{country}' and backbone == '{backbone}' and balancer == '{balancer}'"


def table7(balancer, metric, value):
    return cell("table7", f"balancer == '{balancer}' and metric == '{metric}'", "published", value)


def row(backbone, balancer):
    return f"backbone == '{backbone}' and balancer == '{balancer}'"


def as_in_table3(printed):
    """Table IV with Table III's values of what stands in both."""
    spain = printed.table3[printed.table3["dataset"] == "aliexpress_es"].set_index(["backbone", "balancer"])
    table = printed.table4.set_index(["backbone", "balancer"])
    table.update(spain)
    return printed._replace(table4=table.reset_index())


def lower_all(column, value, balancers):
    def change(printed):
        table = printed.table3.copy()
        plain = table[table["balancer"] == "ls"].set_index(["dataset", "backbone"])[column]
        at = table["balancer"].isin(balancers)
        keys = pd.MultiIndex.from_frame(table.loc[at, ["dataset", "backbone"]])
        table.loc[at, column] = plain.loc[keys].to_numpy() + value
        return printed._replace(table3=table)

    return change


ABOVE_STL = [
    ("mean_angle", 25.0),
    ("median_angle", 19.0),
    ("within_11_25", 30.2),
    ("within_22_5", 57.3),
    ("within_30", 69.2),
]
NASHMTL_TABLE1 = "balancer == 'nashmtl'"
CHANGES = {
    "pub-state-of-the-art": cell("table3", table3("us", "ple", "cagrad"), "average", 0.8),
    "pub-update-deviates": cell("table1", NASHMTL_TABLE1, "shared_cosine", 0.6),
    "pub-mtl-potential": cell("table3", table3("fr", "single_task", "ls"), "average", 0.81),
    "pub-seesaw": both(lower_all("ctr", -0.01, EARLIER), lower_all("ctcvr", -0.01, EARLIER)),
    "pub-beyond-gradients": cell("table3", table3("nl", "mmoe", "nashmtl"), "average", 0.8),
    "pub-144-experiments": text("experiments", 143),
    "pub-144-pairs": text("pairs", 72),
    "pub-diff-and-auc": text("reverse_percent", 55.0),
    "pub-two-thirds-reverse": text("reverse_percent", 66.67),
    "pub-cosine-task-same": cell("table1", "balancer == 'mgda'", "task_p", 0.04),
    "pub-cosine-shared-lower": cell("table1", "balancer == 'imtl_g'", "shared_p", 0.06),
    "pub-cosine-shared-higher": cell("table1", NASHMTL_TABLE1, "shared_cosine", 0.115),
    "pub-diff-higher": cell("table1", NASHMTL_TABLE1, "shared_cosine", 0.131),
    "pub-cheaper-than-compared": cell("table5", "backbone == 'ple'", "pub", 1051.0),
    "pub-improves-backbones": cell("table3", table3("es", "mmoe", "pub"), "average_mark", 0),
    "pub-two-of-eighty": text("baselines_above", 9),
    "pub-all-task-metrics": cell("table3", table3("nl", "ple", "pcgrad"), "ctr", 0.7265),
    "pub-scale-free-inconsistent": lower_all("average", 0.01, ["nashmtl", "imtl_g"]),
    "pub-manipulations-improve": cell("table4", row("ple", "pub_clippy"), "average", 0.8131),
    "pub-adatask-ctcvr": text("best_ctcvr", 0.8967),
    "pub-adatask-spares-ctr": cell("table4", row("ple", "pub_adatask"), "ctr", 0.7306),
    "pub-clippy-ctr": cell("table4", row("ple", "pub_clippy"), "ctr", 0.7316),
    "pub-clippy-spares-ctcvr": cell("table4", row("mmoe", "pub_clippy"), "ctcvr", 0.8942),
    "pub-same-runs": as_in_table3,
    "pub-shorter-than-nashmtl": cell("table5", "backbone == 'mmoe'", "pub", 702.31),
    "pub-speed-mmoe": text("faster_mmoe_percent", 7.82),
    "pub-speed-ple": text("faster_ple_percent", 6.75),
    "pub-sixteen-percent": cell("table5", "backbone == 'mmoe'", "base", 540.0),
    "pub-all-take-longer": cell("table5", "backbone == 'ple'", "base", 990.0),
    "pub-search-seconds-mmoe": text("search_mmoe_seconds", 0.18),
    "pub-search-seconds-ple": text("every", 20),
    "pub-ecpm": cell("table6", "day == '3'", "gain_percent", -0.1),
    "pub-average-gain": text("unused", 0),
    "pub-scenes-best": table7("cagrad", "miou", 60.0),
    "pub-scenes-best-standard": both(table7("pub", "within_11_25", 30.0), table7("pub", "median_angle", 18.0)),
    "pub-scenes-normals": table7("si", "median_angle", 19.0),
    "pub-scenes-seesaw": table7("mgda", "miou", 39.0),
    "pub-scenes-clippy": table7("pub_clippy", "within_30", 65.31),
    "pub-scenes-clippy-segmentation": table7("famo", "pixel_accuracy", 71.0),
    "pub-scenes-adatask-metrics": both(table7("famo", "rel_error", 0.2), table7("famo", "abs_error", 0.5)),
    "pub-scenes-adatask-percent": table7("nashmtl", "miou", 60.0),
    "pub-scenes-adatask-stl": table7("stl", "within_11_25", 30.17),
    "pub-scenes-only-adatask": both(*(table7("famo", *number) for number in ABOVE_STL)),
}  # fmt: skip
CHANGES["pub-average-gain"] = cell("table6", "day == 'average'", "gain_percent", 4.11)


def test_every_check_has_a_change():
    assert list(CHANGES) == list(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_the_verdict_as_printed(name):
    expected = Verdict.FAILED if name in NOT_BORNE_OUT else Verdict.HELD
    assert CHECKS[name](PRINTED).verdict is expected


@pytest.mark.parametrize("name", CHANGES)
def test_one_changed_number_turns_the_verdict(name):
    assert CHECKS[name](CHANGES[name](PRINTED)).verdict is not CHECKS[name](PRINTED).verdict


def test_the_earlier_methods_are_those_of_the_tables():
    known = {"ls", "stl", "pub", "pub_clippy", "pub_adatask"}
    assert set(EARLIER) == set(PRINTED.table3["balancer"]) - known
    assert set(SCENE_METHODS) == set(PRINTED.table7["balancer"]) - known


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("pub-two-of-eighty", "recomputed 9: 2 carry the mark"),
        ("pub-adatask-ctcvr", "the best is 0.8967 (MMOE+PUB)"),
        ("pub-all-task-metrics", "0.0000 (NL PLE CTR, PUB − PCGrad)"),
        ("pub-scenes-best-standard", "not ahead of NashMTL, FAMO, AdaTask"),
        ("pub-scenes-adatask-metrics", "ahead in 7 of 9 metrics"),
        ("pub-speed-mmoe", "recomputed 7.8 %: 702.31 / 651.36"),
        ("pub-average-gain", "recomputed +4.11 %: the plain mean"),
    ],
)
def test_the_evidence_names_the_numbers(name, numbers):
    assert numbers in CHECKS[name](PRINTED).evidence
