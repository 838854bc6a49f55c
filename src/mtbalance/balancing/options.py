"""The options of the levels and of the optimizer, each with its default and its sentence. Free of torch.

A balancer is a rule at a level. Its block has the options of the level, which are declared here, and those of the rule,
which are declared in the rule's own file, as keyword-only arguments of its constructor.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from mtbalance.blocks import Block, Count, Fraction, NonNegative, Positive, changed, refuse
from mtbalance.registry import available, unknown

RULES = "mtbalance.balancing.rules"
OPTIMIZERS = "mtbalance.balancing.optimizers"
MANIPULATIONS = "mtbalance.balancing.manipulations"


def _known_optimizer(name: str) -> str:
    if name not in (known := available(OPTIMIZERS)):
        raise ValueError(unknown("optimizer", name, known))
    return name


class OptimizerOptions(Block):
    """The optimizer, with one meaning of weight decay for all of them."""

    name: Annotated[str, AfterValidator(_known_optimizer)] = "adam"
    """A file in ``mtbalance.balancing.optimizers``."""
    lr: Positive = 1e-3
    """Learning rate."""
    weight_decay: NonNegative = 0.0
    """Strength of the weight decay."""
    decay: Literal["decoupled", "coupled"] = "decoupled"
    """Form of the weight decay. ``decoupled``: every step shrinks a parameter by lr times weight_decay, apart from its
    gradient (AdamW). ``coupled``: weight_decay times the parameter is added to its gradient, and so to the moments
    (Adam)."""

    @model_validator(mode="after")
    def _refuse_idle_decay(self) -> Self:
        if self.weight_decay == 0 and changed(self, "decay"):
            refuse([("decay", "acts only with weight_decay above 0")])
        return self


class ClippyOptions(Block):
    """Limit of Clippy on the move of a coordinate in one step: ``relative`` times its size, plus ``absolute``.

    With the optimizer AdaGrad this is the original Clippy, and the defaults are its authors'.
    """

    relative: NonNegative = 0.1
    """A coordinate may move this share of its own size."""
    absolute: NonNegative | None = None
    """Any coordinate may move this far. Default: 1e-7 with AdaGrad, as in the authors' code; with the others the
    learning rate, which is how far Adam moves a coordinate whose gradient stays the same. Far smaller limits shorten
    nearly every step, because the tensor's most limited coordinate decides, and one near zero may hardly move. (The
    released Adam form has 0.01, with relative 0.5, which can never clip at lr 1e-3.)"""
    accumulator: NonNegative = 0.0
    """AdaGrad only: a coordinate may also move this far divided by the root of its accumulator."""
    initial_accumulator: NonNegative = 0.1
    """AdaGrad only: the accumulator starts at this value."""


Heads = Literal["own", "weighted"]
Between = Annotated[
    Literal["weighted_loss", "task_updates"],
    Field(
        description="A step between two searches. ``weighted_loss``: one backward pass of the weighted sum of losses. "
        "``task_updates``: K backward passes, as at a search, combined with the last weights."
    ),
]


class BalancerOptions(Block):
    """The options of every balancer: a level and a rule."""

    level: str
    """The quantity that is balanced: ``loss``, ``representation``, ``gradient`` or ``update``."""
    rule: str
    """The way from K tasks to K weights: a file in ``mtbalance.balancing.rules``."""
    smoothing: Fraction = 0.0
    """Share of the last search's weights in the weights of a search, as solved: 0 means none of them. CR-MOGM smooths
    the weights of any method like this (Zhou et al. 2022)."""


class JointGradientOptions(BalancerOptions):
    """Levels whose optimizer sees one joint gradient of all parameters."""

    max_norm: Positive | None = None
    """Shorten the joint gradient to this norm before the optimizer's step (1.0 in NashMTL's code on NYUv2). Default:
    never."""
    clip_over: Literal["all", "shared"] = "all"
    """Parameters whose joint gradient ``max_norm`` shortens: ``all`` of them together, or the ``shared`` ones only, as
    in the codes of NashMTL and FAMO."""


class ManipulationOptions(BalancerOptions):
    """Levels where updates can be manipulated before they are taken."""

    manipulation: Literal["none", "clippy", "adatask"] = "none"
    """A file in ``mtbalance.balancing.manipulations``, or ``none``."""
    clip: ClippyOptions = ClippyOptions()
    """Limits of Clippy on the move of a coordinate; they act only with ``manipulation: clippy``."""
    preconditioner: Literal["present", "delayed"] | None = None
    """Gradients that enter the divisor of an update. ``present``: all up to and including the update's own, as in PUB's
    release. ``delayed``: only those before it. That is the order of Clippy, which PUB's text cites for moments that
    move last. (The numerator always includes the update's own gradient. Without it all tasks would have the same
    update.) Without a manipulation the first 10 steps are ``present`` either way, since the root of few squares is no
    measure of the next gradient. Default: ``delayed`` for Clippy with AdaGrad (the original), ``present`` otherwise. At
    level ``loss`` the option acts only with ``manipulation: clippy``."""


class RowOptions(BalancerOptions):
    """Levels that balance K rows."""

    heads: Heads | None = None
    """Gradients that a task's own parameters get: those of its loss (``own``) or of its weighted loss (``weighted``).
    Default: the choice of the rule's authors."""


