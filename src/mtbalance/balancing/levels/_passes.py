"""Backward passes that are repeated, or name their parameters: what makes them possible, and what they would miss."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.processes import Processes
from mtbalance.balancing.reach import nodes
from mtbalance.balancing.replicas import alike, refuse_sharded

REPEATED = "+repeated backward passes"
HOOKS = ("_post_accumulate_grad_hooks", "_in_backward_optimizers")
"""Attributes of parameters with something to be called at the end of a plain backward pass. The second one is that of
torch.distributed.optim and torchrec."""
ONE_PASS = 'or balance at level loss, or at representation with heads="own", in one process'
Known = Callable[[], Sequence[Parameter]]
"""Lists the optimizer's parameters, which takes time and is rarely needed."""
LOOKS_EVERY = 100
"""Backward passes after which graphs are walked once more. That takes too long for every step."""


def allow_repeated_passes() -> int:
    """Let backward passes through a compiled model be repeated: torch would give its memory away in the first one.

    Models that are compiled already, in this process or by another one into torch's cache on the disk, may do so. After
    the option is off torch no longer notices, and later passes would read what is left there. So what this process has
    compiled is compiled again, and its cache has a key of its own. Returns the number of the first operation from which
    on graphs are safe.
    """
    from torch._functorch import config

    if not config.donated_buffer:
        return 0
    config.donated_buffer = False
    torch.compiler.config.cache_key_tag += REPEATED
    if "torch._dynamo" in sys.modules:
        torch.compiler.reset()
    with torch.enable_grad():
        operation = torch.zeros((), requires_grad=True).neg().grad_fn
    assert operation is not None
    number: int = operation._sequence_nr()
    return number


class Others:
    """The parameters that losses reach and the optimizer does not have, since another one trains them.

    A backward pass that names its parameters must name these as well. Graphs are walked at the first such pass, at
    every hundredth, and at every one as soon as there was such a parameter.
    """

    def __init__(self, since: int = 0) -> None:
        self._found: dict[Parameter, None] = {}
        self._since, self._passes = since, 0

    def look(self, losses: Sequence[Tensor], known: Known, processes: Processes) -> list[Parameter]:
        """Those found so far; ``known`` gives the optimizer's. Raises what :func:`look_around` and :func:`alike` do."""
        if self._found or self._passes % LOOKS_EVERY == 0:
            around = look_around(losses, known(), self._since)
            new = [parameter for parameter in around if parameter not in self._found]
            refuse_sharded(new)
            if processes.size > 1:
                new = alike(new, processes, losses[0].device, "of another optimizer")
            self._found |= dict.fromkeys(new)
        self._passes += 1
        return self.parameters(known)

    def parameters(self, known: Known) -> list[Parameter]:
        """Those found so far that are not frozen and not the optimizer's by now."""
        optimized = set(known()) if self._found else ()
        return [parameter for parameter in self._found if parameter.requires_grad and parameter not in optimized]


def look_around(losses: Sequence[Tensor], known: Sequence[Parameter], since: int) -> list[Parameter]:
    """The parameters that the losses reach and that are not ``known``.

    ``since`` is what :func:`allow_repeated_passes` returned. Raises ``ValueError`` for graphs and hooks of parameters
    that such passes would pass by in silence.
    """
    optimized, found = set(known), nodes(losses)
    for node in found:
        if node.name().startswith("CheckpointFunction"):
            raise ValueError(
                "a part of the model is a reentrant checkpoint, which only backward() can pass: make it with "
                f"use_reentrant=False, {ONE_PASS}"
            )
        if node.name().startswith("CompiledFunction") and node._sequence_nr() < since:
            raise ValueError(
                "these losses were computed by a compiled model before the balancer was made, and allow one backward "
                "pass only: compute them again"
            )
        if "LookupFunction_" in node.name() and "dense" not in node.name().lower():
            raise ValueError(
                "tables of fbgemm (FusedEmbeddingBagCollection of torchrec) are trained within every backward pass: "
                f"make them an EmbeddingBagCollection with an optimizer beside the balancer's, {ONE_PASS}"
            )
    leaves = dict.fromkeys(getattr(node, "variable", None) for node in found)
    if any(getattr(leaf, hooks, None) for leaf in leaves for hooks in HOOKS):
        raise ValueError(
            "a parameter has a hook of register_post_accumulate_grad_hook, or an optimizer that steps in the backward "
            f"pass, which are not called here: let that optimizer step after the balancer's, {ONE_PASS}"
        )
    return [leaf for leaf in leaves if isinstance(leaf, Parameter) and leaf not in optimized]
