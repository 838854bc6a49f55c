"""TorchJD's weightings as rules: any of its ways from a Gram matrix to weights, by its name."""

from __future__ import annotations

import ast
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from mtbalance.balancing.rules import GramRule, Matrix, Vector

if TYPE_CHECKING:
    import torch
    from torchjd.aggregation import Weighting

INSTALL = "rule torchjd needs TorchJD: pip install 'mtbalance[torchjd]'"
NOT_FROM_A_GRAM_MATRIX = {
    "CRMOGM": "it smooths the weights of another weighting",
    "ExcessMTL": "it needs the rows: use rule excess_mtl",
    "MoDo": "it needs the gradients of several batches",
    "SDMGrad": "it needs the gradients of several batches; rule sdmgrad takes those of one",
}
"""TorchJD's weightings that take something else than the Gram matrix of a step."""


class TorchJD(GramRule):
    """The weights that a weighting of the library TorchJD gives for the Gram matrix.

    Source: Quinton and Rey 2024 (arXiv 2406.16232), for the library. Each weighting has its own paper, and the scale
    that TorchJD gives it (``scale``). It is called in float64 on the CPU, and what it draws at random comes from the
    rule's own generator. The extra ``torchjd`` installs TorchJD; some weightings need packages besides, and say which
    (UPGrad and DualProj those of ``torchjd[quadprog_projector]``, which is why they are not the default).

    A weighting's memory between steps is kept with the rule: its buffers and its plain attributes. That is all the
    memory of the weightings of TorchJD 0.18; another object in an attribute would not be saved.
    """

    heads = "own"

    def __init__(
        self,
        tasks: int,
        *,
        weighting: Annotated[
            str, "Class in ``torchjd.aggregation``, with or without the ending ``Weighting``: ``UPGrad``, ``Krum``, ..."
        ] = "AlignedMTL",
        arguments: Annotated[
            dict[str, bool | int | float | str | list[float]] | None,
            "Arguments of the class's constructor, by name; a list becomes a tensor.",
        ] = None,
        scale: Annotated[
            Literal["mean", "sum"],
            "Scale of TorchJD's weights. ``mean``: tasks that are alike weigh 1/K there, as with most weightings, and "
            "1 here. ``sum``: weights are taken as they are, for Constant, FairGrad, GradVac, PCD, PCGrad and Sum.",
        ] = "mean",
    ) -> None:
        super().__init__(tasks)
        self.called = _checked(weighting.removesuffix("Weighting"))
        self.arguments = arguments or {}
        self.factor = float(tasks if scale == "mean" else 1)

    @cached_property
    def weighting(self) -> Weighting[Any]:
        """TorchJD's object; made on demand, so that options are checked without torch."""
        from torchjd import aggregation

        given = {name: _as_tensor(value) for name, value in self.arguments.items()}
        try:
            made: Weighting[Any] = getattr(aggregation, f"{self.called}Weighting")(**given)
        except TypeError as error:
            raise ValueError(f"arguments of TorchJD's {self.called}Weighting: {error}") from error
        return made

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], of the sign that the weighting gives them."""
        import torch

        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.default_generator.manual_seed(int(self.generator.integers(2**63)))  # of the CPU alone
            found = self.weighting(torch.tensor(gram, dtype=torch.float64))
        weights: Vector = self.factor * found.double().cpu().numpy()
        return weights

    def state_dict(self) -> dict[str, Any]:
        """The generator's state, and the weighting's buffers and plain attributes if it has been used."""
        state: dict[str, Any] = {"generator": self.generator.bit_generator.state, "buffers": {}, "attributes": {}}
        if "weighting" in self.__dict__:
            buffers = self.weighting.named_buffers()
            state["buffers"] = {name: [str(kept.dtype)[6:], kept.tolist()] for name, kept in buffers}
            state["attributes"] = _plain(self.weighting)
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        import torch

        self.__dict__.pop("weighting", None)
        if state["attributes"]:
            self.weights(np.eye(self.tasks), np.ones(self.tasks))  # makes the buffers, and the keys of their shapes
            vars(self.weighting).update(state["attributes"])
            for name, (dtype, values) in state["buffers"].items():
                setattr(self.weighting, name, torch.tensor(values, dtype=getattr(torch, dtype)))
        self.generator.bit_generator.state = state["generator"]


def _checked(name: str) -> str:
    """The name of a weighting, without its ending. Raises ``ValueError`` if TorchJD is missing or has no such one."""
    offered = _offered()
    if not offered:
        raise ValueError(INSTALL)
    usable = sorted(set(offered) - NOT_FROM_A_GRAM_MATRIX.keys())
    if name in NOT_FROM_A_GRAM_MATRIX:
        raise ValueError(f"weighting {name} takes no Gram matrix: {NOT_FROM_A_GRAM_MATRIX[name]}")
    if name not in usable:
        raise ValueError(f"weighting: TorchJD has no {name}Weighting; there are {', '.join(usable)}")
    return name


@cache
def _offered() -> tuple[str, ...]:
    """The weightings of the TorchJD that is installed, read off its text: to import it would import torch."""
    found = find_spec("torchjd")
    if found is None or not found.submodule_search_locations:
        return ()
    text = Path(found.submodule_search_locations[0], "aggregation", "__init__.py").read_text(encoding="utf-8")
    assigned = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    public = next(ast.literal_eval(node.value) for node in assigned if ast.unparse(node.targets[0]) == "__all__")
    return tuple(
        name.removesuffix("Weighting") for name in public if name.endswith("Weighting") and name != "Weighting"
    )


def _as_tensor(value: Any) -> Any:
    import torch

    return torch.tensor(value, dtype=torch.float64) if isinstance(value, list) else value


def _plain(weighting: torch.nn.Module) -> dict[str, Any]:
    """The attributes of the weighting that are numbers, texts or None; its options are among them."""
    return {
        name: value for name, value in vars(weighting).items() if isinstance(value, bool | int | float | str | None)
    }
