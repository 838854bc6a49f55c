"""Google Drive, as gdown 6.5.1 and a browser ask it."""

from __future__ import annotations

import hashlib
import html
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from certificates import certificate_of
from serving import DATE, Exchange, Server, files_in

DRIVE_HOSTS = ("drive.google.com", "docs.google.com", "drive.usercontent.google.com", "accounts.google.com")

CONFIRM = """<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>
<p class="uc-warning-caption">Google Drive can't scan this file for viruses.</p>\
<form id="download-form" action="https://drive.usercontent.google.com/download" method="get">\
<input type="submit" id="uc-download-link" value="Download anyway"/><input type="hidden" name="id" value="{id}">\
<input type="hidden" name="export" value="download"><input type="hidden" name="confirm" value="t">\
<input type="hidden" name="uuid" value="SECRET"></form></body></html>"""
QUOTA = """<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head><body>
<p class="uc-error-caption">Sorry, you can't view or download this file at this time.</p>
<p class="uc-error-subcaption">Too many users have viewed or downloaded this file recently. Please try accessing the \
file again later.</p></body></html>"""
SIGN_IN = """<!doctype html><html><head><title>Google Drive: Sign-in</title></head><body>
<form action="/signin"><input type="email"><input type="password"></form></body></html>"""
NOT_FOUND = "<!DOCTYPE html><html><head><title>Error 404 (Not Found)!!1</title></head><body>404.</body></html>"


class Drive(Server):
    """Google Drive with one public folder, reached as a proxy under its real addresses."""

    def __init__(self, folder: Path, identity: str, scratch: Path, small: int = 0) -> None:
        super().__init__()
        self.folder, self.id, self.small = folder, identity, small
        self.certificate = certificate_of(DRIVE_HOSTS, scratch)
        self.tls = self.certificate.context
        self.faults: dict[str, str] = {}
        """What is shown in place of a file, by its name: `quota`, `quota later` (once it is confirmed), `sign in`,
        `plain` (http), `plain form`; or the file, `cut` once."""

    @property
    def environment(self) -> dict[str, str]:
        """A proxy for https, and the certificate to trust."""
        names = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), self.address)
        return super().environment | names | {"REQUESTS_CA_BUNDLE": str(self.certificate.file)}

    def id_of(self, name: str) -> str:
        """The id of a file of the folder."""
        return f"1_{hashlib.sha256(name.encode()).hexdigest()[:31]}"

    def answer(self, exchange: Exchange) -> None:
        """The list of the folder, the answers on the way to a file, and the file."""
        path, query = urlsplit(exchange.path).path, parse_qs(urlsplit(exchange.path).query)
        identity = query.get("id", [""])[0]
        place = f"{exchange.host}{path}"
        names = {self.id_of(name): name for name in files_in(self.folder)}
        if place == "drive.google.com/embeddedfolderview" and identity == self.id:
            exchange.text(self._listing(names))
        elif place == "accounts.google.com/ServiceLogin":
            exchange.text(SIGN_IN)
        elif identity not in names:
            exchange.text(NOT_FOUND, 404)
        elif place == "drive.google.com/uc":
            url = f"https://drive.usercontent.google.com/download?id={identity}&export=download"
            exchange.redirect(url, 303, Set_Cookie="NID=SECRET; domain=.google.com; path=/")
        elif place == "drive.usercontent.google.com/download":
            self._download(exchange, names[identity], confirmed="confirm" in query)

    def _listing(self, names: dict[str, str]) -> str:
        link = '<div class="flip-entry"><a href="https://drive.google.com/file/d/{}/view?usp=drive_web">'
        rows = [
            f'{link.format(identity)}<div class="flip-entry-title">{html.escape(name)}</div></a></div>\n'
            for identity, name in names.items()
        ]
        return (
            f"<!DOCTYPE html><html><head><title>{self.folder.name}</title></head><body>\n{''.join(rows)}</body></html>"
        )

    def _download(self, exchange: Exchange, name: str, confirmed: bool) -> None:
        fault, path = self.faults.get(name), self.folder / name
        size = path.stat().st_size
        if fault == "sign in":
            exchange.redirect("https://accounts.google.com/ServiceLogin?continue=SECRET")
        elif fault == "plain":
            exchange.redirect("http://drive.usercontent.google.com/download?SECRET")
        elif fault == "quota" or (fault == "quota later" and confirmed):
            exchange.text(QUOTA)
        elif size > self.small and not confirmed:
            form = CONFIRM.format(id=self.id_of(name))
            exchange.text(form.replace("https:", "http:") if fault == "plain form" else form)
        elif fault == "cut":
            del self.faults[name]
            exchange.head(200, Content_Length=size, Last_Modified=DATE, **_attached(name))
            exchange.wfile.write(path.read_bytes()[: size // 2])
            exchange.close_connection = True
        else:
            with path.open("rb") as stream:
                exchange.file(stream, size, Last_Modified=DATE, **_attached(name))


def _attached(name: str) -> dict[str, object]:
    return {"Content_Disposition": f'attachment; filename="{name}"'}
