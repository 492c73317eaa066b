"""Return an account to an earlier state: preparing a state takes many calls, copying what moto holds takes none."""

from __future__ import annotations

import io
import pickle
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from moto.dynamodb.models import dynamodb_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends

SERVICES: Any = (dynamodb_backends, iam_backends, kms_backends)


class Snapshot:
    """The account as it is now, and what the gaps of moto hold."""

    def __init__(self, gaps: Any) -> None:
        # IAM exists once per partition, the others once per region.
        self._places = [
            (service, account, region) for service in SERVICES for account in service for region in service[account]
        ]
        self._gaps = gaps
        self._keys: list[Any] = []
        self._state = self._pickle()

    def restore(self) -> None:
        """As often as needed, also after moto was reset."""
        backends = self._backends()
        known = [*backends, *self._keys]
        unpickler = pickle.Unpickler(io.BytesIO(self._state))  # noqa: S301
        unpickler.persistent_load = known.__getitem__  # type: ignore[method-assign]
        for owner, state in zip([*backends, self._gaps], unpickler.load(), strict=True):
            vars(owner).clear()
            vars(owner).update(state)

    def _backends(self) -> list[Any]:
        return [service[account][region] for service, account, region in self._places]

    def _pickle(self) -> bytes:
        """All at once: what they share stays shared. Users and tables refer to their backend, which stays itself."""
        backends = self._backends()
        places = {id(backend): index for index, backend in enumerate(backends)}

        def identify(value: Any) -> int | None:
            if isinstance(value, RSAPrivateKey) and id(value) not in places:  # cannot be copied, and never changes
                self._keys.append(value)
                places[id(value)] = len(places)
            return places.get(id(value))

        pickled = io.BytesIO()
        pickler = pickle.Pickler(pickled, protocol=pickle.HIGHEST_PROTOCOL)
        pickler.persistent_id = identify  # type: ignore[method-assign]
        pickler.dump([vars(owner) for owner in [*backends, self._gaps]])
        return pickled.getvalue()
