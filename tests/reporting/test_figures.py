"""Figures: what is drawn at which number, labels, and files that do not change from call to call."""

from itertools import pairwise

import matplotlib
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from mtbalance.config.kinds import kind, names_in
from mtbalance.reporting.collect import collect
from mtbalance.reporting.drawing import FONTS, MARKERS, looks, save
from mtbalance.reporting.entries import entry_of
from mtbalance.reporting.figures import write_figure
from mtbalance.workflow.results import FIGURE_FORMATS

FIGURES = {name: problem for problem in ("scenes", "ranking") for name in names_in(kind(problem).figures)}
"""A kind of problem that has the figure, by the figure's name."""
del FIGURES["market"], FIGURES["calibration"]  # not of collected metrics: test_market.py, test_calibration.py
del FIGURES["dissect"], FIGURES["clipping"]  # of variants: test_dissect.py

REAL = {("census", "mmoe", "ls"): [(0.8, 0.7)], ("census", "mmoe", "pub"): [(0.81, 0.7)]}


def draw(name, metrics):
    frame = with_cosines(pd.read_parquet(metrics)).assign(problem=FIGURES[name])
    return entry_of(frame, "figures", name)(frame, "Title", "ls")


def with_cosines(frame):
    """The frame with a cosine of every run, as if its steps had been measured."""
    runs = frame[frame["metric"] == "best_epoch"].assign(split="train", task="", better=0)
    names = ("cosine_shared", "cosine_task_specific", "cosine_half", "cosine_other_half")
    rows = [
        runs.assign(metric=name, epoch=epoch, value=0.1 + 0.01 * place + 0.001 * runs["seed"])
        for place, name in enumerate(names)
        for epoch in (pd.NA, 1)
    ]
    return pd.concat([frame, *rows], ignore_index=True).astype(frame.dtypes)


def with_levels(metrics):
    """The file, with methods at the levels at which they balance."""
    levels = dict.fromkeys(["mgda", "cagrad", "nashmtl"], "gradient") | {"pub": "update"}
    frame = pd.read_parquet(metrics)
    frame["level"] = frame["balancer"].map(levels).fillna("loss").astype(frame["level"].dtype)
    frame.to_parquet(metrics)
    return metrics


def texts(figure):
    return [" ".join(text.get_text().split()) for text in figure.findobj(Text) if text.get_text()]


@pytest.mark.parametrize("name", FIGURES)
def test_synthetic_data_are_labeled_and_only_those(name, collected):
    assert any("synthetic_nl (synthetic data)" in text for text in texts(draw(name, collected())))
    assert not any("synthetic" in text for text in texts(draw(name, collected(REAL))))


@pytest.mark.parametrize("name", FIGURES)
def test_selection_on_test_is_said(name, collected):
    assert not any("TEST" in text for text in texts(draw(name, collected())))
    assert any("epochs selected on the TEST split" in text for text in texts(draw(name, collected(selection="test"))))


@pytest.mark.parametrize("name", FIGURES)
def test_drawing_twice_gives_the_same_bytes(name, collected, tmp_path):
    metrics = collected()
    with_cosines(pd.read_parquet(metrics)).assign(problem=FIGURES[name]).to_parquet(metrics)
    for folder in ("a", "b"):
        write_figure(name, metrics, tmp_path / folder / name, title="Title")
    for ending in FIGURE_FORMATS:
        content = (tmp_path / f"a/{name}.{ending}").read_bytes()
        assert content == (tmp_path / f"b/{name}.{ending}").read_bytes()
        assert not any(word in content for word in (b"CreationDate", b"Software", b"dc:date"))


