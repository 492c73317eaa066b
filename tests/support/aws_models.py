"""What tests with moto would otherwise repeat for each client and call: parsing AWS's service models, looking at the
same functions, and generating RSA keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.hooks
import botocore.loaders
import botocore.session
import moto.core.responses
import moto.kms.models


class _Unique(list[str]):
    """Every boto3 session appends its own folder to the search paths of its loader."""

    def append(self, path: str) -> None:
        if path not in self:
            super().append(path)


@cache
def _shared_loader() -> Any:
    loader = botocore.loaders.create_loader()
    loader._search_paths = _Unique(loader.search_paths)
    return loader


_plain_alias = botocore.hooks.EventAliaser._alias_event_name
_names: dict[str, str] = {}


def _alias_event_name(self: Any, name: str) -> str:
    """The aliases are the same in every session."""
    if name not in _names:
        _names[name] = _plain_alias(self, name)
    return _names[name]


def _accepts_kwargs() -> Callable[[Any], Any]:
    """By function, so that no bound method, and with it no client, is kept."""
    look = cache(botocore.hooks.accepts_kwargs)
    return lambda handler: look(getattr(handler, "__func__", handler))


def share() -> None:
    """For every session that is made from now on. moto gives even a symmetric key an RSA key, which no test uses."""
    botocore.session.create_loader = lambda _data_path=None: _shared_loader()
    botocore.hooks.accepts_kwargs = _accepts_kwargs()
    botocore.hooks.EventAliaser._alias_event_name = _alias_event_name
    moto.core.responses.method_names_from_class = cache(moto.core.responses.method_names_from_class)
    moto.kms.models.generate_private_key = cache(moto.kms.models.generate_private_key)
