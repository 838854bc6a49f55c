"""Described: the base of blocks and records whose fields have a sentence in the docstring below them. Free of torch.

Pydantic can read these docstrings, too (``use_attribute_docstrings``). But it does so when a class is made, and that
takes two thirds of the time in which a command imports this package. Here they are read when somebody asks for them.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Described(BaseModel):
    """A model whose JSON schema has the sentences of its fields."""

    @classmethod
    def sentences(cls) -> dict[str, str]:
        """The sentences of the fields by their names, inherited ones too; a field without one is left out."""
        found: dict[str, str] = {}
        for base in reversed(cls.__mro__):
            found |= dict(_below_fields(base)) if Described in base.__mro__[1:] else {}
        told = {name: field.description for name, field in cls.model_fields.items()}
        return {name: text for name in told if (text := told[name] or found.get(name))}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in cls.sentences().items():
            properties.get(name, {}).setdefault("description", text)
        return schema


def _below_fields(base: type) -> Iterator[tuple[str, str]]:
    """Names and docstrings of the fields that a class itself declares. One that was made of others has no source."""
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
    except (OSError, TypeError):
        return
    assert isinstance(tree, ast.ClassDef)
    for pair in pairwise(tree.body):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
