"""Name: what a data set, an experiment, a preset, a balancer or a backbone may be called.

Names become parts of paths, of commands and of Snakemake's patterns, so none may mean anything there.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*\.?")
RULE = "a name of letters, digits, _, - and single points is wanted, which begins with a letter or a digit"


def checked_name(name: str) -> str:
    """The name. Raises ``ValueError`` if it has another form."""
    if not FORM.fullmatch(name):
        raise ValueError(RULE)
    return name


Name = Annotated[str, AfterValidator(checked_name), WithJsonSchema({"type": "string", "pattern": f"^{FORM.pattern}$"})]
