"""Checks of how a rule is written: how it is made and described, its options, and the levels that it names."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from typing import Any

import pydantic

from mtbalance.balancing.contract.verdicts import Broken, Subject
from mtbalance.balancing.rules import GramRule, LossRule, RowRule, Rule
from mtbalance.registry import available, read_declaration

TASKS = (1, 2, 3, 8)
SEEN = {"the losses": LossRule, "the Gram matrix": GramRule, "the rows": RowRule}
WITHOUT = "import runpy, sys; sys.modules.update(torch=None, cvxpy=None); runpy.run_path(sys.argv[1])"
"""A program that runs a file where torch and CVXPY cannot be imported."""


def made(subject: Subject) -> str:
    """The rule can be made for any number of tasks, and refuses none."""
    kinds = [what for what, base in SEEN.items() if issubclass(subject.rule, base)]
    if not kinds:
        raise Broken(f"{subject.rule.__name__} is no LossRule, GramRule or RowRule", "Take one of them as its base.")
    for tasks in TASKS:
        if (found := subject.new(tasks).tasks) != tasks:
            raise Broken(f"for {tasks} tasks, self.tasks is {found}", "Call super().__init__(tasks).")
    try:
        subject.new(0)
    except ValueError:
        return f"for {', '.join(map(str, TASKS))} tasks; it sees {' or '.join(kinds)}"
    raise Broken("a rule of 0 tasks can be made", "Call super().__init__(tasks) first: it refuses them.")


def documented(subject: Subject) -> str:
    """The class says what it computes, and where that comes from."""
    text = inspect.cleandoc(vars(subject.rule).get("__doc__") or "")
    if not text:
        raise Broken(f"class {subject.rule.__name__} has no docstring")
    source = re.search(r"\bSources?: *(\S[^\n]*)", text)
    if not source:
        raise Broken(f"the docstring of {subject.rule.__name__} has no `Source:`; it begins: {text.splitlines()[0]}")
    return f"{text.splitlines()[0]} Source: {source[1]}"


def options(subject: Subject) -> str:
    """Every option is a keyword-only argument with a type, a sentence, and a plain default of that type."""
    loose = [
        parameter.name
        for parameter in list(inspect.signature(subject.rule).parameters.values())
        if parameter.kind != parameter.KEYWORD_ONLY and parameter.name != "tasks"
    ]
    declared = read_declaration(subject.file, subject.rule.__name__).options
    faults = [fault for name, (kind, default) in declared.items() if (fault := _fault(name, kind, default))]
    faults = [f"{name} is not keyword-only" for name in loose] + faults
    if faults:
        raise Broken("; ".join(faults))
    listed = ", ".join(f"{name}={default!r}" for name, (_, default) in declared.items())
    return listed or "it has no options of its own"


def _fault(name: str, kind: Any, default: Any) -> str:
    if not any(isinstance(part, str) and part.strip() for part in getattr(kind, "__metadata__", ())):
        return f"{name} has no sentence"
    if default is ...:
        return f"{name} has no default"
    try:
        pydantic.TypeAdapter(kind).validate_python(default)
    except pydantic.ValidationError as error:
        return f"{name}: its own default {default!r} is refused ({error.errors()[0]['msg']})"
    return ""


def levels(subject: Subject) -> str:
    """The levels that it claims exist, and give it what it sees; the class's other facts can be true."""
    rule, known = subject.rule, available("mtbalance.balancing.levels")
    unknown = [level for level in rule.levels if level not in known]
    if unknown or not rule.levels:
        raise Broken(f"levels is {rule.levels}; there are {', '.join(known)}", "Name levels that exist, at least one.")
    given = {level for base in SEEN.values() if issubclass(rule, base) for level in base.levels}
    if wrong := sorted(set(rule.levels) - given):
        raise Broken(
            f"it claims level {', '.join(wrong)}, which does not give it what it sees",
            f"Claim only {', '.join(sorted(given))}: a LossRule sees losses, the others rows.",
        )
    if rule.heads not in ("own", "weighted"):
        raise Broken(f"heads is {rule.heads!r}", "It must be 'own' or 'weighted'.")
    if rule.looks_again and rule.observe is Rule.observe:
        raise Broken("looks_again is True, but there is no method observe", "Write observe, or leave looks_again out.")
    return f"{', '.join(rule.levels)}; heads: {rule.heads}"


def light(subject: Subject) -> str:
    """The file can be imported without torch and CVXPY, so that options are checked without waiting for them."""
    done = subprocess.run([sys.executable, "-c", WITHOUT, str(subject.file)], capture_output=True, text=True)
    if done.returncode == 0:
        return "the file needs neither torch nor CVXPY to be imported"
    lines = re.findall(rf'File "{re.escape(str(subject.file))}", line (\d+).*\n\s+(.*)', done.stderr)
    place = f" at line {lines[-1][0]}, `{lines[-1][1]}`" if lines else ""
    raise Broken(f"without torch and CVXPY the file cannot be imported{place}: {done.stderr.strip().splitlines()[-1]}")
