"""A kept model: weights as a safetensors file, which says what run they are of, and the data's schema beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mtbalance.canonical import canonical_json
from mtbalance.config.reading import checked
from mtbalance.config.run import RunConfig, canonical
from mtbalance.errors import UserError
from mtbalance.faults import briefly
from mtbalance.places import schema_beside
from mtbalance.writing import replacing, write_text

KEY = "mtbalance"
"""The one entry of the file's metadata: JSON with the run's configuration, the schema's checksum, and its own."""
CHECKSUM = "checksum"
"""The key of the metadata that has the checksum of all the rest and of the weights."""


class KeptModel(NamedTuple):
    """What was kept of a run."""

    config: RunConfig
    schema: Path
    """The schema file, as in the folder of the prepared data."""
    weights: dict[str, Tensor]
    """Parameters and buffers, by their names in the backbone."""


def keep_model(path: Path, config: RunConfig, schema: str, weights: Mapping[str, Tensor]) -> None:
    """Write ``weights`` to ``path``, and the text of the data's schema beside it; each whole or not at all.

    A run that diverged has no weights: its file is empty but for the metadata.
    """
    from safetensors.torch import save

    tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    facts = {"config": json.loads(canonical(config)), "schema_sha256": _sha256(schema)}
    facts[CHECKSUM] = _checksum(facts, tensors)
    write_text(schema_beside(path), schema)
    with replacing(path) as partial:
        partial.write_bytes(save(tensors, {KEY: json.dumps(facts, sort_keys=True)}))


def read_model(path: Path) -> KeptModel:
    """Read a kept model.

    Raises :class:`~mtbalance.errors.UserError` for a file that is absent, that is none, that a diverged run left, or
    that lies beside another model's schema.
    """
    from safetensors import SafetensorError, safe_open

    schema = schema_beside(path)
    for file in (path, schema):
        if not file.is_file():
            raise UserError(f"{file} is missing: a kept model is {path.name} and, beside it, {schema.name}")
    try:
        with safe_open(path, "pt") as stored:
            said = (stored.metadata() or {}).get(KEY)
            weights = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  not a mapping
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} cannot be read as safetensors ({briefly(error)}); train the run again") from None
    if said is None:
        raise UserError(f"{path} is no model that a run of mtbalance kept: its metadata have no entry {KEY!r}")
    if not weights:
        raise UserError(f"{path} has no weights: its run diverged; take another seed or another method")
    try:
        facts = json.loads(said)
        checksum = facts.pop(CHECKSUM, None)  # older models have none
        config, of_schema = json.dumps(facts["config"]), facts["schema_sha256"]
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise UserError(f"{path} has damaged metadata ({error!r}); train the run again") from None
    if checksum not in (None, _checksum(facts, weights)):
        raise UserError(f"{path} is not as it was written: its checksum is of other content; train the run again")
    if hashlib.sha256(schema.read_bytes()).hexdigest() != of_schema:
        raise UserError(f"{schema} is not the schema that {path.name} was trained with; copy both files of one run")
    return KeptModel(checked(RunConfig, config), schema, weights)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(facts: Mapping[str, Any], weights: Mapping[str, Tensor]) -> str:
    """SHA-256 of the metadata, and of the weights' names, types, shapes and values."""
    digest = hashlib.sha256(canonical_json(facts).encode())
    for name, value in sorted(weights.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
