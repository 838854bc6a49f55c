"""Predictions for the first test rows, as they are kept beside a record."""

import numpy as np
import torch

from mtbalance.training.run import open_session, train
from mtbalance.training.sample import ROWS, keep_sample
from mtbalance.training.step import predict


def read(path):
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def test_a_sample_holds_the_first_test_rows_and_the_models_outputs(configure, data, tmp_path):
    session = open_session(configure(), data)
    keep_sample(session, tmp_path / "sample.npz")
    found = read(tmp_path / "sample.npz")
    batch = next(session.problem.split("test").batches(ROWS, None))
    click, conversion = predict(session.model, batch.inputs, session.config.training)
    expected = {"click": batch.targets[0], "conversion": batch.targets[1]}
    expected |= {"predicted_click": click, "predicted_conversion": conversion}
    assert found.keys() == expected.keys()
    assert all(torch.equal(torch.from_numpy(found[name]), values) for name, values in expected.items())
    assert all(len(values) == ROWS == 3 for values in found.values())


def test_a_run_keeps_the_trained_models_sample_and_changes_no_number(configure, data, tmp_path):
    with_sample = train(configure(epochs=2), data, sample=tmp_path / "kept/sample.npz")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["sample.npz"]
    assert train(configure(epochs=2), data).test == with_sample.test
    session = open_session(configure(epochs=2), data)
    keep_sample(session, tmp_path / "untrained.npz")
    trained, untrained = read(tmp_path / "kept/sample.npz"), read(tmp_path / "untrained.npz")
    assert (trained["click"] == untrained["click"]).all()
    assert (trained["predicted_click"] != untrained["predicted_click"]).all()
