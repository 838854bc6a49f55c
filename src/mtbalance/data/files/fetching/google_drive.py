"""Public files on Google Drive, listed and resolved by the library gdown; no cookies are stored."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from mtbalance.config.addresses import parsed
from mtbalance.data.files.fetching.body import at_most, chunks_of
from mtbalance.data.files.fetching.limits import Limits
from mtbalance.data.files.fetching.refusals import (
    PAGE_BYTES,
    Refused,
    cleaned,
    fault_of_connection,
    is_page,
    refuse_page,
    refuse_status,
)
from mtbalance.data.files.fetching.resource import Resource, connection

DOWNLOAD = "https://drive.google.com/uc?export=download&id={}"
ACCESS = (
    "Google Drive does not give it to everyone: it needs the permission 'Anyone with the link'; or save it with a "
    "browser and place it"
)


def resolve(address: str, limits: Limits) -> Resource:
    """The file ``gdrive:<folder id>/<name>`` or ``gdrive:<file id>``."""
    where = parsed(address).parts
    session = connection()
    try:
        identity = _in_folder(where["id"], where["name"], limits) if where["name"] else where["id"]
        return Resource(address, _confirmed(session, DOWNLOAD.format(identity), limits), session, ACCESS)
    except requests.RequestException as error:
        raise fault_of_connection(error, limits.silent_s, begun=False) from None


def _in_folder(folder: str | None, name: str, limits: Limits) -> str:
    """The id of the file ``name`` in a public folder."""
    import gdown

    try:
        files: list[Any] = gdown.download_folder(
            id=folder, quiet=True, use_cookies=False, skip_download=True, timeout=limits.silent_s
        )
    except gdown.DownloadError as error:
        raise Refused(f"the folder cannot be listed ({cleaned(str(error))[:120]}...): {ACCESS}") from None
    found = {file.path: file.id for file in files}
    if name not in found:
        raise Refused(f"the folder has no file {name}; it has {', '.join(sorted(found)[:20]) or 'none'}")
    return str(found[name])


def _confirmed(session: requests.Session, url: str, limits: Limits) -> str:
    """The URL of the bytes: this one, or that of the page which says that large files are not searched for viruses."""
    from gdown.download import get_url_from_gdrive_confirmation
    from gdown.exceptions import FileURLRetrievalError

    with session.get(url, stream=True, timeout=limits.silent_s) as response:
        if "Content-Disposition" in response.headers:
            return url
        body = at_most(PAGE_BYTES, b"", chunks_of(response, limits))
        refuse_status(response.status_code, response.headers, body, ACCESS, limits.patience_s)
        if not is_page(response.headers.get("Content-Type", ""), body, ""):
            return url
        try:
            confirmed = urljoin(response.url, get_url_from_gdrive_confirmation(body.decode("utf-8", "replace")))
        except FileURLRetrievalError:
            confirmed = ""
        if urlsplit(confirmed).scheme != "https":
            refuse_page(body, ACCESS)
        return confirmed