def test_differences_pair_the_seeds_of_one_backbone(collected):
    axes = draw("auc", collected()).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    methods = ["MMOE", "PUB", "MGDA", "PLE", "PUB", "MGDA"]
    assert labels == [*methods, "against MMOE (LS)", "STL"], "the best method of a backbone first"
    dots = {round(line.get_ydata()[0] - 0.22): line.get_xdata() for line in axes.lines if line.get_marker() == "."}
    # MGDA on MMOE lost seed 1; seeds 0 and 2: mean AUC .756 - .760 and .7605 - .761.
    assert list(dots[2]) == pytest.approx([-0.004, -0.0005])
    assert list(dots[4]) == pytest.approx([0.003] * 3)
    assert 5 not in dots
    notes = [text.get_text() for text in axes.texts]
    assert notes == ["1 of 3 runs failed", "3 of 3 runs failed"]


def test_curves_end_in_the_chosen_epoch_or_in_a_cross(collected):
    mmoe = draw("curves", collected()).axes[0]
    assert mmoe.get_title() == "MMOE"
    ends = [line.get_xdata()[0] for line in mmoe.lines if line.get_marker() == "o"]
    crosses = [line.get_xdata()[0] for line in mmoe.lines if line.get_marker() == "X"]
    assert (ends, crosses) == ([3] * 8, [1])


def test_curves_of_more_methods_than_colors_have_a_row_for_each_level(collected):
    names = ["ls", "si", "dwa", "rlw", "famo", "mgda", "cagrad", "nashmtl", "pub"]
    axes = draw("curves", with_levels(collected({("census", "mmoe", name): [(0.8, 0.7)] for name in names}))).axes
    assert [panel.get_ylabel().splitlines()[-1] for panel in axes] == ["level loss", "level gradient", "level update"]
    assert [sum(line.get_marker() == "o" for line in panel.lines) for panel in axes] == [5, 4, 2]


def test_weights_are_shares_of_the_balancers_that_move_them(collected):
    axes = draw("weights", collected()).axes
    assert [panel.get_title() for panel in axes[:2]] == ["MGDA", "PUB"]
    # PUB on MMOE, seed 0, click: .65, .70, .75 of 2.
    assert list(axes[1].lines[1].get_ydata()) == pytest.approx([0.325, 0.35, 0.375])


def test_equal_weights_are_those_of_the_tasks_of_a_data_set(collected):
    """Two data sets with other tasks: the gray line is 1/2 in each panel, and not 1/4."""
    names = {("one", "mmoe", "pub"): [(0.8, 0.7)], ("two", "mmoe", "pub"): [(0.8, 0.7)]}
    metrics = collected(names)
    frame = pd.read_parquet(metrics)
    other = frame["dataset"].eq("two") & frame["task"].isin(["click", "conversion"])
    frame.loc[other, "task"] = "other_" + frame.loc[other, "task"]
    frame.to_parquet(metrics)
    gray = [axes.lines[0].get_ydata() for axes in draw("weights", metrics).axes if axes.get_visible()]
    assert gray == [[0.5, 0.5]] * 2


def with_tasks(metrics, titles):
    """The file with these tasks in place of its first one, all of the same numbers."""
    frame = pd.read_parquet(metrics)
    rows = [frame[frame["task"] == "click"].assign(task=f"t{n}", task_title=title) for n, title in enumerate(titles)]
    pd.concat([frame[frame["task"] != "click"], *rows], ignore_index=True).astype(frame.dtypes).to_parquet(metrics)
    return metrics


def test_weights_of_many_tasks_fill_their_scale_and_all_look_different(collected):
    figure = draw("weights", with_tasks(collected(), [f"task {number}" for number in range(40)]))
    top = max(max(line.get_ydata()) for axes in figure.axes for line in axes.lines[1:])
    assert top < 0.1 and figure.axes[0].get_ylim()[1] == pytest.approx(1.04 * top)
    seen = [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in figure.legends[0].get_lines()]
    assert len(set(seen)) == 41


