"""Reading ``params.yaml``, or parameters as they come from the workflow; all faults are reported together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from mtbalance.config.parameters import Parameters
from mtbalance.config.references import faults
from mtbalance.errors import UserError
from mtbalance.faults import fault_lines


class ParametersError(UserError):
    """Parameters that cannot be used. The message has one line per fault, each with the path of its key."""


def parse(raw: Mapping[str, Any]) -> Parameters:
    """Check parameters. Raises :class:`ParametersError` that names every faulty key."""
    try:
        parameters = Parameters.model_validate(dict(raw))
    except ValidationError as error:
        raise ParametersError("\n".join(fault_lines(error, raw))) from None
    if found := faults(parameters):
        raise ParametersError("\n".join(found))
    return parameters


def read_parameters(path: Path) -> Parameters:
    """Read and check a ``params.yaml``. Raises :class:`ParametersError` as :func:`parse` does."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParametersError(f"{path} is not here: run this in the project's folder, or name one: --params") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParametersError(f"{path} cannot be read as YAML: {error}") from None
    if not isinstance(raw, dict):
        raise ParametersError(f"{path} holds no keys; it should begin with `preset:`")
    return parse(raw)


def parse_json(text: str) -> Parameters:
    """Check parameters that come as JSON. Raises :class:`ParametersError` as :func:`parse` does."""
    return parse(_from_json(text))


def checked(kind: Any, text: str) -> Any:
    """A part of the configuration that comes as JSON: an object of type ``kind``.

    Raises :class:`ParametersError` that names every faulty key.
    """
    raw = _from_json(text)
    try:
        return TypeAdapter(kind).validate_python(raw)
    except ValidationError as error:
        raise ParametersError("\n".join(fault_lines(error, raw))) from None


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ParametersError(f"this is not JSON ({error}): {text}") from None
