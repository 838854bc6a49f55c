"""The Hugging Face hub, as huggingface_hub 2.4.0 asks it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from plain_host import Answer
from serving import Exchange, Server, checksum, files_in


class Hub(Server):
    """The Hugging Face hub with one data set, the files of a folder, all in LFS; its CDN is `localhost`."""

    def __init__(self, folder: Path, dataset: str, revision: str, token: str | None = None) -> None:
        super().__init__()
        self.folder, self.dataset, self.revision, self.token = folder, dataset, revision, token
        self.faults: dict[str, list[Answer]] = {"api": [], "datasets": [], "cdn": []}
        """Answers to the next requests in place of the right ones, by the first part of the URL's path."""

    @property
    def environment(self) -> dict[str, str]:
        """``HF_ENDPOINT``."""
        return super().environment | {"HF_ENDPOINT": self.address}

    def answer(self, exchange: Exchange) -> None:
        """The API, the addresses of files, and the CDN."""
        path = unquote(urlsplit(exchange.path).path)
        if faults := self.faults[path.split("/")[1]]:
            faults.pop(0)(exchange, b"")
        elif path.startswith("/cdn/"):
            self._cdn(exchange, path.removeprefix("/cdn/"))
        elif not self._may(exchange):
            said = "Access to dataset is restricted. You must have access to it and be authenticated to access it."
            exchange.json({"error": said}, 401, X_Error_Code="GatedRepo", X_Error_Message=said)
        elif match := re.fullmatch(rf"/api/datasets/{self.dataset}/(paths-info|tree)/([^/]+)/?(.*)", path):
            self._api(exchange, match[1], match[2], match[3])
        elif match := re.fullmatch(rf"/datasets/{self.dataset}/resolve/([^/]+)/(.+)", path):
            self._resolve(exchange, match[1], match[2])
        else:
            said = "Repository not found"
            exchange.json({"error": said}, 404, X_Error_Code="RepoNotFound", X_Error_Message=said)

    def _may(self, exchange: Exchange) -> bool:
        return self.token is None or exchange.headers.get("Authorization") == f"Bearer {self.token}"

    def _api(self, exchange: Exchange, question: str, revision: str, below: str) -> None:
        if revision != self.revision:
            said = f"Invalid rev id: {revision}"
            exchange.json({"error": said}, 404, X_Error_Code="RevisionNotFound", X_Error_Message=said)
            return
        files = files_in(self.folder)
        if question == "tree":
            wanted = [name for name in files if name.startswith(f"{below}/" if below else "")]
        else:
            wanted = [name for name in exchange.form.get("paths", []) if name in files]
        exchange.json([self._facts(name, files[name]) for name in wanted])

    def _facts(self, name: str, path: Path) -> dict[str, object]:
        size, sha256 = path.stat().st_size, checksum(path)
        lfs = {"oid": sha256, "size": size, "pointerSize": 134}
        return {"type": "file", "oid": sha256[:40], "size": size, "path": name, "lfs": lfs, "xetHash": sha256[::-1]}

    def _resolve(self, exchange: Exchange, revision: str, name: str) -> None:
        path = files_in(self.folder).get(name)
        if revision != self.revision or path is None:
            code = "RevisionNotFound" if revision != self.revision else "EntryNotFound"
            exchange.json({"error": "Entry not found"}, 404, X_Error_Code=code, X_Error_Message="Entry not found")
            return
        sha256 = checksum(path)
        exchange.redirect(
            f"http://localhost:{self.server_port}/cdn/{quote(name)}?Signature=SECRET&Expires=1",
            X_Repo_Commit=revision,
            X_Linked_Size=path.stat().st_size,
            X_Linked_ETag=f'"{sha256}"',
            X_Xet_Hash=sha256[::-1],
        )

    def _cdn(self, exchange: Exchange, name: str) -> None:
        if "Authorization" in exchange.headers:
            exchange.text("<Error><Code>InvalidArgument</Code></Error>", 400, "application/xml")
            return
        path = self.folder / name
        with path.open("rb") as stream:
            exchange.file(stream, path.stat().st_size, ETag=f'"{checksum(path)}"')
