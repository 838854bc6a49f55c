"""Reading ``params.yaml``, or parameters as they come from the workflow; all faults are reported together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from mtbalance.config.parameters import Parameters
from mtbalance.config.positions import Positions
from mtbalance.config.references import faults
from mtbalance.errors import UserError, quoted
from mtbalance.faults import fault_lines

MOST_BYTES = 500_000
"""Size of the largest file of parameters. A YAML file of this size takes ten seconds to read."""
MOST_FAULTS = 50
"""Number of faults that a message has, at most."""


class ParametersError(UserError):
    """Parameters that cannot be used. The message has one line per fault, each with the path of its key."""


def parse(raw: Mapping[str, Any], path: Path | None = None) -> Parameters:
    """Check parameters. Raises :class:`ParametersError` with a line for each fault, which names the key.

    ``path`` is the file that they come from: faults then begin with the file and its line, and keys that stand in it
    twice are refused. Parameters that differ from the file, since the command line changed them, are checked alone.
    """
    content, positions = (None, None) if path is None else _read(path)
    return _parsed(raw, positions if content == raw else None)


def _parsed(raw: Mapping[str, Any], positions: Positions | None) -> Parameters:
    twice = list(positions.twice()) if positions else []
    parameters, wrong = _checked(raw)
    if parameters is None or twice or wrong:
        said = [*twice, *wrong]
        raise ParametersError(_first(positions.located(said) if positions else said))
    return parameters


def _first(faults: Sequence[str]) -> str:
    """The first faults, a line each."""
    more = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
    return "\n".join([*faults[:MOST_FAULTS], *more])


def _checked(raw: Mapping[str, Any]) -> tuple[Parameters | None, list[str]]:
    """The parameters, and a line for each of their faults; None if a block cannot be made at all."""
    try:
        parameters = Parameters.model_validate(dict(raw))
    except ValidationError as error:
        return None, list(fault_lines(error, raw))
    return parameters, faults(parameters)


def read_parameters(path: Path) -> Parameters:
    """Read and check a ``params.yaml``. Raises :class:`ParametersError` as :func:`parse` does."""
    return _parsed(*_read(path))


def _read(path: Path) -> tuple[dict[str, Any], Positions]:
    """The content of a YAML file, and the positions of its keys."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ParametersError(f"{path} has more than {MOST_BYTES:,} bytes: that is no file of parameters")
        positions = Positions(path, path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParametersError(f"{path} is not here: run this in the project's folder, or name one: --params") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        said = ", ".join(filter(None, (error.context, error.problem)))
        raise ParametersError(f"{path}:{line}: cannot be read as YAML: {said}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParametersError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ParametersError(f"{path} cannot be read as YAML: its brackets are nested too deeply") from None
    if not isinstance(positions.content, dict):
        raise ParametersError(f"{path} holds no keys; it should begin with `preset:`")
    return positions.content, positions


def refuse_unreadable(path: Path) -> None:
    """Raise :class:`ParametersError` for a file that is no YAML, which Snakemake would answer with a traceback."""
    _read(path)


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
        raise ParametersError(_first([*fault_lines(error, raw)])) from None


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ParametersError(f"this is not JSON ({error}): {quoted(text)}") from None
    except (ValueError, RecursionError) as error:
        raise ParametersError(f"this JSON cannot be read ({error}): {quoted(text)}") from None
