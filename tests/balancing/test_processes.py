"""Two processes on halves of a batch give the numbers of one process on the whole batch, at every level."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from loops import PAIRS, Net, adamw, balanced, relative
from mtbalance import Balancer
from mtbalance.balancing import processes as module
from mtbalance.balancing.processes import Processes
from mtbalance.balancing.replicas import refuse_sharded

WORLD = 2
STEPS = 3
HALVES = (slice(0, 8), slice(8, 16))
WAYS = {
    f"{rule} at {level}{' wrapped' if wrapped else ''}": (level, rule, {}, wrapped)
    for level, rule in PAIRS
    for wrapped in (False, True)
    if not wrapped or rule in ("equal", "nash", "multibalance", "graddrop", "famo")
} | {
    "kept weights, own heads": ("gradient", "nash", {"every": 2, "heads": "own"}, False),
    "kept weights": ("update", "nash", {"every": 2, "between": "weighted_loss"}, True),
    "own updates in the search": ("update", "nash", {"gram_over": "all"}, True),
    "weighted heads at a representation": ("representation", "min_norm", {"heads": "weighted"}, True),
    "shortened": ("gradient", "min_norm", {"max_norm": 0.1}, False),
}

IN_A_GROUP = ("equal at loss", "multibalance at representation", "nash at gradient", "nash at update")
BESIDE_TABLES = (*IN_A_GROUP, "min_norm at representation")


class Wrapped(nn.Module):
    """A net as DistributedDataParallel wants it: all of it in the forward pass."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, balancer, rows):
        return self.net.losses(balancer, rows)


def train(way: str, rank: int | None, **more) -> tuple[torch.Tensor, np.ndarray]:
    """The parameters and weights after some steps; on one half of the batch if ``rank`` is given."""
    level, rule, options, wrapped = WAYS[way]
    net = Net(3)
    balancer = balanced(net, level, rule, **options, **more)
    rows = slice(None) if rank is None else HALVES[rank]
    model = Wrapped(net) if rank is None or not wrapped else DistributedDataParallel(Wrapped(net))
    for _ in range(STEPS):
        report = balancer.step(model(balancer, rows), again=lambda: model(balancer, rows))
    return net.vector(), np.concatenate([report.weights, report.losses])


