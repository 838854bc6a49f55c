"""A file whose bytes are not those of its checksum is refused, and is not read again as long as it stays."""

import os
import random

import pytest

from mtbalance.data import DataError
from mtbalance.data.files import verified as module
from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.files.verified import verified


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "train.parquet"
    path.write_bytes(random.Random(0).randbytes(5000))
    return path


@pytest.fixture
def readings(monkeypatch):
    read = []
    monkeypatch.setattr(module, "sha256_of", lambda path: read.append(path) or sha256_of(path))
    return read


def test_every_flipped_bit_is_found(file):
    checksum, content = sha256_of(file), file.read_bytes()
    verified(file, checksum)
    for place in range(0, len(content), 250):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        file.write_bytes(flipped)
        with pytest.raises(DataError, match=r"train\.parquet has SHA-256 .* it was changed or damaged"):
            verified(file, checksum)
    file.write_bytes(content)
    assert verified(file, checksum) == file


def test_a_file_is_read_once_and_again_when_it_changes(file, readings):
    checksum = sha256_of(file)
    for _ in range(3):
        verified(file, checksum)
    assert len(readings) == 1
    os.utime(file, ns=(0, 0))
    verified(file, checksum)
    assert len(readings) == 2
    file.write_bytes(file.read_bytes())
    verified(file, checksum)
    assert len(readings) == 3


def test_a_change_that_hides_its_time_is_found(file):
    """As a program makes it that copies into a file and sets its times."""
    checksum, facts = sha256_of(file), file.stat()
    verified(file, checksum)
    with file.open("rb+") as stream:
        stream.write(b"other")
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    with pytest.raises(DataError, match="it was changed or damaged"):
        verified(file, checksum)


def test_another_checksum_or_a_damaged_side_file_asks_for_a_reading(file, readings):
    checksum = sha256_of(file)
    verified(file, checksum)
    with pytest.raises(DataError):
        verified(file, "0" * 64)
    (file.parent / ".train.parquet.verified").write_text("{")
    verified(file, checksum)
    assert len(readings) == 3


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DataError, match=r"test\.parquet cannot be read"):
        verified(tmp_path / "test.parquet", "0" * 64)
