"""What can happen to a file: to its bytes, whatever they mean, and to the cells of a table in text."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Mapping

Injury = Callable[[bytes, random.Random], bytes]


def flipped(content: bytes, draw: random.Random) -> bytes:
    """One bit is another."""
    return _at(content, place := draw.randrange(len(content)), bytes([content[place] ^ 1 << draw.randrange(8)]))


def flipped_at_an_end(content: bytes, draw: random.Random) -> bytes:
    """One bit of the first or last hundred bytes is another: most formats have their heads there."""
    near = draw.randrange(min(100, len(content)))
    place = draw.choice([near, len(content) - 1 - near])
    return _at(content, place, bytes([content[place] ^ 1 << draw.randrange(8)]))


def cut(content: bytes, draw: random.Random) -> bytes:
    """The end is missing."""
    return content[: draw.randrange(len(content))]


def cut_a_little(content: bytes, draw: random.Random) -> bytes:
    """A few bytes at the end are missing."""
    return content[: -draw.randint(1, min(16, len(content)))]


def headless(content: bytes, draw: random.Random) -> bytes:
    """The beginning is missing."""
    return content[draw.randint(1, len(content) - 1) :]


def zeros(content: bytes, draw: random.Random) -> bytes:
    """A block is zeros, as after a power failure."""
    return _at(content, draw.randrange(len(content)), bytes(draw.choice([1, 64, 512, 4096])))


def all_zeros(content: bytes, draw: random.Random) -> bytes:
    """Everything is zeros."""
    return bytes(len(content))


def noise(content: bytes, draw: random.Random) -> bytes:
    """A block is noise."""
    return _at(content, draw.randrange(len(content)), draw.randbytes(draw.choice([4, 64, 1024])))


def moved(content: bytes, draw: random.Random) -> bytes:
    """Two blocks have changed places."""
    size = max(1, min(512, len(content) // 3))
    one, other = sorted(draw.sample(range(len(content) - size + 1), 2)) if len(content) > size else (0, 0)
    other = max(other, min(one + size, len(content) - size))
    first, second = content[one : one + size], content[other : other + size]
    return _at(_at(content, one, second), other, first)


def doubled(content: bytes, draw: random.Random) -> bytes:
    """A block is there twice."""
    place = draw.randrange(len(content))
    return content[:place] + content[max(0, place - 300) : place] + content[place:]


def longer(content: bytes, draw: random.Random) -> bytes:
    """More comes after the end."""
    return content + draw.choice([b"\0" * 512, b"\n", draw.randbytes(100), content[: draw.randint(1, 100)]])


def emptied(content: bytes, draw: random.Random) -> bytes:
    """Nothing is left."""
    return b""


def huge_number(content: bytes, draw: random.Random) -> bytes:
    """Eight bytes are the largest number: a length, perhaps."""
    number = draw.choice([2**31 - 1, 2**32 - 1, 2**62, 2**64 - 1])
    return _at(content, draw.randrange(len(content)), struct.pack("<Q", number))


BYTES: Mapping[str, Injury] = {
    each.__name__.replace("_", " "): each
    for each in (
        *(flipped, flipped_at_an_end, cut, cut_a_little, headless, zeros, all_zeros),
        *(noise, moved, doubled, longer, emptied, huge_number),
    )
}
"""Injuries of any file, by name."""

CELLS: tuple[bytes, ...] = (
    *(b"", b'"', b'""', b"'", b" ", b"\t", b"\0", b"\r", b"\n\n", b",", b",,,", b"\xff\xfe", b"\xed\xa0\x80"),
    *(b"nan", b"-nan", b"inf", b"1e999", b"-1e999", b"1e-999", b"0x10", b"1_000", b"1,5", b"-1", b"-0", b"+1"),
    *(b"9" * 400, b"1." + b"0" * 400, b"9007199254740993", b"2147483648", b"4294967296", b"0.5", b"1e3"),
    *("\u0661".encode(), "\u2212\u0031".encode(), "\ufeff".encode(), "\u202e1".encode(), "\U0001f600".encode()),
    *(b"=cmd|' /C calc'!A0", b"$(touch made)", b"../../made", b"null", b"None", b"true", b"#", b"x" * 10**6),
    *(b'a"b', b'"a', b'a"', b'"\n"', b'"1"', b"1;2", b"\\", b"\x1a", b"\x0c", b"\xc2\xa01"),
)
"""Cells that nobody expects in a table of numbers."""


def hostile(content: bytes, draw: random.Random) -> bytes:
    """A cell of a table in text is one that nobody expects."""
    lines = content.split(b"\n")
    row = draw.choice([0, 1, draw.randrange(len(lines)), max(0, len(lines) - 2)])
    cells = lines[row].split(b",")
    cells[draw.choice([0, -1, draw.randrange(len(cells))])] = draw.choice(CELLS)
    lines[row] = b",".join(cells)
    return b"\n".join(lines)


def lines_moved(content: bytes, draw: random.Random) -> bytes:
    """Lines of a table in text are missing, doubled, empty, cut, joined, or end in another way."""
    lines = content.split(b"\n")
    row = draw.randrange(len(lines))
    change = draw.randrange(8)
    if change == 0:
        lines.pop(row)
    elif change == 1:
        lines.insert(row, lines[0])
    elif change == 2:
        lines.insert(row, b"")
    elif change == 3:
        lines[row] = lines[row][: len(lines[row]) // 2]
    elif change == 4 and row:
        lines[row - 1 : row + 1] = [lines[row - 1] + lines[row]]
    elif change == 5:
        return content.replace(b"\n", b"\r\n")
    elif change == 6:
        return content.replace(b"\n", b"\r")
    else:
        return content.decode("latin-1").encode("utf-16")
    return b"\n".join(lines)


TEXT: Mapping[str, Injury] = {"hostile cell": hostile, "lines moved": lines_moved}
"""Injuries of a table in text."""


def _at(content: bytes, place: int, new: bytes) -> bytes:
    """The content with other bytes at a place, of the same length."""
    return (content[:place] + new + content[place + len(new) :])[: len(content)]
