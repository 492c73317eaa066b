"""Write changes into the records: concurrently, each on its own, each conditional."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from functools import partial

from reconciler.errors import AwsError, Conflict, Terminal
from reconciler.output.terminal import say
from reconciler.planning.diff import Adopt, Change, Create, Delete, Update
from reconciler.ports import ChangeRequest, RecordWriter

# One partition takes 1,000 write units a second, and a record costs one to three: eight writers stay below that.
WORKERS = 8

Write = Callable[[], int]  # returns the revision that it wrote


def change_writes(changes: Iterable[Change], records: RecordWriter, request: ChangeRequest) -> dict[str, Write]:
    """The write of each change, by the name of its user."""
    return {change.name: partial(_write, change, records, request) for change in changes}


def write_records(writes: Mapping[str, Write], pool: Executor | None = None) -> dict[str, int]:
    """Perform every write. One that fails is reported and stops no other. Returns the written revisions by name."""
    revisions: dict[str, int] = {}
    with pool or ThreadPoolExecutor(WORKERS) as pool:
        names = {pool.submit(_attempt, write): name for name, write in writes.items()}
        for future in as_completed(names):
            result = future.result()
            if isinstance(result, AwsError):
                _show_unwritten(names[future], result)
            else:
                revisions[names[future]] = result
    return revisions


def _attempt(write: Write) -> int | AwsError:
    try:
        return write()
    except AwsError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a defect in one write is reported, and stops no other
        return Terminal("dynamodb:Write", type(error).__name__, "internal error")


def _write(change: Change, records: RecordWriter, request: ChangeRequest) -> int:
    match change:
        case Create(at):
            return records.create(at.user, at.manifest, request)
        case Adopt(at, record) | Update(at, record):
            return records.update(record, at.user, at.manifest, request)
        case Delete(record):
            return records.delete(record, request)


def _show_unwritten(name: str, error: AwsError) -> None:
    reason = "changed by another run in the meantime; run again" if isinstance(error, Conflict) else error
    say(f"  ! {name}: not written: {reason}", err=True, fg="red")
