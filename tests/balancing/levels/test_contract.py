"""What every level must hold, with every rule that is defined there."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import Parameter

from building import a_level, an_optimizer
from entries import level_class, rule_class
from mtbalance.balancing.levels import Level
from mtbalance.balancing.rules import RowRule
from mtbalance.registry import available

LEVELS = {name: level_class(name) for name in available("mtbalance.balancing.levels")}
PAIRS = [
    (level, rule)
    for level in LEVELS
    for rule in available("mtbalance.balancing.rules")
    if level in rule_class(rule).levels
]


@pytest.mark.parametrize(("level", "rule"), PAIRS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
def test_training_lowers_the_losses(setting, level, rule, dtype):
    own = setting(level, rule, dtype=dtype)
    first = own.step().losses.sum()
    assert own.step(100).losses.sum() < 0.9 * first
    assert own.parameters().dtype == dtype


@pytest.mark.parametrize(("level", "rule"), PAIRS)
@pytest.mark.parametrize("tasks", [2, 3, 8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
def test_tasks_without_a_gradient_leave_finite_parameters(setting, level, rule, tasks, dtype):
    """First one task, then all: their losses are constant."""
    own = setting(level, rule, tasks, dtype=dtype)
    for constant in (1, 1, tasks):
        own.level.step([0 * z + 1 if k < constant else z for k, z in enumerate(own.losses())], again=own.losses)
        assert own.parameters().isfinite().all()


@pytest.mark.parametrize(("level", "rule"), PAIRS)
def test_one_task_is_ordinary_training(setting, level, rule):
    own, plain = setting(level, rule, tasks=1), setting("loss", "equal", tasks=1)
    own.step(20)
    plain.step(20)
    torch.testing.assert_close(own.parameters(), plain.parameters(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("level", "rule"), PAIRS)
def test_a_saved_state_goes_on_bit_for_bit(setting, level, rule):
    keeps = level in ("gradient", "update") and not issubclass(rule_class(rule), RowRule)
    whole, saved, resumed = (setting(level, rule, options={"every": 3} if keeps else {}) for _ in range(3))
    whole.step(10)
    saved.step(5)
    resumed.step(1)  # something to be overwritten
    resumed.model.load_state_dict(copy.deepcopy(saved.model.state_dict()))
    resumed.level.load_state_dict(copy.deepcopy(saved.level.state_dict()))
    resumed.step(5)
    torch.testing.assert_close(resumed.parameters(), whole.parameters(), rtol=0, atol=0)


@pytest.mark.parametrize("optimizer", ["adam", "adagrad"])
@pytest.mark.parametrize(
    "options",
    [
        {"manipulation": "clippy"},
        {"manipulation": "adatask"},
        {"manipulation": "adatask", "moment_weights": "solved", "preconditioner": "delayed"},
        {"moment_weights": "solved", "gram_over": "all", "first_search": 2},
        {"between": "weighted_loss"},
        {"between": "weighted_loss", "preconditioner": "delayed"},
    ],
    ids=lambda options: " ".join(map(str, options.values())),
)
def test_a_saved_update_goes_on_bit_for_bit(setting, options, optimizer):
    """Broken off between two searches: at step 5 of searches at 1, 4, 7 (or 2, 5, 8)."""
    options = {"every": 3} | options
    whole, saved, resumed = (setting("update", "nash", options=options, optimizer=optimizer) for _ in range(3))
    whole.step(5)
    saved.step(5)
    resumed.model.load_state_dict(copy.deepcopy(saved.model.state_dict()))
    resumed.level.load_state_dict(copy.deepcopy(saved.level.state_dict()))
    told, again = ([one.step().diagnostics for _ in range(5)] for one in (whole, resumed))
    assert told == again and any(told)
    torch.testing.assert_close(resumed.parameters(), whole.parameters(), rtol=0, atol=0)


@pytest.mark.parametrize("heads", ["own", "weighted"])
@pytest.mark.parametrize("between", ["weighted_loss", "task_updates"])
def test_a_saved_gradient_step_goes_on_bit_for_bit(setting, heads, between):
    """Broken off between two searches, before a step that must know which parameters are a task's own."""
    options = {"every": 3, "heads": heads, "between": between}
    whole, saved, resumed = (setting("gradient", "nash", options=options) for _ in range(3))
    whole.step(5)
    saved.step(5)
    resumed.model.load_state_dict(copy.deepcopy(saved.model.state_dict()))
    resumed.level.load_state_dict(copy.deepcopy(saved.level.state_dict()))
    whole.step(5)
    resumed.step(5)
    torch.testing.assert_close(resumed.parameters(), whole.parameters(), rtol=0, atol=0)


