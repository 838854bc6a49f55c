"""Balancers on a simulated accelerator: no operation mixes devices, the host reads little, numbers are the CPU's.

No real device has run these tests: ``tests/simulated_device.py`` says what it can show.
"""

import copy
import io
from typing import Any

import numpy as np
import pytest
import torch

import simulated_device
from loops import PAIRS, Net, balanced, data
from mtbalance.balancing import levels
from mtbalance.balancing.processes import Processes
from mtbalance.balancing.rows import gram_matrix
from simulated_device import DEVICE, TRAFFIC

CPU = torch.device("cpu")
MOST = 3
"""Reads of a step."""
PUB = {"level": "update", "rule": "nash"}
WAYS: dict[str, dict[str, Any]] = {f"{rule} at {level}": {"level": level, "rule": rule} for level, rule in PAIRS}
WAYS["fixed at loss"] |= {"weights": [1, 2, 3]}
WITH_OPTIONS: dict[str, dict[str, Any]] = {
    "PUB": PUB | {"every": 2},
    "PUB, all parameters": PUB | {"every": 2, "gram_over": "all", "heads": "weighted"},
    "PUB, one pass": PUB | {"every": 2, "between": "weighted_loss", "gram_over": "all"},
    "PUB, delayed": PUB | {"every": 6, "preconditioner": "delayed"},
    "pub_fast": PUB | {"every": 6, "preconditioner": "delayed", "between": "weighted_loss"},
    "PUB+Clippy": PUB | {"manipulation": "clippy"},
    "PUB+AdaTask": PUB | {"manipulation": "adatask", "moment_weights": "solved"},
    "ClippyAdam": {"level": "loss", "rule": "equal", "manipulation": "clippy", "max_norm": 0.1},
    "NashMTL": {"level": "gradient", "rule": "nash", "every": 2, "max_norm": 0.1, "gram_over": "all"},
    "shared clipping": {"level": "gradient", "rule": "cagrad", "max_norm": 0.1, "clip_over": "shared"},
    "representation": {"level": "representation", "rule": "min_norm", "heads": "weighted", "max_norm": 0.1},
}
WAYS |= WITH_OPTIONS
OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "SGD": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.01}),
    "Nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True, "fused": True}),
    "Adam": (torch.optim.Adam, {"weight_decay": 0.01}),
    "AdamW": (torch.optim.AdamW, {"fused": True}),
    "AdamW, foreach": (torch.optim.AdamW, {"foreach": True}),
    "AdaGrad": (torch.optim.Adagrad, {"fused": True}),
    "RMSProp": (torch.optim.RMSprop, {}),
    "NAdam": (torch.optim.NAdam, {}),
    "AMSGrad": (torch.optim.Adam, {"amsgrad": True, "fused": True}),
}
"""The last two are run by copies."""
SUM_SQUARES = ("db_mtl", "excess_mtl", "metabalance", "moco", "graddrop", "trimmed_mean")
"""Rules of rows: sums of squares of the rows are taken on the device."""
SOME = {*WITH_OPTIONS, "famo at loss", "multibalance at representation", "gradnorm at gradient", "torchjd at update"}
FEW = [
    pytest.param(way, marks=[] if way in SOME or way.split()[0] in SUM_SQUARES else pytest.mark.long) for way in WAYS
]


@pytest.fixture(autouse=True)
def _generators(monkeypatch):
    """``torch.Generator`` of the device, which Python cannot register."""
    monkeypatch.setattr(torch, "Generator", simulated_device.Generator)


class Loop:
    """A model on a device with its balancer, and what its steps told."""

    def __init__(
        self, device: torch.device, way: str, optimizer: str = "AdamW", tasks: int = 3, net: Net | None = None
    ) -> None:
        kind, options = OPTIMIZERS[optimizer]
        self.net = net or Net(tasks, torch.float32).to(device)
        own = kind(self.net.parameters(), lr=0.01, **options)
        self.balancer = balanced(self.net, optimizer=own, **WAYS[way])
        self.told: list[float] = []
        self.reads: list[int] = []

    def losses(self, **part) -> list[torch.Tensor]:
        return self.net.losses(self.balancer, **part)

    def steps(self, count: int) -> "Loop":
        for _ in range(count):
            losses = self.losses()
            after = self.losses() if self.balancer.level.rule.looks_again else losses
            before = TRAFFIC.reads
            report = self.balancer.step(losses, again=lambda after=after: after)
            self.reads.append(TRAFFIC.reads - before)
            self.told += [*report.losses, *report.weights, *report.diagnostics.values()]
        return self

    def vector(self) -> torch.Tensor:
        return self.net.vector().cpu()

    def alike(self, other: "Loop", tolerance: float = 0.0) -> bool:
        """True if parameters and reports are the other's; the norm that torch clips by is summed in another order."""
        one, two = self.vector(), other.vector()
        return torch.allclose(one, two, rtol=tolerance, atol=tolerance) and np.allclose(
            self.told, other.told, rtol=tolerance or 1e-6, atol=tolerance
        )


