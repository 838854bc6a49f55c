"""The parameters that tasks share, told by the tasks' gradients at every step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn import Parameter

Gradients = dict[Parameter, list[Tensor | None]]
"""The K tasks' gradients of each parameter that some task reaches; None for a task that does not reach it."""


class Sharing:
    """Tells at every step which parameters several tasks share, from the gradients of K backward passes.

    A parameter is shared if two tasks have had a gradient of it that is not zero. Graphs alone do not tell: losses that
    meet before the end, as one stacked tensor or as the outputs of a compiled model, reach every head, but with
    gradients of zero. What a step shows is remembered, so a batch without rows of one task makes no shared parameter
    another task's own. A task whose gradients have all been zero so far has shown nothing, and counts as one that uses
    what it reaches.

    ``given`` are the shared parameters, if the user lists them; then they are those that some task reaches.
    """

    def __init__(self, tasks: int, given: Collection[Parameter] | None = None) -> None:
        self.tasks = tasks
        self.given = None if given is None else set(given)
        self.users: dict[Parameter, set[int]] = {}
        """The tasks that have had a gradient that is not zero."""
        self.shown: set[int] = set()
        """The tasks that have had one of a parameter that other tasks reach as well."""

    def unclear(self, gradients: Gradients) -> list[tuple[Parameter, int]]:
        """The parameters, each with a task, whose gradient must be looked at to tell who uses them."""
        if self.given is not None or self.tasks == 1:
            return []
        found: list[tuple[Parameter, int]] = []
        for parameter, parts in gradients.items():
            known = self.users.get(parameter, set())
            if len(known) < 2:  # else the parameter is shared, whoever else uses it
                found += [(parameter, k) for k, part in enumerate(parts) if part is not None and k not in known]
        return found

    def learn(self, gradients: Gradients, found: Iterable[tuple[Parameter, int]]) -> None:
        """Remember parameters with tasks whose gradient, of ``gradients``, is not zero."""
        for parameter, task in found:
            self.users.setdefault(parameter, set()).add(task)
            if sum(part is not None for part in gradients[parameter]) > 1:
                self.shown.add(task)

    def user(self, parameter: Parameter) -> int | None:
        """The only task that has had a gradient of ``parameter``; None if that is not known."""
        users = self.users.get(parameter, set())
        return next(iter(users)) if len(users) == 1 else None

    def shared(self, gradients: Gradients) -> list[Parameter]:
        """The parameters of ``gradients`` that tasks share."""
        if self.given is not None:
            return [parameter for parameter in gradients if parameter in self.given]
        if self.tasks == 1:
            return list(gradients)
        return [parameter for parameter, parts in gradients.items() if len(self._users(parameter, parts)) > 1]

    def _users(self, parameter: Parameter, parts: Sequence[Tensor | None]) -> set[int]:
        known = self.users.get(parameter, set())
        if len(known) > 1:
            return known
        return known | {task for task, part in enumerate(parts) if part is not None and task not in self.shown}

    def state_dict(self, order: Sequence[Parameter]) -> dict[str, Any]:
        """The tasks that use each parameter, by its position in ``order``; and those that have shown something."""
        positions = {parameter: position for position, parameter in enumerate(order)}
        known = self.users.items()
        users = {positions[parameter]: sorted(tasks) for parameter, tasks in known if parameter in positions}
        return {"users": users, "shown": sorted(self.shown)}

    def load_state_dict(self, state: Mapping[str, Any], order: Sequence[Parameter]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.users = {order[int(position)]: set(tasks) for position, tasks in state["users"].items()}
        self.shown = set(state["shown"])
