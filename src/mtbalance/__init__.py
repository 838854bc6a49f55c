"""mtbalance: balance the training of one model on several tasks."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["Balancer"]


def __getattr__(name: str) -> Any:
    """Import ``mtbalance.Balancer`` when it is asked for, so that the workflow does not wait for torch."""
    if name == "Balancer":
        return import_module("mtbalance.balancing.balancer").Balancer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
