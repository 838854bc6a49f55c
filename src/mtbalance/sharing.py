"""Which parameters are shared: read off the autograd graph, never a list kept by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn import Parameter


@dataclass(frozen=True)
class Sharing:
    """Parameters by the losses that reach them."""

    shared: list[Parameter]
    """Reached by two losses or more (by the only one, where K = 1)."""
    own: list[list[Parameter]]
    """Of each task: reached by its loss alone."""

    @property
    def last_layer(self) -> int:
        """Where in ``shared`` the weight of the last shared layer is.

        The last, in the model's own order, of two dimensions or more: biases and norms have one. Where none has, the
        last of all.
        """
        weights = [index for index, parameter in enumerate(self.shared) if parameter.dim() > 1]
        return weights[-1] if weights else len(self.shared) - 1


def sharing(losses: Sequence[Tensor], parameters: Sequence[Parameter]) -> Sharing:
    """Sort ``parameters`` by the graphs of K losses; parameters that no loss reaches are in neither list."""
    reached = [_leaves(loss) for loss in losses]
    counts = {parameter: sum(parameter in leaves for leaves in reached) for parameter in parameters}
    shared = [parameter for parameter in parameters if counts[parameter] >= min(2, len(losses))]
    own = [
        [parameter for parameter in parameters if counts[parameter] == 1 < len(losses) and parameter in leaves]
        for leaves in reached
    ]
    return Sharing(shared, own)


def _leaves(loss: Tensor) -> set[Tensor]:
    """The leaf tensors that the graph of ``loss`` ends in."""
    leaves, seen, stack = set(), set(), [loss.grad_fn]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves.add(node.variable)
        stack.extend(parent for parent, _ in node.next_functions)
    return leaves
