"""What is not the file: answers that refuse it, pages in its place, connections that fail. Each is said in one line."""

from __future__ import annotations

import contextlib
import html
import http
import json
import re
from collections.abc import Mapping

import requests
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from mtbalance.data import DataError
from mtbalance.errors import masked

PAGE_BYTES = 2**16
"""As much of a page as is read to recognize it."""
NO_FILE_BEGINS_WITH = re.compile(
    rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body|script|meta|title|error|\?xml)\b", re.IGNORECASE
)
PAGES = ("html", "htm", "xml", "svg")
"""Endings of files that may begin like a page."""
QUOTA = re.compile(r"too many users have viewed|quota exceeded|download quota", re.IGNORECASE)
LOGIN = re.compile(r"type=[\"']?password|<title[^>]*>[^<]*\b(log|sign)[ -]?in\b|you need access", re.IGNORECASE)
TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


class Refused(DataError):
    """An address does not give the file, and would not if it were asked again at once."""


class Interrupted(DataError):
    """A fault that may pass: the address is worth another try, ``after`` seconds if the server says so."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


def refuse_status(status: int, headers: Mapping[str, str], body: bytes, access: str, patience_s: float) -> None:
    """Raise :class:`Refused` or :class:`Interrupted` for an answer that is not 200 or 206.

    ``access`` says what to do if the server wants to know who asks. ``patience_s`` is the longest wait in seconds.
    """
    if status in (200, 206):
        return
    name = f"{status} {http.HTTPStatus(status).phrase}" if status in set(http.HTTPStatus) else str(status)
    reason = _error_in(body) or cleaned(headers.get("X-Error-Message") or "")
    said = f"{name} ({reason})" if reason else name
    if status in (401, 403, 407):
        raise Refused(f"{said}: {_quota(body) or access}")
    if status in (404, 410):
        raise Refused(f"{said}: no such file; is the address right?")
    if status == 416:
        raise Interrupted(f"{said}: the part that is here is no part of the file")
    if status == 429 or status >= 500:
        after = _retry_after(headers)
        if after is not None and after > patience_s:
            raise Refused(f"{said}: the server asks to wait {_duration(after)}; run it again then")
        raise Interrupted(f"{said}: the server is busy or has a fault; try again later", after)
    raise Refused(said)


def is_page(content_type: str, begin: bytes, name: str) -> bool:
    """True if a body is a page or an error message, to judge by its type and its first bytes, and no file ``name``."""
    kind = content_type.partition(";")[0].strip().lower()
    page = kind == "text/html" or NO_FILE_BEGINS_WITH.match(begin) is not None
    message = kind == "application/json" or _error_in(begin) is not None
    ending = name.rpartition(".")[2].lower()
    return (page and ending not in PAGES) or (message and not ending.startswith("json"))


def refuse_page(body: bytes, access: str) -> None:
    """Raise :class:`Refused` that says which page came in place of the file."""
    if error := _error_in(body):
        raise Refused(f"the server sent an error message, not a file: {error}")
    text = body.decode("utf-8", "replace")
    if quota := _quota(body):
        raise Refused(quota)
    if LOGIN.search(text):
        raise Refused(f"the server sent a login page, not a file: {access}")
    title = TITLE.search(text)
    which = f" ({cleaned(html.unescape(title[1]))!r})" if title else ""
    raise Refused(f"the server sent an HTML page{which}, not a file (does it want a login?); open it in a browser")


def cleaned(text: str) -> str:
    """What another program said, fit for a message: a line of at most 200 printable characters without secrets."""
    line = " ".join(masked(text).split())
    return "".join(character for character in line if character.isprintable())[:200]


def reason_of(error: BaseException) -> str:
    """The first cause of an error, in its own words; those of later ones repeat URLs."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return cleaned(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def fault_of_connection(error: requests.RequestException, silent_s: float, begun: bool) -> DataError:
    """The error to raise if a server cannot be asked; a download that has ``begun`` is worth another try."""
    if isinstance(error, requests.TooManyRedirects):
        return Refused("the server redirects in a circle; use another address")
    if isinstance(error, requests.exceptions.SSLError):
        return Refused(f"its certificate is not trusted ({reason_of(error)}); is there a proxy? See REQUESTS_CA_BUNDLE")
    if isinstance(next(iter(error.args), None), MaxRetryError) and not begun:
        return Refused(f"no connection ({reason_of(error)}); is there a network?")
    if isinstance(error, requests.Timeout):
        return Interrupted(f"no answer for {silent_s:g} s")
    return Interrupted(f"the connection failed ({reason_of(error)})")


def _quota(body: bytes) -> str | None:
    if QUOTA.search(body.decode("utf-8", "replace")):
        return (
            "its quota of downloads is used up (too many users have viewed or downloaded it): try again in 24 hours, "
            "or save it with a browser and place it"
        )
    return None


def _error_in(body: bytes) -> str | None:
    """The message in a JSON object with an error, if the body is one."""
    if not body.lstrip().startswith(b"{"):
        return None
    with contextlib.suppress(ValueError):  # not JSON, or not all of it
        content = json.loads(body)
        found = content.get("error") or content.get("message")
        if isinstance(found, dict):
            found = found.get("message")
        return cleaned(str(found)) if found else None
    return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, given in seconds or as a date."""
    try:
        return Retry().parse_retry_after(headers["Retry-After"])
    except (KeyError, InvalidHeader):
        return None


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
