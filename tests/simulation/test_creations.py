"""The model of many creations: token buckets, the retries of the SDK, and the real code in simulated time."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from random import Random

from reconciler.pipeline.lambda_zip import ROOT
from simulation.token_buckets import QUOTA, Bucket, Retries, Throttle
from simulation.virtual_time import VirtualTime


def test_a_bucket_refills_up_to_its_burst() -> None:
    bucket = Bucket(rate=2, burst=3)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.5), bucket.take(0.5)] == [True, False]
    assert [bucket.take(100) for _ in range(4)] == [True, True, True, False]


def test_each_api_has_its_own_bucket() -> None:
    throttle = Throttle(writes=(1, 1), reads=(1, 2))
    calls = ["CreateUser", "CreateUser", "PutUserPolicy", "GetUser", "GetUser", "GetUser"]
    assert [throttle.admits(call, 0) for call in calls] == [True, False, True, True, True, False]
    assert throttle.refused == 2


def test_a_throttled_call_is_tried_again_until_the_attempts_are_used() -> None:
    waits: list[float] = []
    answers = iter([False, False, True])
    retries = Retries(Random(1))  # noqa: S311 - not for security
    assert retries.attempt(lambda: next(answers), waits.append, 4)
    assert [0 <= waits[0] <= 1, 0 <= waits[1] <= 2, len(waits)] == [True, True, 2]
    assert not retries.attempt(lambda: False, waits.append, 1)
    assert len(waits) == 2


def test_retries_that_fail_use_up_the_quota() -> None:
    retries, waits = Retries(Random(1)), list[float]()  # noqa: S311
    for _ in range(QUOTA):
        retries.attempt(lambda: False, waits.append, 4)
    assert len(waits) == QUOTA / 5


def test_threads_wait_at_the_same_time() -> None:
    clock = VirtualTime(settled=0.25)  # a busy machine may keep a thread from its call for many milliseconds
    together = threading.Barrier(4)
    waiting = [
        threading.Thread(target=lambda: [together.wait() or clock.sleep(10) for _ in range(3)]) for _ in range(4)
    ]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()
    assert clock.monotonic() == 30


def test_users_become_active_as_fast_as_iam_permits() -> None:
    command = [sys.executable, "-m", "simulation.creations", "60", "--writes", "1", "--latency", "0.05"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    )
    found = json.loads(done.stdout)
    assert (found["active"], found["failed"], found["parked"], found["defects"]) == (60, 0, 0, [])
    assert found["succeeded"]
    assert 50 <= found["seconds"] < 200  # the burst is 10 of each API