@pytest.mark.parametrize("way", WAYS)
def test_a_step_on_a_device_is_that_on_the_cpu_and_reads_little(way):
    there, here = (Loop(device, way).steps(13 if way == "pub_fast" else 4) for device in (DEVICE, CPU))
    assert there.alike(here)
    assert 0 < max(there.reads) <= MOST and max(here.reads) == 0


@pytest.mark.long
@pytest.mark.parametrize("way", [way for way in WAYS if way != "fixed at loss"])
def test_so_it_is_with_more_tasks(way):
    """Whose Gram matrix is a product of matrices."""
    there, here = (Loop(device, way, tasks=5).steps(4) for device in (DEVICE, CPU))
    assert there.alike(here) and max(there.reads) <= MOST


@pytest.mark.parametrize("way", FEW)
def test_a_device_without_float64_gives_the_same(way):
    """As Apple's MPS; bit for bit but for rules of rows, whose sums of squares are in float32 there."""
    with simulated_device.without_float64():
        there = Loop(DEVICE, way).steps(3)
    assert there.alike(Loop(CPU, way).steps(3), 1e-5 if way.split()[0] in SUM_SQUARES else 0.0)
    assert max(there.reads) <= MOST


@pytest.mark.parametrize("tasks", [2, 5])
@pytest.mark.parametrize("scale", [1e-15, 1e18])
def test_rows_too_short_or_long_for_float32_are_multiplied_there_too(tasks, scale):
    rows = scale * torch.randn(tasks, 7, generator=torch.Generator().manual_seed(0))
    with simulated_device.without_float64():
        there = gram_matrix([rows.to(DEVICE)])
    np.testing.assert_array_equal(there, gram_matrix([rows]))
    assert np.linalg.matrix_rank(there / scale**2) == tasks


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("way", ["PUB", "PUB, one pass", "PUB, all parameters"])
def test_so_it_is_with_every_proposal(way, optimizer):
    there, here = (Loop(device, way, optimizer).steps(5) for device in (DEVICE, CPU))
    assert there.alike(here) and max(there.reads) <= MOST


@pytest.mark.parametrize("start", [CPU, DEVICE], ids=["from the CPU", "from the device"])
@pytest.mark.parametrize("way", [*WITH_OPTIONS, "moco at update", "db_mtl at gradient", "excess_mtl at update"])
def test_a_state_goes_on_on_another_device(way, start):
    stayed = Loop(CPU, way).steps(6)
    begun = Loop(start, way).steps(3)
    file = io.BytesIO()
    torch.save({"model": begun.net.state_dict(), "balancer": begun.balancer.state_dict()}, file)
    file.seek(0)
    state = torch.load(file, map_location="cpu", weights_only=True)
    moved = Loop(DEVICE if start == CPU else CPU, way)
    moved.net.load_state_dict(state["model"])
    moved.balancer.load_state_dict(state["balancer"])
    moved.steps(3)
    moved.told = begun.told + moved.told
    assert moved.alike(stayed)


@pytest.mark.parametrize("way", WITH_OPTIONS)
def test_a_copy_goes_on_as_the_original(way):
    loop = Loop(DEVICE, way).steps(2)
    copied = copy.deepcopy(loop)
    assert copied.steps(2).alike(loop.steps(2))


@pytest.mark.parametrize("way", ["PUB", "PUB+Clippy", "NashMTL", "graddrop at gradient", "moco at update"])
def test_parts_of_a_batch_are_added_up_there(way):
    ends = []
    for device in (DEVICE, CPU):
        loop = Loop(device, way)
        for _ in range(3):
            for rows in (slice(0, 8), slice(8, 16)):
                loop.balancer.backward(loop.losses(rows=rows, share=0.5))
            loop.balancer.step()
        ends.append(loop.vector())
    assert torch.equal(*ends)


