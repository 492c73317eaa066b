"""DynamoDB, IAM and STS on a local port, with the active users of one repository: what `reconcile plan` reads.

Started by `serving`, as a process of its own: its CPU time is not that of the command. The same question gets the same
bytes, so that they are computed once.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs
from urllib.request import urlopen

from reconciler.core.record import manager_tag
from reconciler.core.user import make_user
from reconciler.manifests.environments import load_environment
from reconciler.ports import ChangeRequest
from scripts.bench.dataset import ACCOUNT, FIRST, REGION, entry, manifest_of
from scripts.bench.measure import Command
from scripts.bench.paths import TESTS_PYTHON

HOST = "127.0.0.1"
CALLER = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{ACCOUNT}:user/bench</Arn><UserId>bench</UserId><Account>{ACCOUNT}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""

USERS = """<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult>
<IsTruncated>{truncated}</IsTruncated>{marker}<Users>{users}</Users></ListUsersResult></ListUsersResponse>"""
USER = """<member><UserName>{UserName}</UserName><Path>{Path}</Path><Arn>{Arn}</Arn><UserId>{UserName}</UserId>
<CreateDate>{CreateDate:%Y-%m-%dT%H:%M:%SZ}</CreateDate></member>"""


def make_fleet(repository: Path, users: int, commit: str) -> Any:
    """The models of AWS with the users of the first environment, created some time ago from `commit`."""
    from simulation.fleet import Fleet  # of the tests: only the processes that use it have it on their path

    fleet = Fleet(load_environment(repository / "reconcile.yaml", FIRST))
    fleet.clock.now = datetime.now(UTC) - timedelta(days=1)
    at = fleet.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    request = ChangeRequest(manager_tag(FIRST), commit, f"arn:aws:iam::{ACCOUNT}:user/bench", "bench-1", at)
    fleet.fill([(make_user(entry(n)), manifest_of(FIRST, n)) for n in range(users)], request)
    return fleet


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fleet: Any = None
    counts: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        """How often each operation was called since the last time."""
        self._answer(json.dumps(self.counts).encode(), "application/json")
        self.counts.clear()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers.get("X-Amz-Target", "").partition(".")[2] or parse_qs(body.decode())["Action"][0]
        self.counts[operation] += 1
        if operation == "GetCallerIdentity":
            self._answer(CALLER.encode(), "text/xml")
        elif operation == "ListUsers":
            self._answer(list_users(self.fleet, body), "text/xml")
        else:
            self._answer(answer_of(self.fleet, operation, body), "application/x-amz-json-1.0")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@cache
def answer_of(fleet: Any, operation: str, body: bytes) -> bytes:
    method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")
    answer = getattr(fleet.table, method)(**json.loads(body))
    return json.dumps(answer, default=lambda value: base64.b64encode(value).decode()).encode()


@cache
def list_users(fleet: Any, body: bytes) -> bytes:
    fields = {name: values[0] for name, values in parse_qs(body.decode()).items() if name not in ("Action", "Version")}
    parameters: dict[str, Any] = {**fields, "MaxItems": int(fields.get("MaxItems", 100))}
    page = fleet.iam.list_users(**parameters)
    users = "".join(USER.format(**user) for user in page["Users"])
    marker = f"<Marker>{page['Marker']}</Marker>" if page["IsTruncated"] else ""
    return USERS.format(truncated=str(page["IsTruncated"]).lower(), marker=marker, users=users).encode()


@contextmanager
def serving(repository: Path, users: int, commit: str) -> Iterator[dict[str, str]]:
    """Yields the variables with which AWS SDKs reach the server."""
    words = [TESTS_PYTHON, "-m", "scripts.bench.server", str(repository), str(users), commit]
    process = Command(words).start(output=subprocess.PIPE)
    try:
        endpoint = process.stdout.readline().decode().strip() if process.stdout else ""
        if not endpoint.startswith("http"):
            sys.exit(f"the local server did not start: {endpoint}")
        yield {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION}
    finally:
        process.kill()
        process.communicate()


def read_counts(variables: dict[str, str]) -> dict[str, int]:
    with urlopen(variables["AWS_ENDPOINT_URL"]) as response:  # noqa: S310 - our own server
        return dict(json.load(response))


def main(repository: str, users: str, commit: str) -> None:
    Handler.fleet = make_fleet(Path(repository), int(users), commit)
    server = ThreadingHTTPServer((HOST, 0), Handler)
    print(f"http://{HOST}:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
