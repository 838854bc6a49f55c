"""Servers on 127.0.0.1 that play the hosts of real data: a plain one, the Hugging Face hub, and Google Drive.

They speak as the real ones were seen to speak in the sources of huggingface_hub 2.4.0 and gdown 6.5.1, and hold what a
test gives them. A program uses them through variables of its environment alone (``environment``).

From the command line, until it is stopped, with the variables on standard output:

    python tests/data/files/servers.py hub FOLDER --dataset tanganke/nyuv2 --revision b367b8b
    python tests/data/files/servers.py drive FOLDER --id 1F0TqvMJvv-2pIeOKUw9deEtUxyYqXK6Y
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drive_server import Drive
from hub_server import Hub
from serving import Server


@contextmanager
def _asked_for(options: argparse.Namespace) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as scratch:
        if options.host == "hub":
            server: Server = Hub(options.folder, options.dataset, options.revision)
        else:
            server = Drive(options.folder, options.id, Path(scratch))
        with server:
            yield server


def main() -> None:
    """Serve a folder until the program is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    parser = argparse.ArgumentParser(description="Play the Hugging Face hub or Google Drive on 127.0.0.1.")
    hosts = parser.add_subparsers(dest="host", required=True)
    hub, drive = hosts.add_parser("hub"), hosts.add_parser("drive")
    for host in (hub, drive):
        host.add_argument("folder", type=Path)
    hub.add_argument("--dataset", required=True)
    hub.add_argument("--revision", required=True)
    drive.add_argument("--id", required=True)
    with _asked_for(parser.parse_args()) as server:
        for name, value in server.environment.items():
            print(f"export {name}={value}", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
