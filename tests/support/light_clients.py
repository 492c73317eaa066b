"""What every client of botocore would otherwise repeat: copying the handlers of its session, and signing for moto."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.hooks
from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.compat import get_current_datetime


def _share_trie(self: Any) -> Any:
    """Every client copies the handlers of its session: it gets the same nodes, until one of the two changes them."""
    self._is_shared = True
    made = type(self)()
    made.__dict__ = dict(self.__dict__)
    return made


def _copy_path(change: Callable[..., None]) -> Callable[..., None]:
    """Before a change, the nodes from the root to that of the event become this trie's own."""

    def changed(self: Any, key: str, *arguments: Any, **options: Any) -> None:
        if self._is_shared:
            node = self._root = {**self._root, "children": dict(self._root["children"])}
            for part in key.split("."):
                if not (found := node["children"].get(part)):
                    break
                values = found["values"] and botocore.hooks.NodeList(*map(list, found["values"]))
                own = {**found, "children": dict(found["children"]), "values": values}
                node["children"][part] = own
                node = own
        change(self, key, *arguments, **options)

    return changed


_sign = SigV4Auth.add_auth


def _add_auth(self: Any, request: Any) -> None:
    """moto reads who signed and for which service, never the signature. Emulators, at other addresses, may check it."""
    if ".amazonaws.com" not in request.url or self.credentials is None:
        _sign(self, request)
        return
    request.context["timestamp"] = get_current_datetime().strftime(SIGV4_TIMESTAMP)
    self._modify_request_before_signing(request)
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={self.scope(request)}, SignedHeaders=host, Signature=0"
    )


def use() -> None:
    """For every client that is made from now on."""
    trie = botocore.hooks._PrefixTrie
    trie._is_shared = False
    trie.__copy__, trie.append_item, trie.remove_item = (
        _share_trie,
        _copy_path(trie.append_item),
        _copy_path(trie.remove_item),
    )
    SigV4Auth.add_auth = _add_auth
