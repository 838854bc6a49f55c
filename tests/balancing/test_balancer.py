"""Library use: in a loop of one's own, around any model."""

import copy

import pydantic
import pytest
import torch
from torch import nn

import mtbalance
from mtbalance import Balancer


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(8, 1) for _ in range(3))

    def losses(self, inputs, targets):
        hidden = self.trunk(inputs)
        return [((head(hidden) - targets[:, [k]]) ** 2).mean() for k, head in enumerate(self.heads)]


DATA = (
    torch.randn(64, 4, generator=torch.Generator().manual_seed(1)),
    torch.randn(64, 3, generator=torch.Generator().manual_seed(2)),
)


@pytest.mark.parametrize(
    "options",
    [
        {"level": "loss", "rule": "equal"},
        {"level": "gradient", "rule": "min_norm", "normalization": "l2"},
        {"level": "update", "rule": "nash", "every": 5, "optimizer": "adagrad", "lr": 0.05},
        {"level": "update", "rule": "nash", "manipulation": "adatask"},
    ],
    ids=lambda options: f"{options['rule']} at {options['level']}",
)
def test_it_trains_a_plain_module_without_a_split(options):
    torch.manual_seed(0)
    net = Net()
    balancer = Balancer(net.parameters(), tasks=3, **{"lr": 0.01, **options})
    first = sum(balancer.step(net.losses(*DATA)).losses)
    for _ in range(60):
        report = balancer.step(net.losses(*DATA))
    assert sum(report.losses) < 0.9 * first and report.weights.shape == (3,)


def test_it_goes_on_from_a_saved_state():
    torch.manual_seed(0)
    net = Net()
    balancer = Balancer(net.parameters(), tasks=3, level="update", rule="nash", every=4, lr=0.01)
    for _ in range(6):
        balancer.step(net.losses(*DATA))
    other = copy.deepcopy(net)
    resumed = Balancer(other.parameters(), tasks=3, level="update", rule="nash", every=4, lr=0.01)
    resumed.load_state_dict(copy.deepcopy(balancer.state_dict()))
    for _ in range(6):
        balancer.step(net.losses(*DATA))
        resumed.step(other.losses(*DATA))
    assert all(torch.equal(one, two) for one, two in zip(net.parameters(), other.parameters(), strict=True))


def test_unknown_options_are_refused():
    with pytest.raises(pydantic.ValidationError, match="evrey"):
        Balancer(Net().parameters(), tasks=3, level="update", rule="nash", evrey=4)


def test_options_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match=r"between: .*adatask"):
        Balancer(Net().parameters(), 3, level="update", rule="nash", manipulation="adatask", between="weighted_loss")
    with pytest.raises(ValueError, match=r"clip\.accumulator: adam has no accumulator"):
        Balancer(Net().parameters(), 3, level="loss", rule="equal", manipulation="clippy", clip={"accumulator": 0.1})


def test_a_value_for_each_task_is_taken_for_any_number_of_tasks():
    famo = {"level": "loss", "rule": "famo", "min_losses": [0.0, 0.1, 0.2]}
    net = Net()
    balancer = Balancer(net.parameters(), tasks=3, **famo)
    balancer.step(net.losses(*DATA), again=lambda: net.losses(*DATA))
    with pytest.raises(ValueError, match="min_losses must be one number or one for each of 2 tasks"):
        Balancer(net.parameters(), tasks=2, **famo)


def test_the_package_names_it_without_importing_torch_for_others():
    assert mtbalance.__all__ == ["Balancer"]
    with pytest.raises(AttributeError, match="Balancr"):
        _ = mtbalance.Balancr


def test_the_learning_rate_of_a_saved_state_is_taken_back_at_every_level():
    for options in ({"level": "loss", "rule": "equal"}, {"level": "update", "rule": "equal"}):
        fast, slow = (Balancer(Net().parameters(), 3, lr=lr, **options) for lr in (1e-1, 1e-3))
        slow.load_state_dict(fast.state_dict())
        optimizer = slow.level.optimizer
        assert optimizer.lr == optimizer.torch_optimizer.param_groups[0]["lr"] == 1e-1


@pytest.mark.parametrize("option", [{"decay": "decopled"}, {"weight_decay": -1.0}, {"lr": 0.0}, {"optimizer": "sgd"}])
def test_impossible_options_of_the_optimizer_are_refused(option):
    with pytest.raises(pydantic.ValidationError):
        Balancer(Net().parameters(), 3, level="loss", rule="equal", **option)


def test_a_task_may_have_a_sparse_table_of_its_own():
    trunk, table, head = nn.Linear(4, 8), nn.Embedding(10, 8, sparse=True), nn.Linear(8, 1)
    balancer = Balancer(
        [*trunk.parameters(), *table.parameters(), *head.parameters()],
        2,
        level="gradient",
        rule="equal",
        optimizer="adagrad",
        heads="own",
    )
    before = table.weight.detach().clone()
    hidden = trunk(DATA[0])
    balancer.step([head(hidden).square().mean(), (hidden - table(torch.zeros(64, dtype=torch.long))).square().mean()])
    moved = (table.weight.detach() != before).any(dim=1)
    assert moved.tolist() == [True] + 9 * [False]
