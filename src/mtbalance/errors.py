"""UserError: the base of all errors that a user can fix; how a message shows a value; what damaged files raise."""

from __future__ import annotations

import lzma
import re
import struct
import zipfile
import zlib
from reprlib import Repr
from typing import Any

DAMAGED = (
    *(OSError, EOFError, MemoryError, OverflowError, RuntimeError, TypeError, ValueError),
    *(struct.error, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What libraries raise that read a damaged file. ``RuntimeError``: a zip has a password, or an unknown compression."""
MOST_QUOTED = 200
"""Characters of a value that a message shows."""
MOST_SAID = 4_000
"""Characters of a line of a message."""

ADDRESS = re.compile(r"\b[A-Za-z][\w+.-]*://[^\s\"'<>]+(?<![).,:;])")
"""An address in a text."""
TOKEN = re.compile(r"\b(hf_|Bearer |Basic )[\w+/=.~-]+")

_BEGINNING = Repr()
_BEGINNING.maxlevel = 4
_BEGINNING.maxlist = _BEGINNING.maxtuple = _BEGINNING.maxset = _BEGINNING.maxdict = 20
_BEGINNING.maxstring = _BEGINNING.maxother = _BEGINNING.maxlong = MOST_QUOTED


class UserError(ValueError):
    """Wrong input of any kind. The message names the file, the key or the row, and says what to do.

    The command line prints it without a traceback; any other exception is a fault of this package and keeps its own.
    """

    def __str__(self) -> str:
        return "\n".join(shortened(masked(line), MOST_SAID) for line in super().__str__().split("\n"))


def quoted(value: Any) -> str:
    """A value as a message shows it: the beginning of it, if it is long."""
    try:
        return shortened(_BEGINNING.repr(value))
    except ValueError:  # an integer of more digits than Python prints
        return f"a number of more than {MOST_QUOTED} digits"


def shortened(text: str, most: int = MOST_QUOTED) -> str:
    """A text, or the beginning of it if it has more than ``most`` characters."""
    return text if len(text) <= most else f"{text[:most]}..."


def masked(text: str) -> str:
    """A text without the secrets that addresses in it can hold, and without tokens."""
    return TOKEN.sub(r"\1...", ADDRESS.sub(lambda found: without_secrets(found[0]), text))


def without_secrets(address: str) -> str:
    """An address without user, password, query and fragment, any of which can be secret."""
    scheme, sign, rest = address.partition("://")
    place = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in place:
        rest = rest[place.rindex("@") + 1 :]
    elif not scheme.startswith("http") or not re.fullmatch(r"[^:]*(:\d*)?|\[.*", place):  # a password with a / or a #
        rest = rest.rpartition("@")[2]
    path, asked, query = rest.partition("#")[0].partition("?")
    return f"{scheme}{sign}{path}{asked}{'...' if query else ''}"
