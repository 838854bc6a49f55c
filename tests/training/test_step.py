"""One training step: what its options change, and what they leave alone."""

import pytest
import torch
from torch import nn

from mtbalance.balancing.balancer import assemble
from mtbalance.balancing.checking import balancer_options
from mtbalance.balancing.options import OptimizerOptions
from mtbalance.config.training import TrainingConfig
from mtbalance.data.batch import Batch
from mtbalance.models.ranking._options import RankingShape, RankingSizes
from mtbalance.models.ranking.mmoe import MMoE
from mtbalance.tasks.binary import Binary
from mtbalance.training.seeding import seed_everything
from mtbalance.training.step import train_step

TASKS = [Binary("click", "CTR"), Binary("conversion", "CTCVR")]
OPTIMIZER = OptimizerOptions(lr=0.01)
BALANCERS = {
    "famo": {"level": "loss", "rule": "famo"},
    "mgda": {"level": "gradient", "rule": "min_norm"},
    "pub": {"level": "update", "rule": "nash"},
    "nashmtl": {"level": "gradient", "rule": "nash", "every": 2},
}


def a_batch(rows: int) -> Batch:
    ids, numbers = torch.randint(0, 3, (rows, 4)), torch.rand(rows, 5)
    return Batch((ids, numbers), tuple((torch.rand(rows) < 0.4).float() for _ in TASKS))


def trained(balancer: str, parts: int, rows: int = 24, **model):
    """The model after three steps in ``parts`` micro-batches, and the last report."""
    seed_everything(1)
    sizes = RankingSizes(embedding=4, expert=[8], tower=[5], **model)
    network = MMoE(RankingShape([3] * 4, 5, 2), sizes, experts=3).train()
    level = assemble(balancer_options(BALANCERS[balancer]), OPTIMIZER, network.parameters(), 2, seed=0)
    training = TrainingConfig(epochs=1, micro_batches=parts)
    batches = [a_batch(rows) for _ in range(3)]
    for batch in batches:
        report = train_step(network, TASKS, level, batch, torch.device("cpu"), training)
    return network, report


@pytest.mark.parametrize("balancer", BALANCERS)
@pytest.mark.parametrize("parts", [2, 3, 24])
def test_micro_batches_give_the_steps_of_the_whole_batch(balancer, parts):
    whole, expected = trained(balancer, 1, dropout=0.0, batch_norm=False)
    other, report = trained(balancer, parts, dropout=0.0, batch_norm=False)
    assert report.losses == pytest.approx(expected.losses, rel=1e-5)
    assert report.weights == pytest.approx(expected.weights, rel=1e-3)
    for one, two in zip(whole.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=2e-4)  # Adam makes whole steps of small gradients


def test_backward_passes_of_micro_batches_move_no_running_statistics():
    statistics = []
    for backward in (True, False):
        seed_everything(1)
        network = MMoE(RankingShape([3] * 4, 5, 2), RankingSizes(embedding=4, expert=[8], tower=[5]), experts=3)
        level = assemble(balancer_options(BALANCERS["pub"]), OPTIMIZER, network.train().parameters(), 2, seed=0)
        if not backward:
            level.step = lambda losses, again: None
        training = TrainingConfig(epochs=1, micro_batches=2)
        train_step(network, TASKS, level, a_batch(24), torch.device("cpu"), training)
        statistics.append([norm.running_mean for norm in network.modules() if isinstance(norm, nn.BatchNorm1d)])
    assert statistics[0] and all(torch.equal(*pair) for pair in zip(*statistics, strict=True))
    assert all(mean.any() for mean in statistics[0])


def test_gradients_of_micro_batches_are_of_the_dropout_that_made_the_losses():
    gradients = []
    for parts in (1, 2):
        seed_everything(1)
        network = MMoE(RankingShape([3] * 4, 5, 2), RankingSizes(embedding=4, expert=[8], dropout=0.5), experts=3)
        level = assemble(balancer_options(BALANCERS["pub"]), OPTIMIZER, network.train().parameters(), 2, seed=0)
        level.step = lambda losses, again, parts=parts: (sum(losses) * parts / 2).backward()
        batch = a_batch(24)
        for part in batch.parts(2) if parts == 1 else [batch]:
            train_step(network, TASKS, level, part, torch.device("cpu"), TrainingConfig(epochs=1, micro_batches=parts))
        gradients.append([parameter.grad for parameter in network.parameters()])
    for accumulated, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(recomputed, accumulated, rtol=1e-4, atol=1e-6)


def test_activations_of_one_part_at_a_time_are_kept():
    """What autograd saves during the forward pass shrinks with the number of parts."""
    kept = {}
    for parts in (1, 8):
        bytes_kept = 0

        def pack(tensor):
            nonlocal bytes_kept
            bytes_kept += tensor.nbytes
            return tensor

        seed_everything(1)
        network = MMoE(RankingShape([3] * 4, 5, 2), RankingSizes(embedding=4, expert=[64], tower=[8]), experts=8)
        level = assemble(balancer_options(BALANCERS["famo"]), OPTIMIZER, network.train().parameters(), 2, seed=0)
        level.step = lambda losses, again: None  # the forward pass alone
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            training = TrainingConfig(epochs=1, micro_batches=parts)
            train_step(network, TASKS, level, a_batch(512), torch.device("cpu"), training)
        kept[parts] = bytes_kept
    assert kept[8] < kept[1] / 50
