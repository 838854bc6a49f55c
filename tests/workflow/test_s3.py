"""DVC on an S3 server: results that were pushed there are all that a clone elsewhere needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from workflow_tree import Tree

pytestmark = pytest.mark.long

BUCKET = "results"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
SERVE = """
import contextlib, sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
with contextlib.redirect_stdout(sys.stderr):
    server.start()
print("http://{}:{}".format(*server.get_host_and_port()), flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[str]:
    """The address of an S3 server with an empty bucket."""
    lacking = [name for name in ("moto", "dvc_s3") if not find_spec(name)]
    if lacking:
        pytest.skip(f"{', '.join(lacking)} not installed here: pip install 'moto[s3]' flask-cors dvc-s3")
    import botocore.session

    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen([sys.executable, "-c", SERVE], **pipes) as server:
        address = server.stdout.readline().strip()
        names = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        botocore.session.get_session().create_client("s3", endpoint_url=address, **names).create_bucket(Bucket=BUCKET)
        yield address
        server.stdin.close()


def test_a_clone_pulls_every_result_from_s3_and_has_nothing_to_do(versioned: Tree, s3: str, tmp_path: Path):
    here = versioned.copy(tmp_path / "here")
    here.call("dvc", "remote", "add", "--default", "s3", f"s3://{BUCKET}/mtbalance")
    here.call("dvc", "remote", "modify", "s3", "endpointurl", s3)
    here.call("git", "commit", "--quiet", "--all", "--message", "results are on S3")
    here.call("dvc", "push", **KEYS)

    there = Tree(tmp_path / "elsewhere" / "clone", tmp_path / "another_cache")
    here.call("git", "clone", "--quiet", str(here.root), str(there.root))
    there.call("dvc", "pull", **KEYS)
    for pattern in ("results/runs/**/*", "results/tables/**/*", "results/figures/**/*", "results/claims.md"):
        assert contents(there, pattern) == contents(here, pattern) != {}
    assert there.due() == set()
    assert "Data and pipelines are up to date." in there.call("dvc", "status")
    assert "didn't change, skipping" in there.call("dvc", "repro")


def contents(tree: Tree, pattern: str) -> dict[str, bytes]:
    found = (path for path in tree.root.glob(pattern) if path.is_file())
    return {path.relative_to(tree.root).as_posix(): path.read_bytes() for path in found}
