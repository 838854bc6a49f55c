"""PUB taken apart, and its manipulations: tables and figures of tiny trainings, recomputed from what a run keeps."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from dissected_runs import SEEDS, cell, trained
from mtbalance import places
from mtbalance.errors import UserError
from mtbalance.records import read_run
from mtbalance.reporting.figures import write_figure
from mtbalance.reporting.figures.ranking import clipping as clipping_figure
from mtbalance.reporting.figures.ranking import dissect as dissect_figure
from mtbalance.reporting.tables.ranking import dissect, manipulations

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dissected")


@pytest.fixture(scope="module")
def frame(folder):
    return trained(folder)


@pytest.fixture
def aucs(folder):
    """Test AUC by seed, with scikit-learn from the kept predictions: of a task, or the mean over tasks."""

    def of(balancer: str, tasks: tuple[str, ...] = ("click", "conversion")) -> list[float]:
        found = []
        for seed in SEEDS:
            kept = pd.read_parquet(folder / places.PREDICTIONS.format(**cell(balancer, seed)))
            found.append(np.mean([roc_auc_score(kept[task], kept[f"predicted_{task}"]) for task in tasks]))
        return found

    return of


def without(frame: pd.DataFrame, *balancers: str) -> pd.DataFrame:
    return frame[~frame["balancer"].isin(balancers)]


def cells_of(numbers: pd.DataFrame, balancer: str) -> pd.DataFrame:
    return numbers[numbers["balancer"] == balancer].set_index("metric")


def test_auc_and_its_test_are_those_of_scikit_learn_and_scipy(frame, aucs):
    _, numbers = dissect.tabulate(frame, "Tiny", "ls", 0.05)
    found = cells_of(numbers, "pub").loc["mean_auc"]
    ours, theirs = aucs("pub"), aucs("ls")
    assert found["mean"] == pytest.approx(np.mean(ours), abs=5e-6)
    assert found["difference"] == pytest.approx(np.mean(ours) - np.mean(theirs), abs=5e-6)
    assert found["p"] == pytest.approx(stats.ttest_rel(ours, theirs).pvalue, rel=0.02)


def test_the_caption_says_the_controls_differences_with_their_intervals(frame, aucs):
    table, _ = dissect.tabulate(frame, "Tiny", "ls", 0.05)
    (sentence,) = (text for text in table.caption if text.startswith("From the search"))
    ours, theirs = aucs("pub@rescale=sum_to_1"), aucs("equal_update@rescale=sum_to_1")
    test = stats.ttest_rel(ours, theirs)
    expected = [np.mean(ours) - np.mean(theirs), *test.confidence_interval(0.95)]
    text = re.search(r"sum_to_1\) minus Equal updates \(rescale sum_to_1\) (.+?\]), ([^;]+);", sentence)
    printed = [float(number.replace("−", "-")) for number in re.findall(r"[+−]?\d\.\d+", text[1])]
    assert printed == pytest.approx(expected, abs=6e-5)
    assert (text[2] == "not distinguishable with 3 seeds") == (test.pvalue > 0.05)
    assert "PUB+AdaTask minus AdaTask" in sentence


def test_weights_and_lengths_are_those_of_the_steps(frame, folder):
    _, numbers = dissect.tabulate(frame, "Tiny", "ls", 0.05)
    found = cells_of(numbers, "pub@rescale=sum_to_1")["mean"]
    lengths, deviations, spreads, cosines = {}, [], [], []
    for seed in SEEDS:
        record = read_run(folder / places.RECORD.format(**cell("pub@rescale=sum_to_1", seed)))
        for balancer in ("pub@rescale=sum_to_1", "ls"):
            best = read_run(folder / places.RECORD.format(**cell(balancer, seed))).best_epoch
            steps = pd.read_parquet(folder / places.STEPS.format(**cell(balancer, seed)))
            steps = steps[steps["epoch"] <= best]
            lengths[balancer, seed] = np.sqrt(steps["shared_update"].mean())
            if balancer != "ls":
                weights = steps[["weight_click", "weight_conversion"]].to_numpy()
                np.testing.assert_allclose(weights.sum(axis=1), 1)
                deviations.append(100 * abs(2 * weights.mean(axis=0) - 1).max())
                spreads.append(200 * weights.std(axis=0).mean())
        cosines.append(np.mean([e.diagnostics["cosine"] for e in record.epochs[: record.best_epoch]]))
    assert found["weight_deviation"] == pytest.approx(np.mean(deviations))
    assert found["weight_spread_percent"] == pytest.approx(np.mean(spreads))
    assert found["cosine"] == pytest.approx(np.mean(cosines))
    ratio = np.mean([lengths["pub@rescale=sum_to_1", seed] / lengths["ls", seed] for seed in SEEDS])
    assert cells_of(numbers, "pub@rescale=sum_to_1")["ratio"]["length_shared"] == pytest.approx(ratio)


def test_with_two_tasks_a_search_makes_updates_equally_long(frame):
    """The Nash weights of two tasks are 1/|d_k| times a common factor, so a_1 |d_1| = a_2 |d_2|: here, up to 10 %."""
    _, numbers = dissect.tabulate(frame, "Tiny", "ls", 0.05)
    weights = numbers[numbers["metric"] == "weight_deviation"].set_index("balancer")["mean"]
    assert weights["equal_update@rescale=sum_to_K"] == 0 < weights["pub"] < 10


@pytest.mark.parametrize("missing", ["equal_update@rescale=sum_to_K", "pub@rescale=sum_to_1"])
def test_a_missing_variant_is_named(frame, missing):
    with pytest.raises(UserError, match=re.escape(f"{missing} was not run on mmoe: add it to experiments.tiny.grid")):
        dissect.tabulate(without(frame, missing), "Tiny", "ls", 0.05)


def test_a_missing_rate_and_missing_steps_are_told(frame):
    with pytest.raises(UserError, match=re.escape("ls@optimizer.lr=RATE in experiments.tiny.grid.mmoe")):
        dissect.tabulate(without(frame, "ls@optimizer.lr=0.02"), "Tiny", "ls", 0.05)
    with pytest.raises(UserError, match=re.escape("measure: [cosines]")):
        dissect.tabulate(frame[frame["metric"] != "length_shared"], "Tiny", "ls", 0.05)


def test_the_figure_has_a_line_for_each_method_and_longer_steps_are_lower(frame):
    figure = dissect_figure.draw(frame, "Tiny", "ls")
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(names) == frame["balancer"].nunique()
    assert names.index("LS") < names.index("LS (lr 0.02)")
    assert "synthetic" in figure.axes[0].get_title(loc="left")


def test_data_sets_of_other_tasks_stand_in_one_figure(frame):
    other = frame.assign(dataset="other", task_title=frame["task_title"].replace("CTR", "Like"))
    figure = dissect_figure.draw(pd.concat([frame, other], ignore_index=True), "Title", "ls")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["CTR", "CTCVR", "Like"]


def test_flagged_runs_have_a_sign_at_their_test_metric_alone(frame):
    flagged = frame.assign(unconverged=((frame["balancer"] == "pub") & (frame["seed"] == 0)).astype(int))
    table, numbers = dissect.tabulate(flagged, "Tiny", "ls", 0.05)
    signs = {row.name: ["†" in cell.text for cell in row.cells[0]] for row in table.rows}
    assert signs.pop("MMOE+PUB") == [True, False, False, False, False]
    assert not any(any(cells) for cells in signs.values())
    assert cells_of(numbers, "pub")["flagged"].to_dict()["mean_auc"] == 1 and numbers["flagged"].sum() == 1


def test_gains_are_differences_of_runs_with_the_same_seed(frame, aucs):
    _, numbers = manipulations.tabulate(frame, "Tiny", "ls", 0.05)
    gains = numbers[numbers["over"].notna()].set_index(["balancer", "over", "task"])
    for over in ("pub", "clippy_adam@clip.absolute=0.001"):
        found = gains.loc[("pub_clippy@clip.absolute=0.001", over, "click")]
        ours, theirs = aucs("pub_clippy@clip.absolute=0.001", ("click",)), aucs(over, ("click",))
        test = stats.ttest_rel(ours, theirs)
        assert found["difference"] == pytest.approx(np.mean(ours) - np.mean(theirs), abs=5e-6)
        assert [found["low"], found["high"]] == pytest.approx(list(test.confidence_interval(0.95)), abs=5e-5)
    assert numbers["published"].isna().all(), "synthetic data are never compared with the paper"


def test_a_partner_that_was_not_run_is_named(frame):
    for missing in ("pub", "adatask", "clippy_adam@clip.absolute=0.1"):
        with pytest.raises(UserError, match=re.escape(f"{missing} was not run on mmoe")):
            manipulations.tabulate(without(frame, missing), "Tiny", "ls", 0.05)
    with pytest.raises(UserError, match="has neither"):
        manipulations.tabulate(frame[frame["balancer"].isin(["ls", "pub"])], "Tiny", "ls", 0.05)


def test_printed_gains_stand_beside_ours_on_the_papers_data(frame):
    """Table IV, MMOE: PUB+AdaTask .8962 against .8952 of PUB in CTCVR; Table III: AdaTask alone .8917."""
    real = frame.assign(dataset="aliexpress_es", synthetic=False)
    titles = {"click": "CTR", "conversion": "CTCVR"}
    real["task_title"] = real["task"].map(titles).astype("string").fillna(real["task_title"])
    table, numbers = manipulations.tabulate(real, "Tiny", "ls", 0.05)
    gains = numbers[numbers["over"].notna()].set_index(["balancer", "over", "task"])["published"]
    assert gains["pub_adatask", "pub", "conversion"] == pytest.approx(0.0010)
    assert gains["pub_adatask", "adatask", "conversion"] == pytest.approx(0.0045)
    rows = {row.name: row.cells[0] for row in table.rows}
    assert rows["MMOE+PUB"][1].beside.startswith("0.8952 (")
    assert rows["MMOE: PUB+AdaTask minus PUB"][1].beside == "+0.0010"


def test_the_caption_tells_what_table_three_leaves_of_the_printed_gains(frame):
    """PUB+Clippy .8145 on MMOE: .0011 over the .8134 of Table IV, and nothing over the .8145 of Table III."""
    table, _ = manipulations.tabulate(frame, "Tiny", "ls", 0.05)
    assert any("PUB+Clippy +0.0011 (0.0000) on MMOE" in sentence for sentence in table.caption)


def test_the_clip_rate_falls_as_the_limit_rises(frame):
    figure = clipping_figure.draw(frame, "Tiny", "ls")
    above, below = figure.axes
    lines = [line for line in below.get_lines() if line.get_linestyle() == "-"]
    assert len(lines) == 2, "ClippyAdam and PUB+Clippy"
    for line in lines:
        assert list(line.get_xdata()) == [0.001, 0.1]
        tight, wide = line.get_ydata()
        assert tight > 0.5 and wide < tight
    assert "synthetic" in above.get_title()
    with pytest.raises(UserError, match=re.escape("clippy_adam@clip.absolute=0.001")):
        clipping_figure.draw(frame[frame["balancer"].isin(["ls", "pub"])], "Tiny", "ls")


@pytest.mark.parametrize("draw", [dissect_figure.draw, clipping_figure.draw])
def test_figures_say_that_epochs_were_selected_on_the_test_split(frame, draw):
    assert "TEST" not in draw(frame, "Tiny", "ls").get_suptitle()
    assert "selected on the TEST split" in draw(frame.assign(selection="test"), "Tiny", "ls").get_suptitle()


@pytest.mark.parametrize("name", ["dissect", "clipping"])
def test_drawing_twice_gives_the_same_bytes(frame, name, tmp_path):
    frame.to_parquet(tmp_path / "metrics.parquet")
    for folder in ("a", "b"):
        write_figure(name, tmp_path / "metrics.parquet", tmp_path / folder / name, title="Tiny")
    for ending in ("png", "pdf"):
        assert (tmp_path / f"a/{name}.{ending}").read_bytes() == (tmp_path / f"b/{name}.{ending}").read_bytes()