class SearchOptions(RowOptions):
    """Levels that keep their weights from one search to the next."""

    every: Count = 1
    """Search weights at steps 1, n+1, 2n+1, ... and keep them in between."""
    between: Between
    gram_over: Literal["shared", "all"] = "shared"
    """Parameters whose rows enter a search: the shared ones, or the tasks' own as well (PUB's release; NashMTL's code
    on MTAN). A task's row in parameters that it does not reach is zero. So ``all`` makes the rows longer and leaves
    their inner products as they are; ``joint_norm`` and ``match_norm`` then include the tasks' own parameters."""


class LossOptions(JointGradientOptions, ManipulationOptions):
    """Level ``loss``: one backward pass of the weighted sum of losses."""

    level: Literal["loss"]
    """The tasks are balanced by their losses."""
    manipulation: Literal["none", "clippy"] = "none"
    """``clippy``: clip the joint update of every tensor (with equal weights: ClippyAdam)."""


NO_MANIPULATION = {
    "manipulation": "changes updates, and this level combines gradients: use level update (or clippy at level loss)"
}


class RepresentationOptions(RowOptions, JointGradientOptions):
    """Level ``representation``: balance dL_k/dz at z, where tasks fork; one backward pass through the trunk."""

    not_here = NO_MANIPULATION

    level: Literal["representation"]
    """The tasks are balanced by the gradients of the representation that they share."""


class GradientOptions(SearchOptions, JointGradientOptions):
    """Level ``gradient``: balance dL_k/dtheta, the gradients of the shared parameters."""

    not_here = NO_MANIPULATION

    level: Literal["gradient"]
    """The tasks are balanced by the gradients of the parameters that they share."""
    between: Between = "weighted_loss"


class UpdateOptions(SearchOptions, ManipulationOptions):
    """Level ``update``: balance the updates that the optimizer would make for each task alone (PUB, algorithm 1)."""

    not_here = {
        "max_norm": "shortens a joint gradient, but this level combines updates; set their scale with rescale and lr, "
        "or limit them with manipulation: clippy"
    }

    level: Literal["update"]
    """The tasks are balanced by the updates of the parameters that they share."""
    heads: Heads = "own"
    """Gradients that a task's own parameters get: those of its loss (``own``, PUB's choice) or of its weighted loss
    (``weighted``)."""
    between: Between = "task_updates"
    manipulation: Literal["none", "clippy", "adatask"] = "none"
    """Change of each task's update before the updates are combined. ``clippy``: it is clipped (PUB+Clippy).
    ``adatask``: it comes from moments of the task's own (PUB+AdaTask; with equal weights: AdaTask)."""
    first_search: Count = 1
    """Step of the first search, from which ``every`` counts on (PUB's release: 2). Until then all tasks weigh the
    same."""
    rescale: Literal["sum_to_K", "sum_to_1", "match_norm", "none"] = "sum_to_K"
    """Scale of the weights a. ``sum_to_K``, ``sum_to_1``: their sum. ``match_norm``: the joint update is as long as the
    plain sum of the tasks' updates. ``none``: as solved; the joint update of the Nash rule then has norm sqrt(K)
    however many parameters there are, so a network hardly moves. Each task's update is a whole step of the optimizer,
    so with ``sum_to_K`` and ``match_norm`` a step is up to K times as long as the optimizer's on the summed loss;
    ``sum_to_1`` compares at equal length. Signed weights (Aligned-MTL's) may have no positive sum, and a joint update
    may vanish: the weights then stay as solved, and ``unscaled`` is 1 in the diagnostics of that search."""
    moment_weights: Literal["rescaled", "solved", "ones"] | None = None
    """Weights of the task gradients that the moments see. ``rescaled``: those of the step ("the same weights" of PUB's
    section V-A), so that momentum and fresh gradient are on one scale. ``solved``: those before ``rescale``. ``ones``:
    the plain sum of gradients. With ``adatask`` the moments of task k see task k's gradient, weighted likewise.
    Default: ``ones`` for ``adatask``, ``rescaled`` otherwise."""


LEVELS: dict[str, type[BalancerOptions]] = {
    "loss": LossOptions,
    "representation": RepresentationOptions,
    "gradient": GradientOptions,
    "update": UpdateOptions,
}
