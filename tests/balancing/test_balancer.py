"""Library use: in a loop of one's own, around any model."""

import copy
from functools import partial

import pytest
import torch
from torch import nn

import mtbalance
from mtbalance import Balancer
from mtbalance.balancing.rules.nash import Nash


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(8, 1) for _ in range(3))

    def losses(self, inputs, targets):
        hidden = self.trunk(inputs)
        return [((head(hidden) - targets[:, [k]]) ** 2).mean() for k, head in enumerate(self.heads)]


ADAM, ADAGRAD = partial(torch.optim.AdamW, lr=0.01, weight_decay=0.0), partial(torch.optim.Adagrad, lr=0.05)


def adam(net: nn.Module, lr: float = 0.01) -> torch.optim.Optimizer:
    return torch.optim.Adam(net.parameters(), lr=lr)


DATA = (
    torch.randn(64, 4, generator=torch.Generator().manual_seed(1)),
    torch.randn(64, 3, generator=torch.Generator().manual_seed(2)),
)


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        (ADAM, {"level": "loss", "rule": "equal"}),
        (ADAM, {"level": "gradient", "rule": "min_norm", "normalization": "l2"}),
        (ADAGRAD, {"level": "update", "rule": "nash", "every": 5}),
        (ADAM, {"level": "update", "rule": "nash", "manipulation": "adatask"}),
    ],
    ids=lambda value: f"{value['rule']} at {value['level']}" if isinstance(value, dict) else "",
)
def test_it_trains_a_plain_module_without_a_split(optimizer, options):
    torch.manual_seed(0)
    net = Net()
    balancer = Balancer(optimizer(net.parameters()), tasks=3, **options)
    first = sum(balancer.step(net.losses(*DATA)).losses)
    for _ in range(60):
        report = balancer.step(net.losses(*DATA))
    assert sum(report.losses) < 0.9 * first and report.weights.shape == (3,)


def test_it_goes_on_from_a_saved_state():
    torch.manual_seed(0)
    net = Net()
    balancer = Balancer(adam(net), tasks=3, level="update", rule="nash", every=4)
    for _ in range(6):
        balancer.step(net.losses(*DATA))
    other = copy.deepcopy(net)
    resumed = Balancer(adam(other), tasks=3, level="update", rule="nash", every=4)
    resumed.load_state_dict(copy.deepcopy(balancer.state_dict()))
    for _ in range(6):
        balancer.step(net.losses(*DATA))
        resumed.step(other.losses(*DATA))
    assert all(torch.equal(one, two) for one, two in zip(net.parameters(), other.parameters(), strict=True))


def test_unknown_options_are_refused():
    with pytest.raises(ValueError, match=r"evrey: unknown key.*did you mean every\?"):
        Balancer(adam(Net()), tasks=3, level="update", rule="nash", evrey=4)


def test_options_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match=r"between: .*adatask"):
        Balancer(adam(Net()), 3, level="update", rule="nash", manipulation="adatask", between="weighted_loss")
    with pytest.raises(ValueError, match=r"clip\.accumulator: adam has no accumulator"):
        Balancer(adam(Net()), 3, level="loss", rule="equal", manipulation="clippy", clip={"accumulator": 0.1})


def test_a_value_for_each_task_is_taken_for_any_number_of_tasks():
    famo = {"level": "loss", "rule": "famo", "min_losses": [0.0, 0.1, 0.2]}
    net = Net()
    balancer = Balancer(adam(net), tasks=3, **famo)
    balancer.step(net.losses(*DATA), again=lambda: net.losses(*DATA))
    with pytest.raises(ValueError, match="min_losses must be one number or one for each of 2 tasks"):
        Balancer(adam(net), tasks=2, **famo)


def test_the_package_names_it_without_importing_torch_for_others():
    assert mtbalance.__all__ == ["Balancer"]
    with pytest.raises(AttributeError, match="Balancr"):
        _ = mtbalance.Balancr


def test_the_learning_rate_of_a_saved_state_is_taken_back_at_every_level():
    for options in ({"level": "loss", "rule": "equal"}, {"level": "update", "rule": "equal"}):
        nets = [Net(), Net()]
        nets[1].load_state_dict(nets[0].state_dict())
        fast, slow = (Balancer(adam(net, lr), 3, **options) for net, lr in zip(nets, (1e-1, 1e-3), strict=True))
        slow.load_state_dict(fast.state_dict())
        assert slow.param_groups[0]["lr"] == 1e-1
        for net, balancer in zip(nets, (fast, slow), strict=True):
            balancer.step(net.losses(*DATA))
        assert all(torch.equal(one, two) for one, two in zip(*(net.parameters() for net in nets), strict=True))


