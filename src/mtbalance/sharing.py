"""Which parameters are shared: read off the autograd graph, never a list kept by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.autograd.graph import Node
from torch.nn import Parameter


@dataclass(frozen=True)
class Sharing:
    """Parameters by the losses that reach them."""

    shared: list[Parameter]
    """Reached by two losses or more (by the only one, where K = 1)."""
    own: list[list[Parameter]]
    """Of each task: reached by its loss alone."""
    last_layer: int
    """Where in ``shared`` the weight of the last shared layer is: of those of two dimensions or more (biases and norms
    have one) the nearest to a loss, by the longest way there; of equally near ones the last. Where none has two, the
    last of all."""


def sharing(losses: Sequence[Tensor], parameters: Sequence[Parameter]) -> Sharing:
    """Sort ``parameters`` by the graphs of K losses; parameters that no loss reaches are in neither list."""
    reached = [_distances(loss) for loss in losses]
    counts = {parameter: sum(parameter in leaves for leaves in reached) for parameter in parameters}
    shared = [parameter for parameter in parameters if counts[parameter] >= min(2, len(losses))]
    own = [
        [parameter for parameter in parameters if counts[parameter] == 1 < len(losses) and parameter in leaves]
        for leaves in reached
    ]
    return Sharing(shared, own, _last_layer(shared, reached))


def _last_layer(shared: Sequence[Parameter], reached: Sequence[Mapping[Tensor, int]]) -> int:
    weights = [
        (min(leaves[parameter] for leaves in reached if parameter in leaves), -index)
        for index, parameter in enumerate(shared)
        if parameter.dim() > 1
    ]
    return -min(weights)[1] if weights else len(shared) - 1


def _distances(loss: Tensor) -> dict[Tensor, int]:
    """The leaf tensors that the graph of ``loss`` ends in, each with the most operations that lie between them.

    The most, as a short cut does not bring a layer nearer: gates read what the first layers do.
    """
    found: dict[Tensor, int] = {}
    waiting = _edges(loss.grad_fn)
    distances, ready = {loss.grad_fn: 0}, [loss.grad_fn] if loss.grad_fn else []
    while ready:
        node = ready.pop()
        if hasattr(node, "variable"):
            found[node.variable] = distances[node]
        for parent in _parents(node):
            distances[parent] = max(distances.get(parent, 0), distances[node] + 1)
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)
    return found


def _edges(root: Node | None) -> Counter[Node]:
    """How many edges of the graph under ``root`` lead to each of its nodes."""
    counts: Counter[Node] = Counter()
    stack = [root] if root else []
    while stack:
        for parent in _parents(stack.pop()):
            if not counts[parent]:
                stack.append(parent)
            counts[parent] += 1
    return counts


def _parents(node: Node) -> list[Node]:
    return [parent for parent, _ in node.next_functions if parent is not None]
