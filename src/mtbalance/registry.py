"""Names to classes: a folder is a registry, a file is an entry.

``rules/min_norm.py`` holds the class ``MinNorm`` and is called ``min_norm`` in ``params.yaml``. Nothing is listed
anywhere, so adding a file changes no other file, and a run depends on the files it uses and no others.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from mtbalance.errors import UserError


def available(package: str) -> list[str]:
    """Names of the entries of a package, such as ``mtbalance.rules``."""
    return sorted(module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__))


def load(package: str, name: str) -> type:
    """The class of entry ``name``. Raises ``UserError`` if there is none."""
    return getattr(module(package, name), class_name(name))


def module(package: str, name: str) -> ModuleType:
    """The module of entry ``name``. Raises ``UserError`` if there is none."""
    if name not in (known := available(package)):
        raise UserError(f"{package.removeprefix('mtbalance.')}: no {name!r}; there are {', '.join(known)}")
    return importlib.import_module(f"{package}.{name}")


def class_name(name: str) -> str:
    """``min_norm`` -> ``MinNorm``."""
    return "".join(word.capitalize() for word in name.split("_"))
