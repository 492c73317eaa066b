"""The local AWS answers its own clients only: a web page could run code on this machine through its Lambda API."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import boto3
import pytest

from reconciler.sandbox.emulator import Server, start_server, stop_server
from reconciler.sandbox.session import sandbox_session


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("guarded") / "sandbox"
    yield start_server(folder, "000000000000", "eu-central-1", bare=True)
    stop_server(folder)


def status(server: Server, *headers: str, line: str = "GET /_ministack/health HTTP/1.1") -> int:
    """Send one raw request; `PORT` in it is the server's. Returns the status code."""
    request = "\r\n".join([line, *headers, "Connection: close", "", ""]).replace("PORT", str(server.port))
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(request.encode())
        answer = connection.makefile("rb").readline()
    return int(answer.split()[1])


@pytest.mark.parametrize("host", ["127.0.0.1:PORT", "localhost:PORT"])
def test_its_own_host_names_are_answered(server: Server, host: str) -> None:
    assert status(server, f"Host: {host}") == 200


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example:PORT",
        "attacker.example",
        "127.0.0.1",
        "localhost",
        "127.0.0.1:1",
        "lambda.localhost:PORT",
        "127.0.0.1:PORT.attacker.example",
        "LOCALHOST:PORT",
        "[::1]:PORT",
        "",
    ],
)
def test_any_other_host_name_is_refused(server: Server, host: str) -> None:
    assert status(server, f"Host: {host}") == 403


@pytest.mark.parametrize(
    "header",
    ["Origin: https://attacker.example", "Origin: null", "Origin: http://127.0.0.1:PORT", "sec-fetch-site: cross-site"],
)
@pytest.mark.parametrize("line", ["GET /2015-03-31/functions HTTP/1.1", "POST /2015-03-31/functions HTTP/1.1"])
def test_a_request_of_a_web_page_is_refused(server: Server, line: str, header: str) -> None:
    assert status(server, "Host: 127.0.0.1:PORT", line=line) != 403
    assert status(server, "Host: 127.0.0.1:PORT", header, line=line) == 403


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_aws/execute-api/a/b", "http://127.0.0.1:PORT/"])
def test_every_path_is_guarded(server: Server, path: str) -> None:
    assert status(server, "Host: attacker.example", line=f"POST {path} HTTP/1.1") == 403


def test_a_websocket_of_a_web_page_is_refused(server: Server) -> None:
    upgrade = ("Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        headers = ("Host: 127.0.0.1:PORT", "Origin: https://attacker.example", "Connection: Upgrade", *upgrade)
        request = "\r\n".join(["GET /_aws/execute-api/a/b HTTP/1.1", *headers, "", ""])
        connection.sendall(request.replace("PORT", str(server.port)).encode())
        assert b" 403 " in connection.makefile("rb").readline()


def test_requests_without_one_host_are_refused(server: Server) -> None:
    assert status(server, line="GET /_ministack/health HTTP/1.0") == 403
    assert status(server, "Host: 127.0.0.1:PORT", "Host: attacker.example") in (400, 403)


def test_the_sdk_is_answered_under_both_names(server: Server) -> None:
    assert sandbox_session(server).client("s3").list_buckets()["Buckets"] == []
    client = boto3.client("s3", endpoint_url=f"http://localhost:{server.port}")
    client.create_bucket(
        Bucket="one", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )  # a bucket's name is part of the path, not of the host name
    client.put_object(Bucket="one", Key="a", Body=b"b")
    assert client.get_object(Bucket="one", Key="a")["Body"].read() == b"b"
