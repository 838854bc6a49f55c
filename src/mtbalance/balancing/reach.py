"""The parameters that the graphs of the losses reach, and the shared layer that is nearest to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor
from torch.autograd.graph import Node
from torch.nn import Parameter

FAR = 10**9
"""Distance of a parameter that a loss does not reach."""


@dataclass(frozen=True)
class Reach:
    """Parameters by the losses whose graphs reach them."""

    shared: list[Parameter] = field(default_factory=list)
    """Parameters that two or more losses reach. With a single task: all that its loss reaches."""
    own: list[list[Parameter]] = field(default_factory=list)
    """For each task, the parameters that its loss alone reaches."""
    last_layer: int = -1
    """Index in ``shared`` of the last shared layer's weight: the one nearest to a loss.

    Only parameters of two or more dimensions count as weights (biases and norms have one). The distance to a loss is
    the number of operations on the longest path between the two. Of several weights at the smallest distance the last
    one in ``shared`` is taken; if there is no weight, the last shared parameter is."""


def find_reach(losses: Sequence[Tensor], parameters: Sequence[Parameter]) -> Reach:
    """Sort ``parameters`` by the graphs of K losses. Parameters that no loss reaches are in neither list."""
    reached = [_distances(loss) for loss in losses]
    counts = {parameter: sum(parameter in leaves for leaves in reached) for parameter in parameters}
    shared = [parameter for parameter in parameters if counts[parameter] >= min(2, len(losses))]
    own = [
        [parameter for parameter in parameters if counts[parameter] == 1 < len(losses) and parameter in leaves]
        for leaves in reached
    ]
    return Reach(shared, own, _last_layer(shared, reached))


def last_layer(losses: Sequence[Tensor], shared: Sequence[Parameter]) -> int:
    """Index of the last shared layer's weight, as :class:`Reach` defines it, among parameters known to be shared."""
    return _last_layer(shared, [_distances(loss) for loss in losses])


def leaves(losses: Sequence[Tensor]) -> list[Tensor]:
    """The leaf tensors that the graphs of the losses reach, each once."""
    return [node.variable for node in nodes(losses) if hasattr(node, "variable")]


def nodes(losses: Sequence[Tensor]) -> list[Node]:
    """The operations in the graphs of the losses, each once."""
    seen = dict.fromkeys(loss.grad_fn for loss in losses if loss.grad_fn is not None)
    stack = list(seen)
    while stack:
        for parent in _parents(stack.pop()):
            if parent not in seen:
                seen[parent] = None
                stack.append(parent)
    return list(seen)


def _last_layer(shared: Sequence[Parameter], reached: Sequence[Mapping[Tensor, int]]) -> int:
    weights = [
        (min(leaves.get(parameter, FAR) for leaves in reached), -index)
        for index, parameter in enumerate(shared)
        if parameter.dim() > 1
    ]
    return -min(weights)[1] if weights else len(shared) - 1


def _distances(loss: Tensor) -> dict[Tensor, int]:
    """The leaf tensors in the graph of ``loss``, each with the number of operations on the longest path to it.

    The longest, because a shortcut does not make a layer a late one: a gate may read the network's input directly.
    """
    found: dict[Tensor, int] = {}
    waiting = Counter(parent for node in nodes([loss]) for parent in _parents(node))
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


def _parents(node: Node) -> list[Node]:
    return [parent for parent, _ in node.next_functions if parent is not None]
