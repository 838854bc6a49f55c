"""The command that checks one rule against the contract."""

from __future__ import annotations

from typing import Annotated

import typer


def test(
    rule: Annotated[str, typer.Argument(help="A file, or file.py:ClassName if it defines several rules.")],
    option: Annotated[
        list[str] | None, typer.Option(help="An option of the rule as NAME=VALUE; several may be given.")
    ] = None,
) -> None:
    """Check the rule in the file RULE against the contract of all rules; file.py:ClassName names one of several.

    The file may be anywhere. Status 1 if a check fails.
    """
    from rich.console import Console

    from mtbalance.balancing.contract.checks import verdicts
    from mtbalance.balancing.contract.loading import load
    from mtbalance.cli._verdicts import table

    subject = load(rule, option or [])
    found = list(verdicts(subject))
    failed = [verdict.check for verdict in found if verdict.outcome == "fails"]
    console = Console()
    console.print(table(subject, found))
    name = subject.rule.__name__
    if failed:
        console.print(f"{name} fails {len(failed)} of {len(found)} checks: {', '.join(failed)}.", style="red")
        raise typer.Exit(1)
    console.print(f"{name} holds the contract.", style="green")
