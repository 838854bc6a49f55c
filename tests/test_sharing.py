import torch
from torch import nn

from mtbalance.sharing import sharing


def test_shared_and_own_are_read_off_the_graph():
    common, first, second, unused = (nn.Parameter(torch.ones(2)) for _ in range(4))
    hidden = common * 2
    losses = [(hidden * first).sum(), (hidden * second).sum() + hidden.sum()]
    found = sharing(losses, [common, first, second, unused])
    assert found.shared == [common] and found.own == [[first], [second]]


def test_a_parameter_of_two_of_three_tasks_is_shared():
    some, own = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    found = sharing([some.sum(), (some * 2).sum(), own.sum()], [some, own])
    assert found.shared == [some] and found.own == [[], [], [own]]


def test_with_one_task_everything_it_reaches_counts_as_shared():
    parameter = nn.Parameter(torch.ones(1))
    assert sharing([parameter.sum()], [parameter]).shared == [parameter]
