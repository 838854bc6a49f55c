"""A check of the contract, and its verdict on one rule."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mtbalance.balancing.rules import Rule


class Broken(Exception):
    """A rule does not hold what a check asks for."""

    def __init__(self, found: str, advice: str = "") -> None:
        super().__init__(found)
        self.found, self.advice = found, advice


class NotAsked(Exception):
    """A check does not apply to the rule; the message says why."""


@dataclass(frozen=True)
class Subject:
    """The rule that is checked."""

    rule: type[Rule]
    file: Path
    """The file that defines it, resolved."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Its options, where they are not the defaults."""

    def new(self, tasks: int, seed: int = 0) -> Rule:
        """A fresh rule for that many tasks."""
        made = self.rule(tasks, **self.options)
        made.seed(seed)
        return made


@dataclass(frozen=True)
class Check:
    """One point of the contract."""

    name: str
    advice: str
    """What to do if it fails, unless the failure itself says more."""
    run: Callable[[Subject], str]
    """Says in a few words what was seen. Raises :class:`Broken` or :class:`NotAsked`; any other exception fails."""
    after: tuple[str, ...] = ()
    """Checks that must hold before this one is made: it would only repeat what they found."""


@dataclass(frozen=True)
class Verdict:
    """What a check came to."""

    check: str
    outcome: Literal["holds", "fails", "not asked"]
    found: str
    """What was seen; where it fails, what went in and what came out."""
    advice: str = ""
    """What to do; empty unless it fails."""


def judge(check: Check, subject: Subject) -> Verdict:
    """The verdict of a check. Whatever the rule raises becomes part of it, and a ``RuntimeWarning`` as if raised."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            return Verdict(check.name, "holds", check.run(subject))
    except NotAsked as reason:
        return Verdict(check.name, "not asked", str(reason))
    except Broken as broken:
        return Verdict(check.name, "fails", broken.found, broken.advice or check.advice)
    except Exception as error:  # noqa: BLE001  a rule of somebody else may raise anything
        return Verdict(check.name, "fails", told(error, subject.file), check.advice)


def told(error: BaseException, file: Path) -> str:
    """An exception in one line, with the last line of ``file`` that it came through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    place = f" at line {frames[-1].lineno}, `{frames[-1].line}`" if frames else ""
    return f"{type(error).__name__}{place}: {error}"
