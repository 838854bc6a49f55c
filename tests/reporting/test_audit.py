"""The audit finds what does not fit in the printed tables, from their cells alone."""

import pandas as pd
import pytest

from mtbalance.reporting.audit import findings, write_audit
from mtbalance.reporting.printed import everything, released

PRINTED = everything()
FOUND = findings(PRINTED)
DIFFERS = {finding.place: finding for finding in FOUND if not finding.fits}


def changed(table: str, row: int, column: str, value: float):
    """The printed numbers, with one cell of a table changed."""
    frame = getattr(PRINTED, table).copy()
    frame.loc[frame.index[row], column] = value
    return PRINTED._replace(**{table: frame})


def places(printed) -> set[str]:
    return {finding.place for finding in findings(printed) if not finding.fits}


@pytest.mark.parametrize(
    ("place", "recomputed", "arithmetic"),
    [
        ("Section III-A, pairs", "72", "12 groups of 4 means"),
        ("Section III-A, pairs in reverse order", "97.0 pairs", "must be even"),
        ("Table III, FR MMOE+FAMO, average", "0.7974", "a misprint"),
        ("Table III, FR MMOE+PUB, average", "0.8064", "a misprint"),
        ("Table III, US PLE+PUB, average", "0.7934", "one unit"),
        ("Table IV, ES MMOE+PUB+Clippy, average", "0.81415", "a misprint"),
        ("Section VI-B, baselines whose average is above their backbone", "9", "2 carry the mark"),
        ("Table III, US PLE+PUB, CTCVR", "-0.0006", "backbone"),
        ("Tables III and IV, ES MMOE+PUB, CTCVR", "0.8952 in IV", "the same run"),
        ("Tables III and IV, ES PLE+PUB, average", "0.8131 in IV", "the same run"),
        ("Section VI-B, best CTCVR on ES", "0.8967", "largest"),
        ("Section VI-C, MMOE: how much faster PUB is than NashMTL", "7.8 %", "144.05 / 93.10, give 54.7 %"),
        ("Section VI-C, PLE: how much faster PUB is than NashMTL", "6.7 %", "206.41 / 140.01, give 47.4 %"),
        ("Table VI, average", "+4.11 %", "7 days"),
        ("Table VII, column m%", "a third of it, in 17 of 18 rows", "-9.70"),
        ("Table VII, FAMO, m% on the scale of the column", "-2.27", "-4.10"),
        ("Section VI-E, PUB is ahead of all earlier methods", "behind NashMTL, FAMO, AdaTask", "PUB -3.19"),
    ],
)
def test_each_known_difference_is_found_with_its_arithmetic(place, recomputed, arithmetic):
    assert DIFFERS[place].recomputed.startswith(recomputed) and arithmetic in DIFFERS[place].arithmetic


def test_nothing_else_differs_but_what_is_listed_once():
    starts = [place.partition(",")[0] for place in DIFFERS]
    counts = {"Table III": 8, "Table IV": 1, "Tables III and IV": 6, "Table VI": 1, "Table VII": 5}
    assert {start: starts.count(start) for start in counts} == counts
    assert len(FOUND) == len({finding.place for finding in FOUND})


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "place"),
    [
        ("table1", 1, "shared_p", 0.2, "Table I, MGDA"),
        ("table3", 0, "ctr", 0.7158, "Table III, US STL, average"),
        ("table4", 0, "ctcvr", 0.8958, "Tables III and IV, ES MMOE, CTCVR"),
        ("table4", 4, "average", 0.8119, "Table IV, ES PLE, average"),
        ("table5", 0, "pub", 700.0, "Section VI-C, MMOE: seconds of a search"),
        ("table5", 1, "base", 900.0, "Section VI-C, PLE: how much longer PUB takes than the base"),
    ],
)
def test_a_changed_cell_is_found(table, row, column, value, place):
    assert place not in DIFFERS
    assert place in places(changed(table, row, column, value))


def test_a_corrected_cell_is_no_difference_any_more():
    row = int(PRINTED.table3.query("dataset == 'aliexpress_fr' and balancer == 'famo' and backbone == 'mmoe'").index[0])
    assert "Table III, FR MMOE+FAMO, average" not in places(changed("table3", row, "average", 0.7974))
    deltas = PRINTED.table7_delta_m.copy()
    deltas["famo"] = -2.27
    assert "Table VII, FAMO, m% on the scale of the column" not in places(PRINTED._replace(table7_delta_m=deltas))


def test_the_page_has_every_finding_and_every_topic(tmp_path):
    write_audit(tmp_path / "audit.md", PRINTED)
    text = (tmp_path / "audit.md").read_text()
    fits = text.index("## What fits")
    for finding in FOUND:
        assert (text.index(f"| {finding.place} |") < fits) == (not finding.fits)
    assert all(f"| {topic} |" in text for topic in released()["topic"])
    assert f"Of {len(FOUND)} checks, {len(DIFFERS)} found a difference" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count(" | ") for line in rows} == {3}
    assert pd.Series(rows).str.endswith(" |").all()
