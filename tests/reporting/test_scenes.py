"""The scene table and figure, from records with numbers chosen by hand: no model was trained for them."""

import copy

import pandas as pd
import pytest
from matplotlib.text import Text

from mtbalance.config.run import RunConfig
from mtbalance.reporting.answer import answer
from mtbalance.reporting.collect import collect
from mtbalance.reporting.duel import duel
from mtbalance.reporting.figures.scenes.scenes import draw
from mtbalance.reporting.tables import write_table
from mtbalance.reporting.tables.scenes.scenes import tabulate
from sample_records import epoch_record, run_record, write_run

METRICS = {
    "segmentation": {"miou": 1, "pixel_accuracy": 1},
    "depth": {"abs_error": -1, "rel_error": -1},
    "normal": {"mean_angle": -1, "median_angle": -1, "within_11_25": 1, "within_22_5": 1, "within_30": 1},
}
STL = {
    "segmentation": {"miou": 0.40, "pixel_accuracy": 0.60},
    "depth": {"abs_error": 0.50, "rel_error": 0.20},
    "normal": {"mean_angle": 25.0, "median_angle": 20.0, "within_11_25": 0.3, "within_22_5": 0.6, "within_30": 0.7},
}


def better(values, share):
    """Every metric better by a share of its value."""
    return {
        task: {name: value * (1 + METRICS[task][name] * share) for name, value in metrics.items()}
        for task, metrics in values.items()
    }


BALANCERS = {
    "ls": {"level": "loss", "rule": "equal"},
    "si": {"level": "loss", "rule": "scale_invariant"},
    "pub": {"level": "update", "rule": "nash"},
}
RUNS = {("segnet", "ls"): STL, ("mtan", "ls"): better(STL, 0.01), ("mtan", "pub"): better(STL, 0.1)}


def config(dataset, backbone, balancer, seed):
    return RunConfig(
        experiment="scenes",
        dataset=dataset,
        backbone={"name": backbone, "options": {"kind": backbone}},
        balancer={"name": balancer, "options": BALANCERS[balancer]},
        model={"problem": "scenes", "width": 2},
        training={"epochs": 2, "selection": "last", "last_epochs": 2, "patience": 0},
        seed=seed,
    )


def record(run, values, status):
    evaluation = {}
    for task, metrics in better(values, 0.001 * run.seed).items():
        for name, value in metrics.items():
            evaluation.setdefault(name, {})[task] = value
    evaluation["abs_error_batch_mean"] = {"depth": 9.0}
    return run_record(
        run,
        {task: (task.title(), METRICS[task]) for task in METRICS},
        [epoch_record(number, list(METRICS), evaluation) for number in (1, 2)],
        evaluation if status == "finished" else None,
        data={"constant": better(STL, -0.5)},
        shares=run.backbone.name != "segnet",
    )


@pytest.fixture
def collected(tmp_path):
    def write(dataset="synthetic_scenes", runs=RUNS, failed=()):
        paths, configs = [], []
        for (backbone, balancer), values in runs.items():
            for seed in (0, 1):
                run = config(dataset, backbone, balancer, seed)
                status = "diverged" if (balancer, seed) in failed else "finished"
                paths.append(write_run(tmp_path, run, record(run, values, status)))
                configs.append(run)
        collect(paths, configs, [], [], tmp_path / "metrics.parquet")
        return tmp_path / "metrics.parquet"

    return write


def cells(path):
    table, numbers = tabulate(pd.read_parquet(path), "Title", "ls", 0.05)
    return table, numbers.set_index(["backbone", "balancer", "task", "metric"])


def test_delta_m_is_against_the_mean_of_the_experiments_own_stl(collected):
    _, numbers = cells(collected())
    # Every metric of seeds 0 and 1 is better than STL's by 10 and by 10.11 percent, of means that are .05 % better.
    for name in ("delta_m", "delta_m_by_task"):
        assert numbers.loc[("mtan", "pub", "mean", name), "mean"] == pytest.approx(-10.0, abs=0.02)
        assert numbers.loc[("segnet", "ls", "mean", name), "mean"] == pytest.approx(0.0, abs=1e-9)


def test_numbers_are_in_the_units_of_print(collected):
    table, numbers = cells(collected())
    assert numbers.loc[("segnet", "ls", "segmentation", "miou"), "mean"] == pytest.approx(40.02)
    assert numbers.loc[("segnet", "ls", "depth", "abs_error"), "mean"] == pytest.approx(0.49975)
    assert table.groups[0].columns[:3] == ("mIoU % ↑", "pixel acc. % ↑", "abs. err. m ↓")
    constant = next(row for row in table.rows if row.name == "constant prediction")
    assert constant.cells[0][0].text == "20.00" and constant.cells[0][2].text == "0.7500"


def test_the_best_of_a_column_is_bold_whichever_way_it_counts(collected):
    table, _ = cells(collected())
    pub = next(row for row in table.rows if row.name == "MTAN+PUB").cells[0]
    assert [cell.bold for cell in pub[:11]] == [True] * 11
    assert not any(cell.bold for row in table.rows if row.name != "MTAN+PUB" for cell in row.cells[0])


def test_cells_of_flagged_runs_have_a_sign_that_is_no_unit_of_angles(collected, tmp_path):
    path = collected()
    frame = pd.read_parquet(path)
    frame.loc[(frame["balancer"] == "pub") & (frame["seed"] == 1), "unconverged"] = 1
    frame.to_parquet(path)
    write_table("scenes", path, tmp_path / "scenes", title="Title")
    text, numbers = (tmp_path / "scenes.md").read_text(), pd.read_csv(tmp_path / "scenes.csv")
    (line,) = [line for line in text.splitlines() if line.startswith("| MTAN+PUB")]
    assert line.count("†") == 11 and text.count("†") == 12 and "1 of the experiment's 6 runs" in text
    assert numbers.groupby("balancer")["flagged"].unique().map(list).to_dict() == {"ls": [0], "pub": [1]}
    better = numbers.groupby("metric")["better"].first()
    assert better[["miou", "abs_error", "within_30", "delta_m"]].tolist() == [1, -1, 1, -1]


