"""Return a world to an earlier state: preparing a state takes many calls, copying what moto holds takes none."""

from __future__ import annotations

import copy
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends

from support.world import World


class Snapshot:
    """The account and the clock as they are now."""

    def __init__(self, world: World) -> None:
        self._world, self._now = world, world.now
        # IAM exists once per partition, the others once per region.
        self._backends: list[Any] = [
            backend
            for service in (dynamodb_backends, iam_backends, kms_backends)
            for account in service.values()
            for backend in account.values()
        ]
        self._state = self._copy([vars(backend) for backend in self._backends] + [vars(world.gaps)])

    def restore(self) -> None:
        """As often as needed."""
        self._world.now = self._now
        owners = [*self._backends, self._world.gaps]
        for owner, state in zip(owners, self._copy(self._state), strict=True):
            vars(owner).clear()
            vars(owner).update(state)

    def _copy(self, state: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """All at once: what they share stays shared. Users and tables refer to their backend, which stays itself."""
        return copy.deepcopy(state, {id(backend): backend for backend in self._backends})