def work(rank: int, folder: str) -> None:
    """One process: all ways of training, and what only a process group can show."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=WORLD)
    found = {way: train(way, rank) for way in WAYS}
    found |= {"a task without rows": (lacking(rank), np.zeros(1)), "numbers sent": (torch.zeros(1), sent(rank))}
    for way in BESIDE_TABLES:
        for sparse in (False, True):
            found[f"tables, {way}, {sparse}"] = beside_tables(*WAYS[way][:2], rank, sparse=sparse), np.zeros(1)
    found |= {f"rows {kind}": (rows_of(kind, rank), np.zeros(1)) for kind in ("sparse", "dense", "none")}
    found |= {f"unlike {kind}": (refused(kind, rank), np.zeros(1)) for kind in ("values", "shapes", "another")}
    own = [dist.new_group([one]) for one in range(WORLD)][rank]
    found |= {f"own group, {way}": train(way, rank, process_group=own) for way in IN_A_GROUP}
    torch.save(found, Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


def beside_tables(level: str, rule: str, rank: int | None, *, sparse: bool) -> torch.Tensor:
    """Training where another optimizer has tables: the first one before the fork, and one behind it for each task."""
    net = Net(2)
    tables = [nn.Embedding(9, width, sparse=sparse).double() for width in (6, 1, 1)]
    optimizer = torch.optim.Adagrad([table.weight for table in tables], lr=0.1)
    balancer = balanced(net, level, rule, torch.optim.SGD(net.parameters(), lr=0.1))
    rows = slice(None) if rank is None else HALVES[rank]
    for step in range(STEPS):
        items = torch.randint(9, (16,), generator=torch.Generator().manual_seed(step))[rows]
        forks = balancer.fork(net.trunk(tables[0](items)))
        outputs = [head(fork) + own(items) for head, fork, own in zip(net.heads, forks, tables[1:], strict=True)]
        balancer.step([(output - k - 1).square().mean() for k, output in enumerate(outputs)])
        optimizer.step()
        optimizer.zero_grad()
    return torch.cat([net.vector(), *(table.weight.detach().flatten() for table in tables)])


def rows_of(kind: str, rank: int) -> torch.Tensor:
    """The sum of sparse rows with sparse ones, with a dense gradient, or with no gradient in the second process."""
    first = torch.sparse_coo_tensor([[1, 3, 3]], torch.ones(3, 2), (4, 2))
    others = {"sparse": torch.sparse_coo_tensor([[1, 3]], torch.tensor([[2.0] * 2, [1.0] * 2]), (4, 2))}
    others |= {"dense": torch.ones(4, 2), "none": None}
    (total,) = module.processes().sum_present([others[kind] if rank else first], [torch.empty(4, 2)])
    return total


def refused(kind: str, rank: int) -> str:
    """The error for replicas that begin with other values, parts of a table, or a layer that one process reaches."""
    net = Net(2)
    table = nn.Linear(6, 6).double()
    if kind == "values":
        net.heads[0].bias.data += rank
    optimizer = adamw(net)
    if kind == "shapes":
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(4 + rank))]})
    balancer = balanced(net, "loss", "equal", optimizer)
    inputs = torch.ones(16, 6).double()
    hidden = net.trunk(table(inputs) if rank and kind == "another" else inputs)
    try:
        balancer.step([head(hidden).square().mean() for head in net.heads])
    except ValueError as error:
        return str(error)
    return "none"


def lacking(rank: int) -> torch.Tensor:
    """Training where one process has no labeled row of a task in its part of the batch."""
    net = Net(2)
    balancer = balanced(net, "gradient", "nash")
    for _ in range(2):
        losses = net.losses(balancer, HALVES[rank])
        balancer.step([losses[0], losses[1] if rank == 0 else torch.zeros((), dtype=torch.float64)])
    return net.vector()


def sent(rank: int) -> np.ndarray:
    """Numbers that one step of each level sends, in gradients of the whole model."""
    found = []
    for level, rule in (
        ("loss", "equal"),
        ("representation", "multibalance"),
        ("gradient", "nash"),
        ("update", "nash"),
    ):
        net = Net(3)
        balancer = balanced(net, level, rule)
        counted, original = [0], dist.all_reduce
        dist.all_reduce = lambda tensor, *rest, c=counted, o=original, **kw: (
            c.__setitem__(0, c[0] + tensor.numel()),
            o(tensor, *rest, **kw),
        )
        try:
            balancer.step(net.losses(balancer, HALVES[rank]))
        finally:
            dist.all_reduce = original
        found.append(counted[0] / sum(parameter.numel() for parameter in net.parameters()))
    return np.array(found)


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    mp.spawn(work, args=(str(folder),), nprocs=WORLD)
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(WORLD)]


@pytest.mark.parametrize("way", WAYS)
def test_two_processes_are_one(processes, way):
    alone, told = train(way, None)
    for parameters, numbers in (found[way] for found in processes):
        assert relative(parameters, alone) < 1e-6
        np.testing.assert_allclose(numbers, told, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("way", BESIDE_TABLES)
def test_two_processes_train_the_parameters_of_another_optimizer_too(processes, way, sparse):
    alone = beside_tables(*WAYS[way][:2], None, sparse=sparse)
    for found in processes:
        assert relative(found[f"tables, {way}, {sparse}"][0], alone) < 1e-6


@pytest.mark.parametrize(
    ("kind", "expected"), [("sparse", [0, 3, 0, 3]), ("dense", [1, 2, 1, 3]), ("none", [0, 1, 0, 2])]
)
def test_sparse_rows_are_summed(processes, kind, expected):
    for found in processes:
        total = found[f"rows {kind}"][0]
        assert total.is_sparse is (kind != "dense")
        assert total.to_dense().tolist() == [[number] * 2 for number in expected]
        assert not total.is_sparse or total._nnz() == 2  # no row that nobody has, which a lazy optimizer would move


@pytest.mark.parametrize(
    ("kind", "whose"), [("values", "the balancer's"), ("shapes", "the balancer's"), ("another", "another")]
)
def test_processes_with_different_parameters_are_refused(processes, kind, whose):
    for found in processes:
        assert f"the processes differ in the parameters of {whose} optimizer" in found[f"unlike {kind}"][0]


def test_replicas_stay_alike_where_one_process_lacks_a_task(processes):
    one, other = (found["a task without rows"][0] for found in processes)
    torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("way", IN_A_GROUP)
@pytest.mark.parametrize("rank", range(WORLD))
def test_a_process_in_a_group_of_its_own_trains_as_if_alone(processes, way, rank):
    parameters, numbers = processes[rank][f"own group, {way}"]
    alone, told = train(way, rank)
    assert relative(parameters, alone) < 1e-12
    np.testing.assert_allclose(numbers, told, rtol=1e-12)


def test_no_more_is_sent_than_k_gradients(processes):
    loss, representation, gradient, update = processes[0]["numbers sent"][1]
    assert loss < 2 and representation < 2  # one gradient, and small change in so small a model
    assert gradient < 4 and update < 4  # three gradients


def test_sums_are_of_what_any_process_has_and_change_nothing(monkeypatch):
    """As one of two processes that hold the same."""
    monkeypatch.setattr(dist, "all_reduce", lambda tensor, **_: tensor.mul_(2))
    two, given = Processes(size=2), [None, torch.ones(2), None, torch.full((2, 2), 3.0)]
    like = [torch.empty(3), torch.empty(2), torch.empty(1), torch.empty(2, 2)]
    found = two.sum_present(given, like)
    assert found[0] is None and found[2] is None and found[3].tolist() == [[6, 6], [6, 6]]
    assert found[1].tolist() == two.sum(given[1]).tolist() == [2, 2]
    assert given[1].tolist() == [1, 1] and given[3].tolist() == [[3, 3], [3, 3]]


def test_a_message_is_of_one_type_and_not_too_long(monkeypatch):
    sent = []
    monkeypatch.setattr(dist, "all_reduce", lambda tensor, **_: sent.append(tensor.tolist()))
    monkeypatch.setattr(module, "BUCKET", 4)
    given = [torch.ones(2), torch.ones(2), torch.ones(1), torch.full((2,), 2.0).double(), torch.full((6,), 3.0)]
    found = Processes(size=2).sum_all(given)
    assert sent == [[1] * 4, [1], [2] * 2, [3] * 6]
    for one, other in zip(found, given, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_sharded_parameters_are_refused_by_name():
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Replicate, distribute_tensor

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    dist.init_process_group("gloo", rank=0, world_size=1)
    try:
        mesh = init_device_mesh("cpu", (1,))
        sharded = nn.Parameter(distribute_tensor(torch.ones(4), mesh, [Replicate()]))
        optimizer = torch.optim.SGD([sharded], lr=0.1)
        with pytest.raises(ValueError, match=r"sharded \(FSDP, or DTensor\).*DistributedDataParallel"):
            Balancer(optimizer, 2, level="gradient", rule="nash")
    finally:
        dist.destroy_process_group()


def test_ordinary_parameters_are_not():
    net = Net()
    refuse_sharded(net.parameters())
    assert adamw(net)
