"""The ledger: its entries, what is refused, and the two files."""

import json

import pandas as pd
import pytest

from mtbalance.errors import UserError
from mtbalance.reporting.claims import LEDGER, judge
from mtbalance.reporting.claims.claim import MULTIBALANCE, PUB, Verdict
from mtbalance.reporting.claims.document import write_claims
from mtbalance.reporting.claims.evidence import read_metrics
from mtbalance.reporting.collect import collect
from planted_claims import cells, evidence, ranking, speeds

FOUND = ranking("mean_auc", {"pub": 0.02})


def test_the_ledger_has_claims_of_both_papers_and_names_their_places():
    papers = [claim.paper for claim in LEDGER]
    assert len(LEDGER) >= 36 and papers.count(PUB) >= 30 and papers.count(MULTIBALANCE) >= 5
    assert len({claim.id for claim in LEDGER}) == len(LEDGER)
    sections = " ".join(claim.section for claim in LEDGER if claim.paper == PUB)
    assert all(part in sections for part in ("abstract", "III-A", "V-A", "VI-B", "VI-C", "VI-D", "VI-E", "VII", "toy"))
    assert all(f"Table {number}" in sections for number in ("I", "III", "IV", "V", "VI", "VII"))


@pytest.mark.parametrize("claim", LEDGER, ids=lambda claim: claim.id)
def test_an_entry_is_a_short_quote_that_something_checks(claim):
    assert claim.section and claim.test and 1 <= len(claim.quote.split()) <= 14
    assert claim.here or claim.printed or claim.needs
    assert claim.needs or not claim.here


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[str, dict]:
    stem = tmp_path_factory.mktemp("ledger") / "claims"
    write_claims(stem, FOUND)
    return stem.with_name("claims.md").read_text(), json.loads(stem.with_name("claims.json").read_text())


def test_the_page_begins_with_a_count_that_is_right(written):
    lines = written[0].splitlines()
    start = lines.index("| verdict | by our runs | by their own numbers |")
    entries = judge(FOUND)
    for row, verdict in zip(lines[start + 2 :], Verdict, strict=False):
        name, here, printed = (cell.strip() for cell in row.strip("|").split("|"))
        own = [entry.here for entry in entries if entry.here and entry.here.verdict is verdict]
        assert (name, here.split()[0]) == (verdict, str(len(own)))
        theirs = sum(entry.printed.verdict is verdict for entry in entries if entry.printed)
        assert printed == (str(theirs) if theirs else "–")
    total = sum(int(row.split("|")[2].split()[0]) for row in lines[start + 2 : start + 7])
    assert total == len(LEDGER)


def test_the_page_has_every_claim_once_under_its_paper(written):
    text = written[0]
    second = text.index(f"## {MULTIBALANCE}")
    assert text.index(f"## {PUB}") < second
    for claim in LEDGER:
        assert text.count(f"| **{claim.id}** ") == 1
        assert (text.index(f"| **{claim.id}** ") > second) == (claim.paper == MULTIBALANCE)
    rows = [line for line in text[text.index(f"## {PUB}") :].splitlines() if line.startswith("|")]
    assert {line.replace(r"\|", "").count("|") for line in rows} == {7}


def test_verdicts_on_stand_in_data_say_so(written):
    rows = [line for line in written[0].splitlines() if "*held*" in line or "*did not hold*" in line]
    assert rows[1:] and all("(synthetic data)" in line for line in rows if line.startswith("| **"))
    assert "SYNTHETIC" in written[0]


def test_other_data_than_the_papers_are_named_as_such(tmp_path):
    real = FOUND.metrics.assign(synthetic=False)
    for dataset, noted in (("census_income", True), ("aliexpress_nl", False)):
        write_claims(tmp_path / "claims", evidence(real.assign(dataset=dataset).to_dict("records")))
        text = (tmp_path / "claims.md").read_text()
        assert ("not the paper's data" in text) == noted and "SYNTHETIC" not in text and "synthetic data" not in text


def test_every_number_can_be_traced(written):
    found = {claim["id"]: claim for claim in written[1]["claims"]}
    cell = found["pub-improves-backbones"]["here"]["trace"][0]
    assert cell["file"] == "results/metrics/planted.parquet"
    frame = FOUND.metrics
    values = {
        name: frame[
            (frame["balancer"] == name) & (frame["backbone"] == cell["backbone"]) & (frame["metric"] == "mean_auc")
        ]
        for name in (cell["method"], cell["other"])
    }
    means = [rows["value"].mean() for rows in values.values()]
    assert cell["difference"] == pytest.approx(means[0] - means[1], rel=1e-4) and cell["pairs"] == 5
    for claim in found.values():
        for outcome in (claim["here"], claim["printed"]):
            tested = outcome and outcome["verdict"] != Verdict.UNTESTED
            assert not tested or outcome["trace"]


def test_differences_are_printed_as_the_metric_has_them(tmp_path):
    """MultiBalance's NE is lower, so the difference is negative, although the claim held."""
    write_claims(tmp_path / "claims", ranking("ne", {"multibalance": -0.02}))
    (row,) = [line for line in (tmp_path / "claims.md").read_text().splitlines() if "**multibalance-ne**" in line]
    assert "*held*" in row and "NE click of MultiBalance − LS: −2.8" in row


def test_the_same_numbers_give_the_same_files(tmp_path):
    for name in ("a", "b"):
        write_claims(tmp_path / name / "claims", FOUND)
    for ending in ("md", "json"):
        assert (tmp_path / f"a/claims.{ending}").read_bytes() == (tmp_path / f"b/claims.{ending}").read_bytes()


def test_throughput_says_on_which_device():
    (entry,) = [entry for entry in judge(speeds({"pub": 0.9})) if entry.claim.id == "pub-sixteen-percent"]
    assert entry.here.evidence.endswith("cpu")


def test_metrics_of_another_configuration_and_missing_seeds_are_refused(tmp_path, write, demo):
    paths, runs = write(demo)
    metrics = tmp_path / "demo.parquet"
    collect(paths, runs, [], [], metrics)
    assert len(read_metrics([metrics], runs)) == len(pd.read_parquet(metrics))
    other = runs[0].model_copy(update={"training": runs[0].training.model_copy(update={"epochs": 4})})
    with pytest.raises(UserError, match=r"demo.parquet is stale: it has the run demo/synthetic_nl/single_task/ls/0"):
        read_metrics([metrics], [other, *runs[1:]])
    frame = pd.read_parquet(metrics)
    lost = frame[(frame["balancer"] != "pub") | (frame["backbone"] != "mmoe") | (frame["seed"] != 2)]
    lost.to_parquet(metrics)
    with pytest.raises(UserError, match=r"no rows of 1 runs, the first is demo/synthetic_nl/mmoe/pub/2"):
        read_metrics([metrics], runs)


def test_one_experiment_does_not_answer_for_another():
    """A claim about all data sets fails if one experiment of the preset contradicts it."""
    good = cells(0.7, balancer="ls", metric="mean_auc") + cells(0.8, balancer="pub", metric="mean_auc")
    bad = [row | {"experiment": "other", "value": 1.4 - row["value"]} for row in good]
    claim = next(claim for claim in LEDGER if claim.id == "pub-improves-backbones")
    assert claim.here(evidence(good)).verdict is Verdict.HELD
    assert claim.here(evidence([*good, *bad])).verdict is Verdict.FAILED
