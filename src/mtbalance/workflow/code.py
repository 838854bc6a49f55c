"""Code: the source files that jobs depend on, and the printed numbers."""

from __future__ import annotations

from mtbalance import sources
from mtbalance.registry import PACKAGE
from mtbalance.studies.toy_methods import METHODS as TOY_METHODS


def reporting_sources(module: str) -> list[str]:
    """Source files that a module of ``mtbalance.reporting`` depends on, itself included."""
    return closure_of(f"reporting.{module}")


def page_sources() -> list[str]:
    """Source files that the page depends on, its template included."""
    return [*reporting_sources("page"), *sources.relative(sorted(sources.folder("reporting").glob("page/*.jinja")))]


def toy_sources(method: str) -> list[str]:
    """Source files that a method's trajectories on the toy problem depend on."""
    balancer = TOY_METHODS[method]
    parts = [f"balancing.levels.{balancer['level']}", f"balancing.rules.{balancer['rule']}"]
    return closure_of("studies.toy_trajectory", *parts, "balancing.optimizers.adam")


def landscape_sources() -> list[str]:
    """Source files that the toy problem's landscape depends on."""
    return closure_of("studies.toy_landscape")


def printed_numbers() -> list[str]:
    """Files of the numbers printed in papers."""
    return sources.relative(sorted(sources.folder("reporting").glob("published/*.csv")))


def closure_of(*modules: str) -> list[str]:
    """Source files that modules of the package depend on, themselves included."""
    prefix = f"{PACKAGE}."
    return sources.relative(sources.closure(prefix + module.removeprefix(prefix) for module in modules))
