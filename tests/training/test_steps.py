"""Measured steps: the numbers of the steps file, and what measuring must not change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from mtbalance.training import run as run_module
from mtbalance.training.run import open_session, train
from mtbalance.training.seeding import seed_everything
from mtbalance.training.step import train_step
from mtbalance.training.steps import StepLog, random_half
from watched_runs import Killed, Kills, numbers

BALANCERS = ("ls", "nashmtl", "pub", "multibalance")
PARTS = ("shared", "task_specific", "half")
PRODUCTS = ("dot", "gradient", "update")


def log_of(session) -> StepLog:
    """A log of the session's steps."""
    return StepLog(session.level, session.reach(), ["click", "conversion"], session.config.seed)


def by_hand(parameters, gradients, before) -> dict[str, float]:
    """The three products over some parameters, element by element, in float64."""
    found = dict.fromkeys(PRODUCTS, 0.0)
    for parameter in parameters:
        gradient = gradients.get(parameter, torch.zeros_like(parameter)).double().flatten().tolist()
        update = (parameter.detach().double() - before[parameter].double()).flatten().tolist()
        for g, delta in zip(gradient, update, strict=True):
            found["dot"] += g * delta
            found["gradient"] += g * g
            found["update"] += delta * delta
    return found


@pytest.mark.parametrize("decay", ["decoupled", "coupled"])
def test_products_are_those_of_flattened_vectors(configure, data, tmp_path, decay):
    """Joint gradients are seen by a hook of the optimizer, and changes from copies of the parameters."""
    optimizer = {"weight_decay": 0.1, "decay": decay}
    session = open_session(configure("nashmtl", optimizer=optimizer), data)
    session.log = log_of(session)
    reach, parameters = session.reach(), list(session.model.parameters())
    groups = {
        "shared": reach.shared,
        "task_specific": [parameter for own in reach.own for parameter in own],
        "half": random_half(reach.shared, 0),
    }
    seen: dict[torch.nn.Parameter, torch.Tensor] = {}
    session.level.optimizer.register_step_pre_hook(
        lambda *_: seen.update({p: p.grad.clone() for p in parameters if p.grad is not None})
    )
    session.model.train()
    expected = []
    for batch in session.problem.split("train").batches(500, session.order):
        before = {parameter: parameter.detach().clone() for parameter in parameters}
        report = train_step(
            session.model, session.problem.tasks, session.level, batch, session.device, session.config.training
        )
        session.log.add(1, report.weights)
        row = {
            f"{part}_{product}": value
            for part, members in groups.items()
            for product, value in by_hand(members, seen, before).items()
        }
        expected.append(row | dict(zip(("weight_click", "weight_conversion"), report.weights, strict=True)))
    session.log.write(tmp_path / "steps.parquet", session.config.digest())
    found = pd.read_parquet(tmp_path / "steps.parquet")
    assert list(found["step"]) == [1, 2, 3] and list(found["epoch"]) == [1, 1, 1]
    wanted = pd.DataFrame(expected)
    assert set(found.columns) == {"step", "epoch", *wanted.columns}
    np.testing.assert_allclose(found[wanted.columns], wanted, rtol=2e-5)


@pytest.mark.parametrize(
    "balancer",
    [
        *BALANCERS,
        "ls@manipulation=clippy",
        "nashmtl@max_norm=0.1",
        "pub@preconditioner=delayed,between=weighted_loss",
        "pub@manipulation=clippy",
        "pub@moment_weights=ones",
        "pub@heads=weighted",
    ],
)
def test_the_joint_gradient_is_the_one_that_the_moments_take_up(configure, data, balancer):
    """However a level goes about a step: Adam's first moment becomes beta1 m + (1 - beta1) g."""
    session = open_session(configure(balancer, optimizer={"weight_decay": 0.1}), data)
    level, state = session.level, session.level.optimizer.state
    level.keeps_joint = True
    session.model.train()
    steps = list(session.problem.split("train").batches(100, session.order))
    assert len(steps) > 12, "too few for a preconditioner that is delayed"
    for batch in steps:
        before = {p: state[p]["exp_avg"].clone() if p in state else 0.0 for p in session.model.parameters()}
        train_step(session.model, session.problem.tasks, level, batch, session.device, session.config.training)
        assert set(level.joint_gradient) == set(state)
        for parameter, gradient in level.joint_gradient.items():
            expected = 0.9 * before[parameter] + 0.1 * gradient
            torch.testing.assert_close(state[parameter]["exp_avg"], expected, rtol=1e-4, atol=1e-8)


