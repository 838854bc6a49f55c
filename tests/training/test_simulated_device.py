"""Runs on a simulated accelerator, which ``tests/simulated_device.py`` describes: the records are those of the CPU."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import simulated_device
import tiny_problems
from mtbalance.problems.ranking.problem import RankingProblem
from mtbalance.training import run as module
from mtbalance.training.run import train
from simulated_device import DEVICE, TRAFFIC
from watched_runs import Killed, Kills, numbers

RUNS = [
    ("ranking", "mmoe", "ls", {}),
    ("scenes", "mtan", "pub", {"epochs": 2}),
    *(
        pytest.param(*run, marks=pytest.mark.long)
        for run in (
            ("ranking", "mmoe", "ls", {"precision": "float64"}),
            ("ranking", "mmoe", "ls", {"micro_batches": 2}),
            ("scenes", "segnet", "ls", {}),
            ("scenes", "mtan", "multibalance", {"precision": "float64"}),
            ("scenes", "mtan", "famo", {"micro_batches": 2}),
        )
    ),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return {experiment: tiny_problems.prepared(experiment, folder) for experiment in tiny_problems.EXPERIMENTS}


@pytest.fixture
def there(monkeypatch):
    """Runs are on the device, and so are the rows of ranking data."""

    def reside(problem, device):
        for split in problem.schema.splits:
            problem.split(split).reside(device)

    monkeypatch.setattr(torch, "Generator", simulated_device.Generator)
    monkeypatch.setattr(module, "choose_device", lambda name: DEVICE)
    monkeypatch.setattr(RankingProblem, "reside", reside)


def trained(config, data, folder) -> list[str]:
    """Everything that a run leaves."""
    folder.mkdir()
    tables = [folder / name for name in ("predictions.parquet", "steps.parquet")]
    sample, model = folder / "sample.npz", folder / "model.safetensors"
    record = train(config, data, sample=sample, predictions=tables[0], steps=tables[1], model=model)
    rows = [pq.read_table(table).to_pydict() for table in tables]
    pictures = {name: values.tolist() for name, values in np.load(sample).items()}
    return [repr(numbers(record)), repr(rows), repr(pictures), repr(model.read_bytes())]


@pytest.mark.parametrize(("experiment", "backbone", "balancer", "training"), RUNS)
def test_a_run_leaves_what_it_leaves_on_the_cpu(data, tmp_path, request, experiment, backbone, balancer, training):
    run = tiny_problems.configure(experiment, balancer, backbone, **training)
    here = trained(run, data[experiment], tmp_path / "here")
    request.getfixturevalue("there")
    before = TRAFFIC.reads
    assert trained(run, data[experiment], tmp_path / "there") == here
    assert TRAFFIC.reads > before


@pytest.mark.parametrize("experiment", ["ranking", pytest.param("scenes", marks=pytest.mark.long)])
def test_a_killed_run_goes_on_there(data, tmp_path, there, experiment):
    run = tiny_problems.configure(experiment)
    path = tmp_path / "run.pt"
    with pytest.raises(Killed):
        train(run, data[experiment], checkpoint=path, minutes=0, watcher=Kills(epoch=2, share=0.3))
    resumed = train(run, data[experiment], checkpoint=path)
    assert numbers(resumed) == numbers(train(run, data[experiment]))


def test_rows_that_reside_there_are_read_by_no_batch(data, there):
    """Neither their order nor their gathering makes the host wait, and only the order is sent."""
    session = module.open_session(tiny_problems.configure("ranking"), data["ranking"])
    reads, sends = TRAFFIC.reads, TRAFFIC.sends
    batches = list(session.problem.split("train").batches(256, session.order))
    assert len(batches) > 3 and all(batch.inputs[0].device == DEVICE for batch in batches)
    assert (TRAFFIC.reads - reads, TRAFFIC.sends - sends) == (0, 1)
