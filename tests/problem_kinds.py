"""Which backbones solve which kind of problem, read off their schemas."""

from typing import get_args

from mtbalance import config


def kinds(problem: str) -> list[str]:
    """The kinds of backbone for ``ranking`` or ``scenes``."""
    union, _ = get_args(config.Backbone)
    schemas = [schema for schema in get_args(union) if schema.problem == problem]
    return [get_args(schema.model_fields["kind"].annotation)[0] for schema in schemas]
