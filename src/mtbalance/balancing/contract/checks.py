"""The contract: all checks, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Iterator

from mtbalance.balancing.contract import form, memory, numbers
from mtbalance.balancing.contract.numbers import finite_on as on
from mtbalance.balancing.contract.training import training
from mtbalance.balancing.contract.verdicts import Check, Subject, Verdict, judge

GUARD = "Guard the division, root or logarithm that fails there: such rows occur in every training."
MADE = ("constructor",)
STEPS = (*MADE, "ordinary rows")
REPEATS = (*STEPS, "seed")
CHECKS = (
    Check("constructor", "Give every option a default, and implement all methods of the base.", form.made),
    Check("docstring", "Begin with the formula. Then write `Source: ` with paper and equation.", form.documented),
    Check(
        "options",
        "Declare each as in `power: Annotated[NonNegative, 'Power of the norm.'] = 1.0`, after `*,`.",
        form.options,
    ),
    Check("levels", "Correct the class attributes.", form.levels),
    Check("light import", "Move the import into the method that needs it, or under TYPE_CHECKING.", form.light),
    Check("ordinary rows", "Correct the method: nothing is hard about these rows.", on("ordinary rows"), MADE),
    Check("seed", "Draw from self.generator alone.", memory.seeds, STEPS),
    Check("one task", "A task alone should get a finite weight.", on("one task"), STEPS),
    Check("zero rows", f"{GUARD} A task at its optimum has a zero row.", on("zero rows"), STEPS),
    Check("opposed rows", f"{GUARD} The sum of opposed rows is zero.", on("opposed rows"), STEPS),
    Check("dependent rows", f"{GUARD} The Gram matrix has no inverse.", on("dependent rows"), STEPS),
    Check(
        "scales",
        "Compare a number with the size of its like, not with 1e-8. Subtract the largest before exp().",
        numbers.scales,
        STEPS,
    ),
    Check("shapes", "Do not depend on the shapes of the tensors; take numbers of any shape.", numbers.shapes, STEPS),
    Check(
        "permutation",
        "Treat all tasks alike. If a task's place has a meaning, set symmetric = False in the class.",
        numbers.permutation,
        REPEATS,
    ),
    Check(
        "precision", "Compute sums and roots in float32 at least; return the rows' type.", numbers.precision, REPEATS
    ),
    Check(
        "inputs",
        "Work on copies, such as `gram = gram.copy()` or `row = row.clone()`.",
        numbers.inputs,
        REPEATS,
    ),
    Check("resume", "Let state_dict() give all that a step depends on.", memory.resume, REPEATS),
    Check("saved state", "Let state_dict() give copies: lists, or tensors that stay.", memory.snapshot, REPEATS),
    Check("training", "Correct what failed above first.", training, (*REPEATS, "levels")),
)
"""Every check of the contract."""


def verdicts(subject: Subject) -> Iterator[Verdict]:
    """The verdict of each check."""
    failed: set[str] = set()
    for check in CHECKS:
        before = [name for name in check.after if name in failed]
        verdict = Verdict(check.name, "not asked", f"first: {before[0]}") if before else judge(check, subject)
        if verdict.outcome == "fails":
            failed.add(check.name)
        yield verdict
