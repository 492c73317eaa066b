"""Write a plan's changes into the rows: concurrently, each on its own, each conditional."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from reconciler.errors import AwsError, Conflict, Terminal
from reconciler.planning.diff import Adopt, Change, Create, Delete, Update
from reconciler.ports import ChangeRequest, RecordWriter

# One partition takes 1,000 write units a second, and a row costs one to three: eight writers stay below that.
WORKERS = 8


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one change: the revision that was written, or why not."""

    change: Change
    revision: int = 0
    error: AwsError | None = None

    @property
    def lost_race(self) -> bool:
        return isinstance(self.error, Conflict)


def apply_changes(
    changes: Iterable[Change],
    requests: RecordWriter,
    request: ChangeRequest,
    done: Callable[[Result], None],
    pool: Executor | None = None,
) -> list[Result]:
    """Write every change; a failed one does not stop the others. `done` sees each result as it comes."""
    results = []
    with pool or ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(_write, change, requests, request) for change in changes]
        for future in as_completed(futures):
            results.append(future.result())
            done(results[-1])
    return sorted(results, key=lambda result: result.change.name)


def _write(change: Change, requests: RecordWriter, request: ChangeRequest) -> Result:
    try:
        return Result(change, _revision(change, requests, request))
    except AwsError as error:
        return Result(change, error=error)
    except Exception as error:  # noqa: BLE001 - a defect of ours in one write is told, and stops no other
        return Result(change, error=Terminal("dynamodb:Write", type(error).__name__, "internal error"))


def _revision(change: Change, requests: RecordWriter, request: ChangeRequest) -> int:
    match change:
        case Create(at):
            return requests.create(at.user, at.manifest, request)
        case Adopt(at, record) | Update(at, record):
            return requests.update(record, at.user, at.manifest, request)
        case Delete(record):
            return requests.delete(record, request)
