"""What messages show of values: their beginning, and no secrets."""

from __future__ import annotations

import time

import pytest

from mtbalance.errors import MOST_QUOTED, MOST_SAID, UserError, masked, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:secret@h:8/a?key=secret#secret", "https://h:8/a?..."),
        ("(see https://h/a?key=secret), then", "(see https://h/a?...), then"),
        ("https://h/a?...: 404", "https://h/a?...: 404"),
        ("API request to http://me:secret@h/api failed", "API request to http://h/api failed"),
        ("postgresql+psycopg2://me:secret@h:5432/db", "postgresql+psycopg2://h:5432/db"),
        ("postgresql://me:se/cret@h/db", "postgresql://h/db"),
        ("postgresql://me:sec#ret@h/db", "postgresql://h/db"),
        ("mysql://h/db?password=secret", "mysql://h/db?..."),
        ("s3://key:secret@bucket/x", "s3://bucket/x"),
        ("https://[::1:80/x?secret", "https://[::1:80/x?..."),
        ("https://h/@user/a@b", "https://h/@user/a@b"),
        ("sqlite:////home/mlflow.db", "sqlite:////home/mlflow.db"),
        ("hf:owner/set@main/a?", "hf:owner/set@main/a?"),
        ("sent Authorization: Bearer secret-x.y hf_secret", "sent Authorization: Bearer ... hf_..."),
    ],
)
def test_a_message_has_no_secret(text: str, shown: str):
    assert masked(text) == str(UserError(text)) == shown
    assert masked(shown) == shown


@pytest.mark.parametrize("value", [None, 3, 0.5, "it's", [0.0, 0.5], {"a": [1, {"b": None}]}, (1, 2), {3}])
def test_a_short_value_is_shown_whole(value: object):
    assert quoted(value) == repr(value)


def test_of_a_long_value_the_beginning_is_shown():
    grown: list[object] = ["x"]
    for _ in range(40):
        grown = [grown] * 9
    began = time.monotonic()
    for value in ("x" * 10**6, list(range(10**6)), grown, {"k" * 999: grown}, 10**5000, b"x" * 10**6):
        assert len(quoted(value)) <= MOST_QUOTED + 3
    assert time.monotonic() - began < 1
    assert quoted("abc" * 999).startswith("'abcabc")


def test_a_line_of_a_message_has_an_end():
    lines = str(UserError("short\n" + "long" * 10_000)).split("\n")
    assert lines[0] == "short" and len(lines[1]) == MOST_SAID + 3