@pytest.mark.parametrize("letters", [30, 65, 150])
@pytest.mark.parametrize("name", ["weights", "seesaw"])
def test_long_names_of_tasks_stay_within_the_figure_and_beside_their_axes(name, letters, collected):
    titles = [f"{'a_long_name_' * 20}"[: letters - 2] + f"{number:02}" for number in range(9)]
    with matplotlib.rc_context(FONTS):
        figure = draw(name, with_tasks(collected(), titles))
        figure.draw_without_rendering()
        parts = [*figure.legends, figure._suptitle]
        assert all(part.get_window_extent().x0 >= 0 for part in parts)
        assert all(part.get_window_extent().x1 <= figure.bbox.x1 for part in parts)
        boxes = [axes.yaxis.label.get_window_extent() for axes in figure.axes[::2]]
        assert all(low.y1 < high.y0 for high, low in pairwise(boxes))


def test_the_seesaw_says_how_many_tasks_it_leaves_out(collected):
    titles = [f"task {number}" for number in range(9)]
    assert "the first 3 of 10 tasks" in draw("seesaw", with_tasks(collected(), titles)).get_suptitle()
    assert "the first" not in draw("seesaw", collected()).get_suptitle()


def test_dollars_in_names_are_dollars(collected, tmp_path):
    metrics = with_tasks(collected(), ["$gain$ of $5", "$loss$"])
    for name in ("weights", "seesaw"):
        write_figure(name, metrics, tmp_path / name, title="Costs $4, and $5")
        assert "Oblique" not in (tmp_path / f"{name}.svg").read_text(), "no letter is that of a variable"


def test_a_figure_too_tall_for_a_png_is_drawn_with_fewer_points(tmp_path):
    figure = Figure(figsize=(1, 500))
    save(figure, tmp_path / "tall")
    assert 60_000 < imread(tmp_path / "tall.png").shape[0] < 2**16


def test_the_seesaw_of_data_sets_with_other_tasks_has_no_empty_panel(collected):
    results = {(name, "mmoe", method): [(0.8, 0.7)] for name in ("one", "two") for method in ("ls", "pub")}
    metrics = collected(results)
    frame = pd.read_parquet(metrics)
    own = frame["dataset"].eq("two") & frame["task"].ne("")
    frame.loc[own, "task"] = "other_" + frame.loc[own, "task"]
    frame.loc[own, "task_title"] = "other " + frame.loc[own, "task_title"]
    frame.to_parquet(metrics)
    panels = draw("seesaw", metrics).axes
    assert [axes.get_xlabel() for axes in panels] == ["CTR: AUC", "other CTR: AUC"]
    assert all(len(axes.texts) >= 2 for axes in panels)


def test_the_seesaw_has_a_point_a_method_and_names_those_that_are_far_away(collected):
    places = {"ls": (0.8, 0.7), "pub": (0.801, 0.699), "mgda": (0.798, 0.701)}
    results = {("census", "mmoe", name): [place] for name, place in places.items()}
    axes = draw("seesaw", collected(results)).axes[0]
    points = [tuple(line.get_xydata()[0]) for line in axes.lines if line.get_marker() in MARKERS]
    assert sorted(points) == [pytest.approx(place) for place in sorted(places.values())]
    results |= {("census", "ple", name): [place] for name, place in places.items()}
    results[("census", "ple", "mgda")] = [(0.5, 0.5)]
    figure = draw("seesaw", with_levels(collected(results)))
    texts = [text.get_text() for text in figure.axes[1].texts]
    assert texts == ["1", "2", "far outside, at (x, y):\nMGDA (0.5000, 0.5000)"]
    results[("census", "ple", "pub")] = [(0.791, 0.699), (0.811, 0.699)]  # its bar reaches further than MGDA lies
    results[("census", "ple", "mgda")] = [(0.806, 0.699)]
    assert [text.get_text() for text in draw("seesaw", collected(results)).axes[1].texts] == ["1", "2", "3"]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["1 LS", "2 PUB", "3 MGDA", "level loss", "level gradient", "level update"]


