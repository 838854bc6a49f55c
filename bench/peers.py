"""What a user would take instead, on the same model size and rows; and what no step can do without."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torchjd.aggregation as torchjd
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torchjd.autogram import Engine
from torchjd.autojac import jac_to_grad, mtl_backward

from cases import Case, Step
from mtbalance.balancing.solvers.bargaining import bargain

TORCHJD = {
    "mgda": (torchjd.MGDA, torchjd.MGDAWeighting),
    "pcgrad": (torchjd.PCGrad, torchjd.PCGradWeighting),
    "cagrad": (partial(torchjd.CAGrad, c=0.4), partial(torchjd.CAGradWeighting, c=0.4)),
    "graddrop": (torchjd.GradDrop, None),
    "imtl_g": (torchjd.IMTLG, torchjd.IMTLGWeighting),
    "aligned_mtl": (torchjd.AlignedMTL, torchjd.AlignedMTLWeighting),
    "config": (torchjd.ConFIG, None),
}
"""TorchJD's aggregators, and their weightings of a Gram matrix where there are some, by the balancer of ``params.yaml``
with the same rule at level gradient. Its NashMTL and UPGrad need solvers that are not among its dependencies, and are
left out."""


class Plain(nn.Module):
    """MMOE as most code has it: a module for each embedding, expert, gate and tower."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        torch.manual_seed(0)
        width = 17 * case.embedding
        self.embeddings = nn.ModuleList(nn.Embedding(case.values, case.embedding) for _ in range(16))
        self.numbers = nn.Linear(case.numbers, case.embedding)
        self.experts = nn.ModuleList(perceptron(width, case.expert) for _ in range(case.experts))
        self.gates = nn.ModuleList(nn.Linear(width, case.experts) for _ in range(case.tasks))
        last = case.tower[-1]
        towers = (nn.Sequential(perceptron(case.expert[-1], case.tower), nn.Linear(last, 1)) for _ in range(case.tasks))
        self.towers = nn.ModuleList(towers)

    def features(self, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """The experts' outputs and the gates' input."""
        categories, numbers = inputs
        columns = [table(categories[:, column]) for column, table in enumerate(self.embeddings)]
        fields = torch.cat([*columns, self.numbers(numbers)], dim=1)
        return torch.stack([expert(fields) for expert in self.experts], dim=1), fields

    def logits(self, experts: Tensor, fields: Tensor) -> list[Tensor]:
        """Each task's logits."""
        shares = [torch.softmax(gate(fields), dim=1).unsqueeze(2) for gate in self.gates]
        return [tower((share * experts).sum(1)).squeeze(1) for share, tower in zip(shares, self.towers, strict=True)]

    def shared(self) -> list[nn.Parameter]:
        """The parameters that all tasks share."""
        return [p for part in (self.embeddings, self.numbers, self.experts) for p in part.parameters()]

    def own(self) -> list[nn.Parameter]:
        """The parameters of single tasks."""
        return [p for part in (self.gates, self.towers) for p in part.parameters()]


def perceptron(inputs: int, hidden: tuple[int, ...]) -> nn.Sequential:
    """Linear layers and ReLU."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(inputs, size), nn.ReLU()]
        inputs = size
    return nn.Sequential(*layers)


class Setting:
    """A plain model, its rows and torch's fastest AdamW."""

    def __init__(self, case: Case) -> None:
        self.case, self.model, self.batches = case, Plain(case), case.batches()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), fused=True)

    def losses(self) -> list[Tensor]:
        """The losses."""
        batch = next(self.batches)
        return self.losses_of(*self.model.features(batch.inputs), batch.targets)

    def losses_of(self, experts: Tensor, fields: Tensor, targets: tuple[Tensor, ...]) -> list[Tensor]:
        """The losses of a representation."""
        pairs = zip(self.model.logits(experts, fields), targets, strict=True)
        return [binary_cross_entropy_with_logits(*pair) for pair in pairs]

    def losses_and_representation(self) -> tuple[list[Tensor], Tensor]:
        """The losses, and the representation in one tensor, as TorchJD needs it where one part comes from another."""
        batch = next(self.batches)
        experts, fields = self.model.features(batch.inputs)
        joined = torch.cat([experts.flatten(1), fields], dim=1)
        parts = joined.split([joined.shape[1] - fields.shape[1], fields.shape[1]], dim=1)
        return self.losses_of(parts[0].unflatten(1, experts.shape[1:]), parts[1], batch.targets), joined

    def update(self) -> None:
        """The optimizer's step."""
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def plain(case: Case) -> Step:
    """The sum of the losses in plain torch."""
    setting = Setting(case)

    def step() -> None:
        losses = setting.losses()
        torch.stack(losses).sum().backward()
        setting.update()

    return step


