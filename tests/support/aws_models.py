"""What tests with moto would otherwise repeat for each test: parsing AWS's service models, and generating RSA keys."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.loaders
import botocore.session
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


def share() -> None:
    """For every session that is made from now on. moto gives even a symmetric key an RSA key, which no test uses."""
    botocore.session.create_loader = lambda _data_path=None: _shared_loader()
    moto.kms.models.generate_private_key = cache(moto.kms.models.generate_private_key)