@pytest.mark.parametrize("way", ["equal at loss", "representation", "NashMTL", "PUB, one pass", "db_mtl at update"])
def test_a_gradient_scaler_there_changes_nothing(way):
    if WAYS[way].get("max_norm"):
        WAYS[f"{way}, not clipped"] = {name: value for name, value in WAYS[way].items() if name != "max_norm"}
        way = f"{way}, not clipped"
    loop, plain = Loop(DEVICE, way), Loop(CPU, way).steps(4)
    scaler = torch.amp.GradScaler(DEVICE.type, init_scale=2.0**12)
    for step in range(5):
        losses = loop.losses()
        if step == 2:  # it is skipped
            losses[0] = losses[0] * float("inf")
        loop.balancer.backward(losses, scaler)
        scaler.step(loop.balancer)
        scaler.update()
        loop.balancer.zero_grad()
    assert scaler.get_scale() < 2.0**12
    assert torch.allclose(loop.vector(), plain.vector(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("way", FEW)
def test_sums_over_processes_are_of_numbers_on_the_device(way, monkeypatch):
    """As one of two processes that hold the same; NCCL sums nothing on the CPU. Which gradients there are is read, and
    whether the parameters are the same, at the first step.

    A representation is twice as long over two processes.
    """
    alone, sent = Loop(DEVICE, way).steps(3), []
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda tensor, **_: sent.append(tensor.mul_(2).device))
    monkeypatch.setattr(levels, "processes", lambda group: Processes(size=2))
    both = Loop(DEVICE, way).steps(3)
    assert set(sent) == {DEVICE}
    if "graddrop" not in way and WAYS[way]["level"] != "representation":
        assert both.alike(alone, 1e-5)
    first, *later = both.reads
    assert first <= MOST + 6 and max(later) <= MOST + 1, both.reads


class Spread(Net):
    """A net whose second layer and first head are on the device, and the rest on the CPU."""

    def __init__(self, tasks: int) -> None:
        super().__init__(tasks, torch.float32)
        self.trunk[2].to(DEVICE)
        self.heads[0].to(DEVICE)

    def losses(self, balancer, rows: slice = slice(None), share: float = 1.0) -> list[torch.Tensor]:
        inputs, targets = (part.float() for part in data(len(self.heads)))
        hidden = self.trunk[1](self.trunk[0](inputs)).to(DEVICE)
        forks = balancer.fork(self.trunk[3](self.trunk[2](hidden)))
        found = []
        for head, fork, target in zip(self.heads, forks, targets.T, strict=True):
            place = head.weight.device
            found.append(((head(fork.to(place))[:, 0] - target.to(place)) ** 2).mean())
        return found

    def vector(self) -> torch.Tensor:
        return torch.cat([parameter.detach().cpu().flatten() for parameter in self.parameters()])


@pytest.mark.parametrize("way", FEW)
def test_a_model_may_be_spread_over_devices(way):
    spread, whole = (Loop(CPU, way, net=net).steps(3) for net in (Spread(3), None))
    assert spread.alike(whole, 1e-5)


@pytest.mark.parametrize("way", ["representation", "nash at gradient", "PUB", "PUB+Clippy"])
@pytest.mark.parametrize("tasks", [2, 5])
def test_rows_are_not_multiplied_in_the_short_numbers_of_autocast(way, tasks):
    """Wherever the user has its context end."""
    inside, outside = Loop(DEVICE, way, tasks=tasks), Loop(DEVICE, way, tasks=tasks)
    for _ in range(3):
        with torch.autocast(DEVICE.type, torch.float16):
            losses = inside.losses()
            assert (losses[0].view(1, 1) @ losses[0].view(1, 1)).dtype == torch.float16
            inside.balancer.step(losses)
        with torch.autocast(DEVICE.type, torch.float16):
            losses = outside.losses()
        outside.balancer.step(losses)
    assert inside.alike(outside)


def test_the_device_refuses_what_cuda_refuses():
    there, here = torch.ones(2, 3, device=DEVICE), torch.ones(2, 3)
    for mixed in (
        lambda: there + here,
        lambda: here @ there.T,
        lambda: torch.stack([there.sum(), here.sum()]),
        lambda: torch.zeros(()).add_(there.sum()),
        lambda: torch.rand(2, device=DEVICE, generator=torch.Generator()),
    ):
        with pytest.raises(RuntimeError, match=r"mixes devices|generator of the CPU"):
            mixed()
    with pytest.raises(RuntimeError):
        there.numpy()
    assert (there + here.sum()).device == there[torch.tensor([0])].device == DEVICE
    with simulated_device.without_float64(), pytest.raises(TypeError, match="float64"):
        there.double()


def test_the_device_counts_what_the_host_reads():
    ones, before = torch.ones(2, device=DEVICE), TRAFFIC.reads
    numbers = [float(ones[0]), bool(ones[0] > 0), ones.tolist(), ones.sum().item(), ones.cpu(), ones[ones > 0]]
    assert TRAFFIC.reads - before == len(numbers)
