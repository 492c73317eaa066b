"""A boto3 session whose clients talk to the sandbox and to nothing else."""

from __future__ import annotations

import os
from typing import Any

import botocore.session
from boto3.session import Session
from botocore.config import Config

from reconciler.sandbox.emulator import Server


def sandbox_session(server: Server) -> Session:
    """Every client of this session talks to the local endpoint, whatever the user's AWS settings say."""
    nowhere = (None, None, os.devnull, None)
    core = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": nowhere,
            "credentials_file": nowhere,
        }
    )
    return _LocalSession(core, server)


class _LocalSession(Session):
    def __init__(self, core: botocore.session.Session, server: Server) -> None:
        super().__init__(
            aws_access_key_id=server.account_id,  # the emulator derives the account from it
            aws_secret_access_key="local",  # noqa: S106 - the emulator does not check signatures
            region_name=server.region,
            botocore_session=core,
        )
        self._endpoint = server.endpoint

    def client(self, *args: Any, config: Config | None = None, **kwargs: Any) -> Any:
        config = (config or Config()).merge(Config(proxies={}))  # whatever proxy the user's environment names
        return super().client(*args, **{"endpoint_url": self._endpoint, "config": config, **kwargs})
