"""What every kind of problem must hold."""

import numpy as np
import pytest
import torch

from mtbalance.config.kinds import kind, kinds
from mtbalance.data import DataError
from mtbalance.problems import open_problem
from mtbalance.registry import available
from tiny_problems import EXPERIMENTS


def test_every_kind_is_tried():
    assert sorted(EXPERIMENTS) == kinds()


@pytest.fixture(params=EXPERIMENTS)
def problem(request, problems):
    return problems[request.param]


@pytest.mark.parametrize("name", kinds())
def test_a_declaration_names_what_there_is(name):
    declared = kind(name)
    assert available(declared.models)
    for packages, defaults in (
        (declared.tables, declared.default_tables),
        (declared.figures, declared.default_figures),
    ):
        assert set(defaults) <= {entry for package in packages for entry in available(package)}


def test_the_splits_are_the_declared_ones_and_others_are_refused(problem):
    assert sorted(problem.schema.splits) == sorted(problem.kind.splits)
    for name in problem.kind.splits:
        rows = problem.split(name)
        assert (rows.name, rows.rows) == (name, problem.schema.splits[name].rows)
        assert problem.split(name) is rows
        assert sum(len(batch.targets[0]) for batch in rows.batches(problem.evaluation_batch, None)) == rows.rows
    with pytest.raises(DataError, match="no split 'another'"):
        problem.split("another")


def test_a_models_outputs_have_losses_and_metrics(problem):
    model, batch = problem.model().eval(), next(problem.split("test").batches(problem.evaluation_batch, None))
    for task, output, target in zip(problem.tasks, model(batch.inputs), batch.targets, strict=True):
        assert task.loss(output, target).isfinite() and task.loss(output, target).shape == ()
        meter = task.meter()
        meter.add(output.detach(), target)
        assert set(task.metrics) <= set(meter.result())


def test_titles_and_facts_are_those_of_the_data(problem):
    assert [(task.name, task.title) for task in problem.tasks] == [(t.name, t.title) for t in problem.schema.tasks]
    facts = problem.facts()
    assert facts["synthetic"] is True
    assert facts["rows"] == {name: part.rows for name, part in problem.schema.splits.items()}
    assert facts["sha256"] == {name: part.sha256 for name, part in problem.schema.splits.items()}


def test_the_score_is_a_number_for_all_tasks(problem):
    metrics = {metric: {task.name: 0.5 for task in problem.tasks} for metric in problem.tasks[0].metrics}
    assert set(problem.summarize(metrics)) == ({problem.kind.score} if problem.kind.score else set())


def test_a_sample_can_be_kept_without_pickling(problem, tmp_path):
    batch = next(problem.split("test").batches(3, None))
    sample = problem.sample(batch, [output.detach() for output in problem.model().eval()(batch.inputs)])
    np.savez(tmp_path / "sample.npz", allow_pickle=False, **sample)
    with np.load(tmp_path / "sample.npz", allow_pickle=False) as kept:
        assert set(kept) == set(sample)
    for task, target in zip(problem.tasks, batch.targets, strict=True):
        assert np.array_equal(sample[task.name], target)
        assert len(sample[f"predicted_{task.name}"]) == 3


def test_the_same_generator_draws_the_same_model(problem):
    models = []
    for _ in range(2):
        torch.manual_seed(3)
        models.append(open_problem(problem.config, problem.data).model())
    assert all(torch.equal(a, b) for a, b in zip(*(model.parameters() for model in models), strict=True))