@pytest.mark.parametrize("level", ["loss", "representation", "gradient"])
@pytest.mark.parametrize("max_norm", [1e-3, 1e3])
def test_the_joint_gradient_is_shortened_to_max_norm_and_no_further(setting, level, max_norm):
    """Seen by the optimizer: one direction over trunk and heads together, at every step, searched or not."""
    keeps = {"every": 2} if level == "gradient" else {}
    free, short = (setting(level, "equal", options=keeps | {"max_norm": norm}) for norm in (None, max_norm))
    seen = []
    for own in (free, short):
        own.optimizer.register_step_pre_hook(
            lambda *_, own=own: seen.append(
                torch.cat([p.grad.flatten() for p in own.model.parameters() if p.grad is not None])
            )
        )
    for step in range(2):
        short.model.load_state_dict(copy.deepcopy(free.model.state_dict()))
        seen.clear()
        reports = [own.step() for own in (free, short)]
        norm = seen[0].norm()
        torch.testing.assert_close(seen[1], seen[0] * min(1.0, max_norm / norm), rtol=1e-4, atol=0)
        if step == 0 or level != "gradient":
            torch.testing.assert_close(reports[1].diagnostics["gradient_norm"], float(norm))
        assert "gradient_norm" not in reports[0].diagnostics


def test_a_clipped_update_at_the_loss_level_sees_the_shortened_gradient(setting):
    own = setting("loss", "equal", options={"manipulation": "clippy", "max_norm": 1e-3})
    own.step()
    moments = [own.optimizer.state[p]["exp_avg"] for p in own.model.parameters() if p.shape != (2,)]
    np.testing.assert_allclose(torch.cat([m.flatten() for m in moments]).norm(), 0.1 * 1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("level", "options"),
    [("gradient", {}), ("update", {}), ("update", {"manipulation": "clippy"}), ("update", {"manipulation": "adatask"})],
)
@pytest.mark.parametrize("tasks", [2, 5])
def test_a_shared_number_and_an_empty_parameter_are_parameters_too(level, options, tasks):
    shared = [Parameter(torch.tensor(0.5)), Parameter(torch.ones(3)), Parameter(torch.ones(0))]
    optimizer = an_optimizer(shared, lr=0.01)
    own = a_level(level, rule_class("min_norm")(tasks), optimizer, **options)
    number, vector, empty = shared
    own.step([(number * vector.sum() + empty.sum() - task) ** 2 for task in range(2, tasks + 2)])
    assert number.item() > 0.5 and (vector > 1).all()


@pytest.mark.parametrize("level", LEVELS)
def test_parameters_that_no_loss_reaches_stay_as_they_are(setting, level):
    own = setting(level, "equal")
    own.step(3)
    assert (own.model.unused == 1).all()


@pytest.mark.parametrize("level", LEVELS)
def test_losses_that_are_not_finite_are_refused(setting, level):
    own = setting(level, "equal")
    own.targets[0] = float("nan")
    with pytest.raises(FloatingPointError, match="step 1"):
        own.step()


@pytest.mark.parametrize("level", LEVELS)
def test_another_number_of_losses_is_refused(setting, level):
    own = setting(level, "equal")
    with pytest.raises(ValueError, match="1 losses for a rule of 2 tasks"):
        own.level.step(own.losses()[:1])


def test_a_rule_that_a_level_does_not_define_is_refused(setting):
    with pytest.raises(
        ValueError, match="MinNorm is not defined at level loss, only at representation, gradient, update"
    ):
        setting("loss", "min_norm")


@pytest.mark.parametrize("level", ["loss", "representation", "gradient"])
def test_equal_weights_are_linear_scalarization(setting, level):
    own, plain = setting(level, "equal"), setting("loss", "equal")
    own.step(20)
    plain.step(20)
    torch.testing.assert_close(own.parameters(), plain.parameters(), rtol=0, atol=1e-12)


def test_levels_are_levels():
    assert set(LEVELS) == {"loss", "representation", "gradient", "update"}
    assert all(issubclass(kind, Level) for kind in LEVELS.values())