def test_the_seesaw_of_three_tasks_has_a_row_for_each_pair_and_the_front_of_fixed_weights(write, tmp_path):
    weights = {"[1,1,1]": (0.70, 0.70, 0.70), "[2,1,0]": (0.74, 0.71, 0.60), "[1,2,0]": (0.71, 0.75, 0.61)}
    weights |= {"[0,0,3]": (0.62, 0.63, 0.80)}
    results = {("census", "mmoe", f"fixed@weights={name}"): [place] for name, place in weights.items()}
    results[("census", "mmoe", "ls")] = [(0.73, 0.73, 0.55)]
    tasks = {"click": "CTR", "conversion": "CTCVR", "like": "like"}
    paths, runs = write(results, tasks=tasks)
    collect(paths, runs, [], [], tmp_path / "three.parquet")
    frame = pd.read_parquet(tmp_path / "three.parquet")
    frame.loc[frame["balancer"].str.startswith("fixed"), "rule"] = "fixed"
    frame.to_parquet(tmp_path / "three.parquet")
    panels = draw("seesaw", tmp_path / "three.parquet").axes
    labels = [(axes.get_xlabel(), axes.get_ylabel()) for axes in panels]
    assert labels == [("CTR: AUC", "CTCVR: AUC"), ("CTR: AUC", "like: AUC"), ("CTCVR: AUC", "like: AUC")]
    fronts = [line.get_xydata() for axes in panels for line in axes.lines if line.get_linestyle() == "-"]
    expected = [
        [(0.71, 0.75), (0.73, 0.73), (0.74, 0.71)],  # LS among them
        [(0.62, 0.80), (0.70, 0.70), (0.71, 0.61), (0.74, 0.60)],
        [(0.63, 0.80), (0.70, 0.70), (0.75, 0.61)],
    ]
    assert [front.tolist() for front in fronts] == [[pytest.approx(point) for point in front] for front in expected]


def test_the_seesaw_of_many_data_sets_has_several_lines_of_panels(collected):
    datasets = [f"set_{number}" for number in range(6)]
    results = {(name, "mmoe", balancer): [(0.8, 0.7)] for name in datasets for balancer in ("ls", "pub")}
    figure = draw("seesaw", collected(results))
    assert figure.get_figwidth() < 20
    shown = [axes.get_title().split("\n")[0] for axes in figure.axes if axes.get_visible()]
    assert shown == datasets


@pytest.mark.parametrize("name", ["auc", "speed"])
def test_labels_of_panels_side_by_side_do_not_overlap(name, collected):
    results = {(f"set_{number}", "mmoe", name): [(0.8, 0.7)] for number in range(3) for name in ("ls", "pub")}
    figure = draw(name, collected(results))
    figure.draw_without_rendering()
    boxes = [axes.xaxis.label.get_window_extent() for axes in figure.axes]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_a_title_of_many_data_sets_covers_nothing_of_the_figure(collected):
    results = {(f"a_data_set_{number}", "mmoe", name): [(0.7, 0.8)] for number in range(12) for name in ("ls", "pub")}
    with matplotlib.rc_context(FONTS):
        figure = draw("pairs", collected(results))
        figure.draw_without_rendering()
    title = figure._suptitle.get_window_extent()  # type: ignore[attr-defined]
    for axes in figure.axes:
        assert axes.title.get_window_extent().y1 < title.y0
        assert axes.xaxis.label.get_window_extent().y0 > 0


def test_empty_figures_say_why(collected):
    metrics = collected({("census", "mmoe", "ls"): [(0.8, 0.7)]})
    assert "No balancer changed its weights." in texts(draw("weights", metrics))
    assert "No balancer beside LS was run." in texts(draw("auc", metrics))
    assert any("no two tasks and two methods to compare" in text for text in texts(draw("seesaw", metrics)))


def test_looks_differ_past_the_end_of_the_palette():
    found = looks([f"balancer {index}" for index in range(20)], "ls")
    assert len(set(found.values())) == 21
    assert len({(look.color, look.marker) for look in found.values()}) == 21
