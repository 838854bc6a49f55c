"""The rule ``torchjd``; what other rules are against TorchJD is in test_torchjd.py."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from matrices import J2, J3C, gram, random_rows

aggregation = pytest.importorskip("torchjd.aggregation", reason="TorchJD is not installed")

from mtbalance import Balancer  # noqa: E402
from mtbalance.balancing.rules import torchjd as module  # noqa: E402
from mtbalance.balancing.rules.torchjd import TorchJD  # noqa: E402


@pytest.mark.parametrize(
    ("weighting", "arguments"),
    [
        ("AlignedMTL", {"scale_mode": "rmse"}),
        ("IMTLGWeighting", None),
        ("MGDA", {"epsilon": 1e-4}),
        ("Krum", {"n_byzantine": 0}),
        ("Constant", {"weights": [0.2, 0.3, 0.5]}),
        ("PCD", {"tau": [0.1, 0.2]}),
    ],
)
def test_weights_are_those_of_the_weighting_times_the_number_of_tasks(weighting, arguments):
    given = {key: torch.tensor(value) if isinstance(value, list) else value for key, value in (arguments or {}).items()}
    other = getattr(aggregation, weighting.removesuffix("Weighting") + "Weighting")(**given)
    expected = other(torch.tensor(gram(J3C))).numpy()
    for scale, factor in (("mean", 3), ("sum", 1)):
        rule = TorchJD(3, weighting=weighting, arguments=arguments, scale=scale)
        np.testing.assert_allclose(rule.weights(gram(J3C), np.ones(3)), factor * expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments"), [("Sum", {}), ("PCGrad", {}), ("GradVac", {}), ("FairGrad", {"alpha": 1})]
)
def test_weightings_on_the_scale_of_a_sum(name, arguments):
    rule = TorchJD(3, weighting=name, arguments=arguments, scale="sum")
    np.testing.assert_allclose(rule.weights(np.eye(3), np.ones(3)), 1)


def test_a_package_that_a_weighting_needs_besides_is_named():
    if find_spec("quadprog"):
        pytest.skip("quadprog is installed")
    with pytest.raises(ImportError, match="quadprog"):
        TorchJD(2, weighting="UPGrad").weights(np.eye(2), np.ones(2))


def test_upgrad():
    pytest.importorskip("quadprog")
    found = TorchJD(2, weighting="UPGrad").weights(gram(J2), np.ones(2)) @ J2 / 2
    np.testing.assert_allclose(found, [0.2929, 1.9004, 1.9004], atol=1e-4)  # as printed in TorchJD's documentation


@pytest.mark.parametrize("name", ["GradVac", "PCD", "PCGrad", "Random"])
def test_memory_and_draws_survive_saving(name):
    first, second = TorchJD(3, weighting=name), TorchJD(3, weighting=name)
    first.seed(3)
    steps = [gram(random_rows(3, seed) - 0.3) for seed in range(20)]
    for step in steps[:10]:
        first.weights(step, np.ones(3))
    second.weights(np.eye(3), np.ones(3))
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for step in steps[10:]:
        np.testing.assert_array_equal(first.weights(step, np.ones(3)), second.weights(step, np.ones(3)))


def test_draws_leave_the_global_generators_alone_and_depend_on_the_seed(monkeypatch):
    monkeypatch.delattr(torch, "manual_seed")  # which would seed those of other devices, too
    before = torch.random.get_rng_state()
    found = [TorchJD(3, weighting="Random").weights(np.eye(3), np.ones(3)) for _ in range(2)]
    other = TorchJD(3, weighting="Random")
    other.seed(1)
    np.testing.assert_array_equal(*found)
    assert not np.allclose(found[0], other.weights(np.eye(3), np.ones(3)))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ConFIG", "TorchJD has no ConFIGWeighting; there are AlignedMTL,"),
        ("ExcessMTL", "use rule excess_mtl"),
        ("SDMGrad", "takes no Gram matrix: it needs the gradients of several batches"),
        ("CRMOGMWeighting", "smooths the weights of another"),
    ],
)
def test_other_weightings_are_refused(name, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        TorchJD(2, weighting=name)


def test_arguments_that_the_weighting_does_not_have_are_refused():
    with pytest.raises(ValueError, match=r"arguments of TorchJD's PCDWeighting: .*sharpness"):
        TorchJD(2, weighting="PCD", arguments={"sharpness": 1}).weights(np.eye(2), np.ones(2))


def test_without_torchjd_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(module, "_offered", lambda: ())
    with pytest.raises(ValueError, match=r"pip install 'mtbalance\[torchjd\]'"):
        TorchJD(2)


def test_every_usable_weighting_takes_a_gram_matrix():
    """What TorchJD declares of its weightings and what is refused here are the same."""
    from torchjd.aggregation._weighting_bases import _GramianWeighting

    of_any_matrix = {"Constant", "Mean", "Random", "Sum"}
    for name in module._offered():
        if name not in of_any_matrix | module.NOT_FROM_A_GRAM_MATRIX.keys():
            assert issubclass(getattr(aggregation, f"{name}Weighting"), _GramianWeighting), name


def test_options_are_checked_without_torch():
    code = "import sys, mtbalance.balancing.rules.torchjd as rule; rule.TorchJD(2); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("level", ["gradient", "update"])
def test_a_balancer_trains_with_it(level):
    shared, heads = torch.nn.Linear(4, 3), [torch.nn.Linear(3, 1) for _ in range(2)]
    parameters = [*shared.parameters(), *heads[0].parameters(), *heads[1].parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=0.05)
    balancer = Balancer(optimizer, tasks=2, level=level, rule="torchjd", weighting="MGDA")
    inputs = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
    losses = []
    for _ in range(50):
        features = shared(inputs)
        found = [(head(features)[:, 0] - inputs[:, task]).square().mean() for task, head in enumerate(heads)]
        balancer.step(found)
        losses.append(sum(loss.item() for loss in found))
    assert losses[-1] < 0.5 * losses[0]
