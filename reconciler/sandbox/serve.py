"""The process of the local AWS: MiniStack, which answers only its own clients.

A web page in a browser on this machine can send requests to 127.0.0.1, and the Lambda API runs code. But the browser
puts the host name of the URL into `Host` (so DNS rebinding does not help), and it adds `Origin` or `Sec-Fetch-Site`,
which the AWS SDKs never send.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import Any

HOST = "127.0.0.1"
FROM_BROWSER = frozenset({b"origin", b"sec-fetch-site"})
PRIVATE = 0o077  # umask: state, code and logs are for this user only


def own_clients_only(app: Any, port: int) -> Any:
    """The ASGI application `app`; requests from a web page, or to any other host name, are answered with 403."""
    hosts = {f"{name}:{port}".encode() for name in (HOST, "localhost")}

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or _is_own_client(scope["headers"], hosts):
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"the sandbox answers only its own clients\n"})

    return guarded


def _is_own_client(headers: list[tuple[bytes, bytes]], hosts: set[bytes]) -> bool:
    """Header names are lower case."""
    named = [value for name, value in headers if name == b"host"]
    return len(named) == 1 and named[0] in hosts and not any(name in FROM_BROWSER for name, _ in headers)


# What an audit lists and MiniStack does not know: there are none of these in a sandbox.
_NEVER_ADDED = {
    "ListSSHPublicKeys": "SSHPublicKeys",
    "ListSigningCertificates": "Certificates",
    "ListServiceSpecificCredentials": "ServiceSpecificCredentials",
}


def _fill_gaps(iam: Any) -> None:
    for operation, listed in _NEVER_ADDED.items():
        result = f"<{operation}Result><{listed}></{listed}><IsTruncated>false</IsTruncated></{operation}Result>"
        answer = partial(iam._xml, 200, f"{operation}Response", result)
        iam._IAM_HANDLERS.setdefault(operation, lambda _, answer=answer: answer())


def main() -> None:
    os.umask(PRIVATE)
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app  # type: ignore[import-untyped]
    from ministack.services import iam  # type: ignore[import-untyped]

    _fill_gaps(iam)
    port = int(os.environ["GATEWAY_PORT"])
    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.keep_alive_timeout = 75  # longer than idle connections of the SDKs live
    config.loglevel = os.environ["LOG_LEVEL"]
    asyncio.run(serve(own_clients_only(app, port), config))


if __name__ == "__main__":
    main()