def autojac(case: Case, name: str) -> Step:
    """TorchJD with the Jacobian of the shared parameters."""
    setting, aggregator = Setting(case), TORCHJD[name][0]()

    def step() -> None:
        losses, representation = setting.losses_and_representation()
        mtl_backward(losses, features=representation)
        jac_to_grad(setting.model.shared(), aggregator)
        setting.update()

    return step


def autogram(case: Case, name: str) -> Step:
    """TorchJD with the Gram matrix of the shared modules' Jacobian, and one more backward pass."""
    setting, weighting = Setting(case), TORCHJD[name][1]()
    model = setting.model
    engine = Engine(model.embeddings, model.numbers, model.experts, batch_dim=None)

    def step() -> None:
        losses = setting.losses()
        stacked = torch.stack(losses)
        weights = weighting(engine.compute_gramian(stacked))
        stacked.backward(weights)
        setting.update()

    return step


def released_pub(case: Case, every: int = 10) -> Step:
    """PUB as its authors released it, without its copies to another device and its failing solver.

    Every step makes K backward passes for the shared parameters and one for the others, and adds up the tasks' Adam
    updates from joint moments, parameter by parameter. A search makes K passes more for the matrix of all updates.
    """
    setting = Setting(case)
    shared, own = setting.model.shared(), setting.model.own()
    setting.optimizer = torch.optim.AdamW(own, fused=True)
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in shared]
    state: dict[str, Any] = {"step": 0, "weights": torch.ones(case.tasks)}

    def updates(gradients: tuple[Tensor, ...], first: float, second: float) -> list[Tensor]:
        found = []
        for gradient, (m, v) in zip(gradients, moments, strict=True):
            mean = (0.9 * m + 0.1 * gradient) / first
            square = (0.999 * v + 0.001 * gradient * gradient) / second
            found.append(-1e-3 * mean / (square.sqrt() + 1e-8))
        return found

    def step() -> None:
        losses = setting.losses()
        first, second = 1 - 0.9 ** (state["step"] + 1), 1 - 0.999 ** (state["step"] + 1)
        if state["step"] % every == 0:
            proposed = []
            for loss in losses:
                gradients = torch.autograd.grad(loss, shared, retain_graph=True)
                proposed.append(torch.cat([update.flatten() for update in updates(gradients, first, second)]))
            matrix = torch.stack(proposed)
            gram = (matrix @ matrix.T).double().numpy()
            state["weights"] = torch.as_tensor(bargain(gram).weights)
        torch.stack(losses).sum().backward(inputs=own, retain_graph=True)
        joint = [torch.zeros_like(p) for p in shared]
        for task, loss in enumerate(losses):
            gradients = torch.autograd.grad(loss, shared, retain_graph=True)
            weight = float(state["weights"][task])
            for p, total, gradient, update in zip(
                shared, joint, gradients, updates(gradients, first, second), strict=True
            ):
                p.data.add_(update, alpha=weight)
                total.add_(gradient, alpha=weight)
        for (m, v), gradient in zip(moments, joint, strict=True):
            m.mul_(0.9).add_(gradient, alpha=0.1)
            v.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        state["step"] += 1
        setting.update()

    return step


def products(case: Case, dtype: torch.dtype = torch.float32) -> Step:
    """The step's matrix products alone: forward, and both of the backward pass, with outputs that are there already."""
    sizes = [*zip((17 * case.embedding, *case.expert), case.expert, strict=False)]
    experts = [(case.experts, *size) for size in sizes[1:]]
    towers = [*zip((case.expert[-1], *case.tower), (*case.tower, 1), strict=True)]
    single = [(1, 17 * case.embedding, case.experts * case.expert[0])]
    single += [(1, *size) for size in towers for _ in range(case.tasks)]
    single += [(1, 17 * case.embedding, case.experts)] * case.tasks
    calls = []
    for count, inputs, outputs in (*single, *experts):
        x, w, y = (torch.rand(count, *shape).to(dtype) for shape in shapes(case.rows, inputs, outputs))
        made = [torch.empty_like(of) for of in (y, x, w)]
        calls.append((x, w, y, *made))

    def step() -> None:
        for x, w, y, forward, to_inputs, to_weights in calls:
            torch.bmm(x, w, out=forward)
            torch.bmm(y, w.transpose(1, 2), out=to_inputs)
            torch.bmm(x.transpose(1, 2), y, out=to_weights)

    return step


def shapes(rows: int, inputs: int, outputs: int) -> tuple[tuple[int, int], ...]:
    """Shapes of a linear layer's inputs, weights and outputs."""
    return (rows, inputs), (inputs, outputs), (rows, outputs)


def traffic(case: Case) -> Step:
    """The memory traffic that an Adam step cannot do without: four numbers read, three written, for each parameter."""
    count = sum(parameter.numel() for parameter in Plain(case).parameters())
    sources, targets = torch.rand(4, count), torch.empty(3, count)

    def step() -> None:
        targets.copy_(sources[:3])
        sources[3].sum()

    return step
