import torch
from torch import nn

from mtbalance.balancing.reach import find_reach


def test_shared_and_own_are_read_off_the_graph():
    common, first, second, unused = (nn.Parameter(torch.ones(2)) for _ in range(4))
    hidden = common * 2
    losses = [(hidden * first).sum(), (hidden * second).sum() + hidden.sum()]
    found = find_reach(losses, [common, first, second, unused])
    assert found.shared == [common] and found.own == [[first], [second]]


def test_a_parameter_of_two_of_three_tasks_is_shared():
    some, own = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    found = find_reach([some.sum(), (some * 2).sum(), own.sum()], [some, own])
    assert found.shared == [some] and found.own == [[], [], [own]]


def test_with_one_task_everything_it_reaches_counts_as_shared():
    parameter = nn.Parameter(torch.ones(1))
    assert find_reach([parameter.sum()], [parameter]).shared == [parameter]


def test_the_last_layer_is_the_last_shared_weight_and_not_a_bias_a_norm_or_a_head():
    trunk = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2), nn.LayerNorm(2))
    heads = nn.ModuleList(nn.Linear(2, 1) for _ in range(2))
    hidden = trunk(torch.ones(5, 3))
    found = find_reach([head(hidden).sum() for head in heads], [*trunk.parameters(), *heads.parameters()])
    assert found.shared[found.last_layer] is trunk[2].weight


def test_without_shared_weights_the_last_layer_is_the_last_shared_parameter():
    first, second = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))
    found = find_reach([(first.sum() + second.sum()) * task for task in (1, 2)], [first, second])
    assert found.shared[found.last_layer] is second


def test_a_loss_without_a_graph_reaches_nothing():
    parameter = nn.Parameter(torch.ones(2))
    found = find_reach([parameter.sum(), torch.tensor(1.0), parameter.square().sum()], [parameter])
    assert found.shared == [parameter] and found.own == [[], [], []]
