"""`make demo`: the main job from a YAML entry to a credential, on a local AWS, with the real commands."""

from __future__ import annotations

import contextlib
import difflib
import json
import shlex
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.cli.main import run
from reconciler.core.ownership import iam_user_name
from reconciler.core.policy import POLICY_NAME
from reconciler.engine.session import connect
from reconciler.errors import EXIT_CHANGES, EXIT_ERROR, EXIT_OK, ReconcileError
from reconciler.manifests.environments import load_environment
from reconciler.output.terminal import say
from reconciler.pipeline.definition import load_pipeline
from reconciler.pipeline.lambda_zip import ROOT
from reconciler.planning.evaluation import SendAttempt, evaluate

ADDED = ("[wiki@example.com, noreply@example.com]", "[wiki@example.com, noreply@example.com, docs@example.com]")
DISABLED = ("[hello@news.example.com]\n", "[hello@news.example.com]\n    enabled: false\n")
REMOVED = (
    "  - name: build-server\n"
    "    description: Build results\n"
    "    owner: platform@example.com\n"
    "    allowed_from_addresses: [builds@example.com]\n\n",
    "",
)
SWEEP_SECONDS = 60
ATTEMPTS = ("wiki@example.com", "docs@example.com", "billing@example.com", "wiki@example.com.evil.example.net")


class Demo:
    """Works on a copy of the example manifests, so the checkout stays as it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(ROOT / "reconcile.yaml", folder)
        shutil.copytree(ROOT / "users" / "sandbox", folder / "users" / "sandbox")

    def tell(self) -> None:
        self._step("A local AWS: table, stream, KMS key, and the real Lambda zip")
        self._reconcile("sandbox", "up")
        self._step("The manifests of three teams become users, policies and keys")
        self._reconcile("--env", "sandbox")
        self._step("Run again: nothing to do")
        self._reconcile("--env", "sandbox")
        self._step("What there is now, and one credential as an administrator reads it")
        self._reconcile("status", "--env", "sandbox")
        self._reconcile("credentials", "billing-mailer", "--env", "sandbox")
        self._step("A pull request lets the wiki send as one more address")
        self._edit("platform.yaml", ADDED)
        self._reconcile("--env", "sandbox")
        self._step("Another one disables the newsletter: its key becomes inactive, nothing is deleted")
        self._edit("marketing.yaml", DISABLED)
        self._reconcile("--env", "sandbox")
        self._step("And one removes the build server: key, policy and IAM user go")
        self._edit("platform.yaml", REMOVED)
        self._reconcile("--env", "sandbox", "--yes")
        self._step("Somebody widens a policy behind everybody's back: the audit finds it, the sweep puts it right")
        self._tamper("wiki")
        self._reconcile("drift", "--env", "sandbox", expected=EXIT_CHANGES)
        self._sweep()
        self._reconcile("drift", "--env", "sandbox")
        self._step("A password has leaked: its key is switched off, and stays so")
        self._reconcile("revoke", "billing-mailer", "--reason", "seen in a public repository", "--env", "sandbox")
        self._reconcile("--env", "sandbox")
        self._step("Proof of confinement: the policy that IAM holds for the wiki")
        self._prove("wiki")
        self._step("In the end")
        self._reconcile("status", "--env", "sandbox")

    def close(self) -> None:
        self._reconcile("sandbox", "down")

    def _step(self, title: str) -> None:
        say(f"\n── {title} ", fg="cyan", bold=True)

    def _reconcile(self, *words: str, expected: int = EXIT_OK) -> None:
        say(f"$ reconcile {shlex.join(words)}", bold=True)
        with contextlib.chdir(self.folder):
            code = run([*words])
        if code != expected:
            raise ReconcileError(f"reconcile {' '.join(words)} ended with {code}")

    def _edit(self, file: str, change: tuple[str, str]) -> None:
        path = self.folder / "users" / "sandbox" / file
        before = path.read_text(encoding="utf-8")
        after = before.replace(*change)
        if after == before:
            raise ReconcileError(f"the demo does not find what it edits in {file}")
        path.write_text(after, encoding="utf-8")
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
        for line in [*lines][3:]:
            say(f"  {line}", fg={"+": "green", "-": "red"}.get(line[:1]))

    def _client(self, service: str) -> Any:
        environment = load_environment(self.folder / "reconcile.yaml", "sandbox")
        session: Any = connect(environment, self.folder / ".sandbox").session
        return session.client(service)

    def _tamper(self, name: str) -> None:
        user = iam_user_name("sandbox", name)
        wide = {"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [wide]})
        self._client("iam").put_user_policy(UserName=user, PolicyName=POLICY_NAME, PolicyDocument=document)
        say(f"  by hand: PutUserPolicy {user}, any sender", fg="red")

    def _sweep(self) -> None:
        """What the schedule does every hour. Users that have settled seconds ago are left to the next sweep."""
        function = load_pipeline("sandbox").functions["sweep"].name
        deadline = time.monotonic() + SWEEP_SECONDS
        while time.monotonic() < deadline:
            told = json.loads(self._client("lambda").invoke(FunctionName=function)["Payload"].read())
            if told["repaired"]:
                say(f"  sweep: {told['checked']} checked, {told['repaired']} repaired", fg="green")
                return
            time.sleep(1)
        raise ReconcileError("the sweep repaired nothing")

    def _prove(self, name: str) -> None:
        iam = self._client("iam")
        user = iam_user_name("sandbox", name)
        held: Any = iam.get_user_policy(UserName=user, PolicyName=POLICY_NAME)["PolicyDocument"]
        document = held if isinstance(held, dict) else json.loads(held)
        say(json.dumps(document["Statement"][0], indent=2))
        for address in ATTEMPTS:
            allowed = evaluate(document, SendAttempt(address, datetime.now(UTC)))
            say(f"  from {address:34} {'allowed' if allowed else 'refused'}", fg="green" if allowed else "red")


def main() -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="smtp-demo-") as folder:
        demo = Demo(Path(folder))
        try:
            demo.tell()
        except ReconcileError as error:
            say(f"error: {error.message}", err=True, fg="red")
            return EXIT_ERROR
        finally:
            demo.close()
    say(f"\nDone in {time.monotonic() - started:.0f} s. Nothing is left running.", fg="green")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
