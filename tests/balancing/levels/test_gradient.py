import numpy as np
import pytest
import torch

from mtbalance.training.schedule import set_rate


def test_shared_parameters_get_the_weighted_sum_and_heads_what_is_asked(setting):
    for heads, factors in (("weighted", "weights"), ("own", None)):
        own = setting("gradient", "min_norm", options={"heads": heads})
        trunk, own_heads = own.model.trunk.weight, [head.weight for head in own.model.heads]
        pairs = zip(own.losses(), own_heads, strict=True)
        separate = [torch.autograd.grad(loss, [trunk, head], retain_graph=True) for loss, head in pairs]
        seen = {}
        own.optimizer.register_step_pre_hook(
            lambda *_, own=own, seen=seen: seen.update(
                {id(p): p.grad.clone() for p in own.model.parameters() if p.grad is not None}
            )
        )
        weights = own.step().weights
        joint = sum(weight * gradients[0] for weight, gradients in zip(weights, separate, strict=True))
        torch.testing.assert_close(seen[id(trunk)], joint)
        scales = weights if factors else np.ones(2)
        for head, gradients, scale in zip(own_heads, separate, scales, strict=True):
            torch.testing.assert_close(seen[id(head)], scale * gradients[1])


@pytest.mark.parametrize("level", ["gradient", "update"])
def test_weights_are_searched_every_n_steps_and_kept_between(setting, level):
    own = setting(level, "nash", options={"every": 4})
    reports = [own.step() for _ in range(9)]
    searched = [bool(report.diagnostics) for report in reports]
    assert searched == [True, False, False, False, True, False, False, False, True]
    for kept in range(1, 4):
        np.testing.assert_array_equal(reports[kept].weights, reports[0].weights)
    assert not np.array_equal(reports[4].weights, reports[0].weights)


@pytest.mark.parametrize("heads", ["own", "weighted"])
def test_between_searches_one_pass_equals_k_passes(setting, heads):
    one, many = (
        setting("gradient", "nash", options={"every": 5, "heads": heads, "between": between})
        for between in ("weighted_loss", "task_updates")
    )
    one.step(10)
    many.step(10)
    torch.testing.assert_close(one.parameters(), many.parameters(), rtol=0, atol=1e-12)


def test_a_step_without_search_is_a_single_backward_pass_through_the_trunk(setting):
    own = setting("gradient", "nash", options={"every": 2})
    passes = []
    own.model.trunk.weight.register_hook(lambda gradient: passes.append(1))
    own.step()
    assert len(passes) == 2
    own.step()
    assert len(passes) == 3


def test_the_diagnostics_are_those_of_the_rows(setting):
    own = setting("gradient", "equal")
    trunk = [own.model.trunk.weight, own.model.trunk.bias]
    found = [torch.autograd.grad(loss, trunk, retain_graph=True) for loss in own.losses()]
    rows = np.stack([torch.cat([part.flatten() for part in gradient]).numpy() for gradient in found])
    report = own.step().diagnostics
    np.testing.assert_allclose(report["cosine"], rows[0] @ rows[1] / np.prod(np.linalg.norm(rows, axis=1)))
    np.testing.assert_allclose(report["joint_norm"], np.linalg.norm(rows.sum(axis=0)))


def test_a_model_that_shares_nothing_is_refused(setting):
    own = setting("gradient", "nash")
    separate = [(head.weight**2).sum() for head in own.model.heads]
    with pytest.raises(ValueError, match="no parameter of the optimizer is reached by two losses"):
        own.level.step(separate)


@pytest.mark.parametrize("norms", ["last_layer", "all"])
def test_gradnorm_follows_the_norms_in_the_part_of_the_rows_that_it_asks_for(setting, norms):
    """At equal rates (alpha 0) the weights tend to 1 / n, which is another in the weight than with the bias."""
    own = setting("gradient", "gradnorm", rule_options={"norms": norms, "alpha": 0.0, "lr": 5e-3})
    trunk = own.model.trunk
    part = [trunk.weight] if norms == "last_layer" else [trunk.weight, trunk.bias]
    found = [torch.autograd.grad(loss, part, retain_graph=True) for loss in own.losses()]
    norm = np.array([np.sqrt(sum(float((g**2).sum()) for g in gradient)) for gradient in found])
    before = own.parameters().clone()
    set_rate(own.optimizer, 0.0)  # the model stays
    for _ in range(400):
        weights = own.step().weights
    assert torch.equal(own.parameters(), before)
    np.testing.assert_allclose(weights, 2 / norm / (1 / norm).sum(), atol=2e-3)


def test_the_diagnostics_are_those_of_all_rows_whatever_the_rule_sees(setting):
    reports = [setting("gradient", rule).step().diagnostics for rule in ("gradnorm", "equal")]
    assert reports[0]["cosine"] == reports[1]["cosine"]


@pytest.mark.parametrize("level", ["gradient", "update"])
@pytest.mark.parametrize("heads", ["own", "weighted"])
def test_tasks_need_no_parameters_of_their_own(setting, level, heads):
    own = setting(level, "nash", options={"every": 3, "heads": heads, "between": "weighted_loss"})
    outputs = lambda: torch.tanh(own.model.trunk(own.inputs))  # noqa: E731
    before = own.parameters().clone()
    for _ in range(4):
        own.level.step([(outputs()[:, k] - 1 - k).square().mean() for k in range(2)])
    assert torch.isfinite(own.parameters()).all() and not torch.equal(before, own.parameters())


@pytest.mark.parametrize(
    ("level", "rule"),
    [("gradient", "min_norm"), ("gradient", "cagrad"), ("update", "nash"), ("representation", "multibalance")],
)
def test_gradients_that_are_not_finite_end_a_run_as_diverged(setting, level, rule):
    own = setting(level, rule)
    losses = own.losses()
    losses[1] = losses[1] + (losses[1] - losses[1].detach()).abs().sqrt()  # finite, with an infinite slope
    with pytest.raises(FloatingPointError, match="rows are not finite at step 1"):
        own.level.step(losses)


def test_the_joint_norm_of_a_rule_of_rows_is_that_of_the_row_it_takes(setting):
    own = setting("gradient", "graddrop")
    taken = {}
    own.optimizer.register_step_pre_hook(
        lambda *_: taken.update(trunk=[p.grad.clone() for p in own.model.trunk.parameters()])
    )
    found = own.step().diagnostics["joint_norm"]
    assert found == pytest.approx(float(torch.cat([part.flatten() for part in taken["trunk"]]).norm()))
