"""A kept model: weights as a safetensors file, which says what run they are of, and the data's schema beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from mtbalance.config.reading import checked
from mtbalance.config.run import RunConfig, canonical
from mtbalance.errors import UserError
from mtbalance.places import schema_beside
from mtbalance.writing import replacing, write_text

KEY = "mtbalance"
"""The one entry of the file's metadata: JSON with the run's configuration and the schema's checksum."""


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
    from safetensors.torch import save_file

    write_text(schema_beside(path), schema)
    facts = {"config": json.loads(canonical(config)), "schema_sha256": _sha256(schema)}
    tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    with replacing(path) as partial:
        save_file(tensors, partial, {KEY: json.dumps(facts, sort_keys=True)})


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
        raise UserError(f"{path} cannot be read as safetensors ({error}); train the run again") from None
    if said is None:
        raise UserError(f"{path} is no model that a run of mtbalance kept: its metadata have no entry {KEY!r}")
    if not weights:
        raise UserError(f"{path} has no weights: its run diverged; take another seed or another method")
    facts = json.loads(said)
    if _sha256(schema.read_text(encoding="utf-8")) != facts["schema_sha256"]:
        raise UserError(f"{schema} is not the schema that {path.name} was trained with; copy both files of one run")
    return KeptModel(checked(RunConfig, json.dumps(facts["config"])), schema, weights)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