def test_with_moments_of_each_task_the_joint_gradient_is_their_sum(configure, data):
    session = open_session(configure("pub@manipulation=adatask"), data)
    session.level.keeps_joint = True
    session.model.train()
    batch = next(session.problem.split("train").batches(500, session.order))
    train_step(session.model, session.problem.tasks, session.level, batch, session.device, session.config.training)
    moments = session.level.manipulation.moments
    assert moments
    for parameter, found in moments.items():
        expected = 0.1 * session.level.joint_gradient[parameter]
        torch.testing.assert_close(found["exp_avg"].sum(dim=0), expected, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("balancer", BALANCERS)
def test_measuring_changes_no_number(configure, data, tmp_path, balancer):
    plain = train(configure(balancer, epochs=2), data)
    measured = train(configure(balancer, epochs=2), data, steps=tmp_path / "steps.parquet")
    assert numbers(measured) == numbers(plain)
    steps = pd.read_parquet(tmp_path / "steps.parquet")
    assert list(steps["step"]) == list(range(1, 13)) and list(steps["epoch"]) == [1] * 6 + [2] * 6
    weights = steps[steps["epoch"] == 2][["weight_click", "weight_conversion"]].mean()
    assert weights.tolist() == pytest.approx(list(measured.epochs[1].weights.values()))
    assert np.isfinite(steps.to_numpy()).all() and (steps["shared_dot"] < 0).all()


@pytest.mark.parametrize("balancer", BALANCERS)
def test_a_killed_run_has_the_same_steps(configure, data, tmp_path, balancer):
    with pytest.raises(Killed):
        train(
            configure(balancer),
            data,
            checkpoint=tmp_path / "run.pt",
            steps=tmp_path / "resumed.parquet",
            watcher=Kills(epoch=3, share=0.5),
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.before.pt", "run.pt"], (
        "a half-written file was left"
    )
    train(configure(balancer), data, checkpoint=tmp_path / "run.pt", steps=tmp_path / "resumed.parquet")
    train(configure(balancer), data, steps=tmp_path / "whole.parquet")
    assert (tmp_path / "resumed.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_a_checkpoint_without_steps_is_passed_over(configure, data, tmp_path):
    with pytest.raises(Killed):
        train(configure(), data, checkpoint=tmp_path / "run.pt", watcher=Kills(epoch=3, share=0.5))
    train(configure(), data, checkpoint=tmp_path / "run.pt", steps=tmp_path / "steps.parquet")
    assert len(pd.read_parquet(tmp_path / "steps.parquet")) == 24


def test_models_of_single_tasks_have_no_shared_columns(configure, data, tmp_path):
    train(configure(backbone="single_task", epochs=1), data, steps=tmp_path / "steps.parquet")
    names = ["step", "epoch", "weight_click", "weight_conversion"]
    names += [f"task_specific_{product}" for product in PRODUCTS]
    assert sorted(pd.read_parquet(tmp_path / "steps.parquet").columns) == sorted(names)


def test_a_diverged_run_keeps_the_steps_it_took(configure, data, tmp_path):
    record = train(configure(), data, steps=tmp_path / "steps.parquet", watcher=Kills(2, 0.3, FloatingPointError))
    assert record.status == "diverged"
    assert list(pd.read_parquet(tmp_path / "steps.parquet")["epoch"]) == [1] * 6 + [2] * 2


def test_a_run_that_took_no_step_keeps_a_file_without_rows(configure, data, tmp_path, monkeypatch):
    def diverge(*_):
        raise FloatingPointError

    monkeypatch.setattr(run_module, "fit", diverge)
    train(configure(), data, steps=tmp_path / "steps.parquet")
    steps = pd.read_parquet(tmp_path / "steps.parquet")
    assert len(steps) == 0 and {f"{part}_{product}" for part in PARTS for product in PRODUCTS} < set(steps.columns)


def test_the_half_is_random_by_seed_and_about_a_half():
    shared = [torch.nn.Parameter(torch.zeros(size)) for size in (500, 500, 500, 500, 40, 30, 20, 10, 5)]
    half = random_half(shared, 0)
    assert [id(p) for p in random_half(shared, 0)] == [id(p) for p in half]
    assert {tuple(map(id, random_half(shared, seed))) for seed in range(5)} != {tuple(map(id, half))}
    assert 0.48 < sum(map(torch.numel, half)) / sum(map(torch.numel, shared)) < 0.52
    assert len({id(p) for p in half}) == 4 and random_half(shared[:1], 0) == []


def test_the_half_takes_no_random_number_of_the_run():
    seed_everything(0)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    random_half([torch.nn.Parameter(torch.zeros(3)) for _ in range(4)], 0)
    assert torch.equal(before[0], torch.get_rng_state()) and (before[1] == np.random.get_state()[1]).all()