@pytest.mark.parametrize("option", [{"decay": "coupled"}, {"weight_decay": 0.1}, {"lr": 0.1}])
def test_options_of_the_optimizer_are_given_to_the_optimizer(option):
    with pytest.raises(ValueError, match=f"{next(iter(option))}: unknown key"):
        Balancer(adam(Net()), 3, level="loss", rule="equal", **option)


def test_a_rule_is_given_by_its_name_or_as_an_instance():
    with pytest.raises(TypeError, match=r"rule is a class: give its name, or an instance such as Nash\(tasks=3\)"):
        Balancer(adam(Net()), 3, level="gradient", rule=Nash)


def test_parameters_are_no_optimizer():
    with pytest.raises(TypeError, match=r"must be a torch optimizer, such as torch.optim.AdamW.*, not generator"):
        Balancer(Net().parameters(), 3, level="loss", rule="equal")


def test_a_task_may_have_a_sparse_table_of_its_own():
    trunk, table, head = nn.Linear(4, 8), nn.Embedding(10, 8, sparse=True), nn.Linear(8, 1)
    optimizer = torch.optim.Adagrad([*trunk.parameters(), *table.parameters(), *head.parameters()], lr=1e-3)
    balancer = Balancer(optimizer, 2, level="gradient", rule="equal", heads="own")
    before = table.weight.detach().clone()
    hidden = trunk(DATA[0])
    balancer.step([head(hidden).square().mean(), (hidden - table(torch.zeros(64, dtype=torch.long))).square().mean()])
    moved = (table.weight.detach() != before).any(dim=1)
    assert moved.tolist() == [True] + 9 * [False]


def test_every_misspelled_option_is_told_on_one_line_of_its_own():
    with pytest.raises(ValueError, match=r"^every: Input should be greater than or equal to 1, not 0\nc: .*, not 'x'$"):
        Balancer(adam(Net()), 3, level="gradient", rule="cagrad", every=0, c="x")


@pytest.mark.parametrize("state", [{}, {"a": 1}, None, torch.optim.AdamW(Net().parameters()).state_dict()])
def test_a_state_of_something_else_is_refused(state):
    balancer = Balancer(adam(Net()), 3, level="gradient", rule="cagrad")
    with pytest.raises(ValueError, match=r"no state of a balancer with rule CAGrad, level gradient, 3 tasks"):
        balancer.load_state_dict(state)


@pytest.mark.parametrize(
    "other",
    [
        lambda: Balancer(adam(Net()), 3, level="gradient", rule="nash"),
        lambda: Balancer(adam(Net()), 2, level="gradient", rule="cagrad"),
        lambda: Balancer(adam(Net()), 3, level="update", rule="cagrad"),
        lambda: Balancer(torch.optim.SGD(Net().parameters(), lr=0.1), 3, level="gradient", rule="cagrad"),
    ],
)
def test_a_state_of_another_balancer_is_refused_and_changes_nothing(other):
    balancer = Balancer(adam(Net()), 3, level="gradient", rule="cagrad")
    before = str(balancer.state_dict())
    with pytest.raises(ValueError, match=r"no state of a balancer with rule CAGrad.*; it has"):
        balancer.load_state_dict(other().state_dict())
    assert str(balancer.state_dict()) == before


def test_arguments_in_the_wrong_place_are_told():
    net = Net()
    balancer = Balancer(adam(net), 3, level="loss", rule="equal")
    with pytest.raises(TypeError, match=r"scaler: backward\(losses, scaler\), then scaler.step\(balancer\)"):
        balancer.step(net.losses(*DATA), torch.amp.GradScaler("cpu"))
    with pytest.raises(TypeError, match=r"scaler is a torch\.amp\.GradScaler, not a bool"):
        balancer.backward(net.losses(*DATA), True)
    with pytest.raises(TypeError, match="tasks is the number of tasks, not '3'"):
        Balancer(adam(net), "3", level="loss", rule="equal")
    with pytest.raises(ValueError, match="manipulation: changes updates, and this level combines gradients"):
        Balancer(adam(net), 3, level="gradient", rule="nash", manipulation="adatask")
