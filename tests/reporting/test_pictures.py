"""Pictures of predictions, from a record and a sample that were made by hand."""

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from mtbalance.config.run import RunConfig
from mtbalance.errors import UserError
from mtbalance.reporting.pictures import write_picture
from mtbalance.reporting.pictures.scenes import COLUMNS, draw
from sample_records import run_record, write_run

SCENES, HEIGHT, WIDTH = 2, 32, 48


def record_of(problem, kind, dataset="synthetic_rooms"):
    run = RunConfig(
        experiment="any",
        dataset=dataset,
        backbone={"name": kind, "options": {"kind": kind}},
        balancer={"name": "pub", "options": {"level": "update", "rule": "nash"}},
        model={"problem": problem},
        training={"epochs": 1} | ({"selection": "last", "patience": 0} if problem == "scenes" else {}),
        seed=3,
    )
    return run, run_record(run, {}, [], None)


def sample():
    random = np.random.default_rng(0)
    shape = (SCENES, 1, HEIGHT, WIDTH)
    maps = {"image": 3, "normal": 3, "predicted_normal": 3}
    arrays = {name: random.random((SCENES, size, HEIGHT, WIDTH), np.float32) for name, size in maps.items()}
    arrays |= {
        name: random.integers(0, 3, (SCENES, HEIGHT, WIDTH)) for name in ("segmentation", "predicted_segmentation")
    }
    arrays |= {name: random.random(shape, np.float32) + 1 for name in ("depth", "predicted_depth")}
    arrays["depth"][:, :, :8] = 0
    arrays["normal"][:, :, :8] = 0
    arrays["segmentation"][:, :8] = -1
    return arrays | {"classes": np.array(["floor", "wall", "table"])}


def files(folder, problem, kind, **options):
    run, record = record_of(problem, kind, **options)
    np.savez(folder / "sample.npz", **sample())
    return write_run(folder, run, record), folder / "sample.npz", folder / "made/picture.png"


def test_a_picture_shows_images_targets_and_predictions(tmp_path):
    record, kept, output = files(tmp_path, "scenes", "mtan")
    write_picture(record, kept, output)
    with Image.open(output) as picture:
        colors = picture.convert("RGB").getcolors(maxcolors=2**24)
        assert picture.format == "PNG" and picture.width > picture.height and len(colors) > 500
    assert [path.name for path in output.parent.iterdir()] == ["picture.png"]


def test_pixels_without_a_target_are_black_in_the_targets_panels_only():
    figure = draw(sample(), "a heading")
    panels = dict(zip(COLUMNS, figure.axes, strict=False))
    assert len(figure.axes) == SCENES * len(COLUMNS)
    for name in ("class", "depth", "normal"):
        assert not panels[name].images[0].get_array()[:8].any(), name
        assert panels[f"predicted {name}"].images[0].get_array()[:8].any(axis=-1).all(), name


@pytest.mark.parametrize(
    ("dataset", "heading"),
    [
        ("synthetic_rooms", "synthetic_rooms (synthetic data), MTAN, PUB, seed 3: first test images"),
        ("nyuv2", "nyuv2, MTAN, PUB, seed 3: first test images"),
    ],
)
def test_the_heading_comes_from_the_record(tmp_path, monkeypatch, dataset, heading):
    texts = []

    def remembered(arrays, heading):
        figure = draw(arrays, heading)
        texts.extend(text.get_text() for text in figure.findobj(Text))
        return figure

    monkeypatch.setattr("mtbalance.reporting.pictures.scenes.draw", remembered)
    write_picture(*files(tmp_path, "scenes", "mtan", dataset=dataset))
    assert heading in texts and {"floor", "wall", "table", *COLUMNS} <= set(texts)


def test_a_picture_of_rows_that_cannot_be_looked_at_is_refused(tmp_path):
    record, kept, output = files(tmp_path, "ranking", "mmoe")
    with pytest.raises(UserError, match="ranking has no picture"):
        write_picture(record, kept, output)
    assert not output.exists()


def test_a_damaged_sample_is_refused_in_one_line(tmp_path):
    paths = files(tmp_path, "scenes", "mtan")
    content = paths[1].read_bytes()
    middle = len(content) // 2
    for damaged in (b"", content[:-100], content[:middle] + bytes(64) + content[middle + 64 :], b"no zip"):
        paths[1].write_bytes(damaged)
        with pytest.raises(UserError, match=r"cannot be read \(.*\); delete it and run the workflow again") as refused:
            write_picture(*paths)
        assert str(paths[1]) in str(refused.value) and "\n" not in str(refused.value)