def test_means_of_batches_stay_in_the_records(collected):
    _, numbers = cells(collected())
    assert not any("batch_mean" in metric for *_, metric in numbers.index)


def test_printed_values_stand_beside_ours_on_nyuv2_alone(collected, tmp_path):
    _, numbers = cells(collected("nyuv2"))
    assert numbers.loc[("segnet", "ls", "segmentation", "miou"), "published"] == 38.31
    assert numbers.loc[("mtan", "ls", "depth", "abs_error"), "published"] == 0.5493
    assert numbers.loc[("mtan", "pub", "mean", "delta_m_by_task"), "published"] == -3.23
    assert numbers.loc[("mtan", "ls", "segmentation", "miou"), "difference_to_published"] == pytest.approx(
        40.42 - 39.29, abs=0.01
    )
    _, numbers = cells(collected("synthetic_scenes"))
    assert numbers["published"].isna().all()


def test_synthetic_data_in_the_place_of_nyuv2_are_not_compared_with_print(collected):
    table, numbers = tabulate(pd.read_parquet(collected("nyuv2")).assign(synthetic=True), "Title", "ls", 0.05)
    assert numbers["published"].isna().all()
    assert not any("Printed" in sentence for sentence in table.caption)


def test_only_mtan_and_stl_are_in_the_printed_table(collected):
    runs = RUNS | {("segnet", "si"): better(STL, 0.2), ("split_segnet", "pub"): better(STL, 0.2)}
    _, numbers = cells(collected("nyuv2", runs))
    printed = numbers["published"].notna().groupby(["backbone", "balancer"]).any()
    assert printed[printed].index.tolist() == [("mtan", "ls"), ("mtan", "pub"), ("segnet", "ls")]


def test_other_balancers_on_single_task_models_are_no_reference(collected):
    before, after = (
        cells(collected(runs=runs))[1].loc[("mtan", "pub", "mean", "delta_m"), "mean"]
        for runs in (RUNS, RUNS | {("segnet", "si"): better(STL, 0.5)})
    )
    assert before == after


def test_a_failed_run_is_counted_and_has_no_delta_m(collected):
    _, numbers = cells(collected(failed=[("pub", 1)]))
    assert numbers.loc[("mtan", "pub", "mean", "delta_m"), ["n", "failed"]].tolist() == [1, 1]


def test_without_stl_there_is_no_delta_m(collected):
    _, numbers = cells(collected(runs={key: RUNS[key] for key in RUNS if key[0] == "mtan"}))
    assert "delta_m" not in numbers.index.get_level_values("metric")


def test_a_reference_of_zero_leaves_delta_m_and_the_ratio_open(collected):
    stl = copy.deepcopy(STL)
    stl["normal"]["within_11_25"] = 0.0
    _, numbers = cells(collected(runs=RUNS | {("segnet", "ls"): stl}))
    assert numbers.loc[("mtan", "pub", "mean", "delta_m"), ["n", "failed"]].tolist() == [0, 0]
    assert numbers.loc[("mtan", "pub", "normal", "within_11_25"), "mean"] == pytest.approx(33.0, abs=0.1)


def test_the_caption_says_what_was_averaged_and_that_data_are_synthetic(collected, tmp_path):
    write_table("scenes", collected(), tmp_path / "scenes", title="Title")
    text = (tmp_path / "scenes.md").read_text()
    assert "SYNTHETIC stand-in data" in text and "No epoch is selected: numbers are means over the last 2 epoch" in text
    assert "Relative QPS was not measured" in text
    assert (tmp_path / "scenes.tex").read_text().isascii()
    assert "delta_m_by_task" in (tmp_path / "scenes.csv").read_text()


def test_the_figure_has_a_panel_a_task_with_the_constant_prediction(collected):
    figure = draw(pd.read_parquet(collected()), "Title", "ls")
    assert len(figure.axes) == 3
    segmentation = figure.axes[0]
    assert list(segmentation.lines[0].get_ydata()) == [20.0, 20.0]
    assert len(segmentation.lines) == 4
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert "MTAN+PUB" in texts and any("synthetic data" in text for text in texts)


def test_the_answer_has_the_best_mean_of_delta_m(collected):
    best, *others = answer(pd.read_parquet(collected()), "Scenes", "ls")[1:]
    assert best.startswith("Best Δm against STL in percent (lower is better): PUB on MTAN, −10.00 (−9.00 [−9.01, ")
    assert not any("PUB" in other for other in others), "the best is said once"


def test_two_methods_are_compared_by_the_metric_of_the_answer(collected):
    table, said = duel(pd.read_parquet(collected()), "mtan/pub", "mtan/ls")
    assert table.title.endswith(": delta_m") and said.startswith("Difference −9.0000, ")


def test_with_one_seed_the_answer_has_the_range_of_delta_m_and_no_rank(collected):
    frame = pd.read_parquet(collected())
    _, scores, chance = answer(frame[frame["seed"] == 0], "Scenes", "ls")
    assert scores == "Δm against STL in percent (lower is better), from best to worst: MTAN −10.00 (PUB) to −1.00 (LS)."
    assert chance == "With one seed no difference between methods can be told from chance."
