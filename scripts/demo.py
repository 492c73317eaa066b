"""`make demo`: from a YAML entry to a credential, on a local AWS, with the real commands."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import shlex
import shutil
import sys
import tempfile
import textwrap
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
from reconciler.output.terminal import say, say_document
from reconciler.pipeline.definition import load_pipeline
from reconciler.pipeline.lambda_zip import ROOT
from reconciler.planning.evaluation import SendAttempt, evaluate
from reconciler.sandbox.emulator import stop_server

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
    """Works on a copy of the example manifests, so that the checkout stays unchanged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(ROOT / "reconcile.yaml", folder)
        shutil.copytree(ROOT / "users" / "sandbox", folder / "users" / "sandbox")

    def run(self) -> None:
        self._step("Start a local AWS", "A DynamoDB table with a stream, a KMS key, queues, and the real Lambda zip.")
        self._reconcile("sandbox", "up")
        self._step("Create the users", "Three teams declare their users in users/sandbox. Each user gets an IAM user,",
                   "a policy and an access key.")  # fmt: skip
        self._reconcile("--env", "sandbox", "--yes")
        self._step("Run it again", "The manifests did not change, so there is nothing to do.")
        self._reconcile("--env", "sandbox", "--yes")
        self._step("Look at the result", "The status of every user, and one credential as an administrator reads it.")
        self._reconcile("status", "--env", "sandbox")
        self._reconcile("credentials", "billing-mailer", "--env", "sandbox")
        self._step(
            "A pull request adds an address to the wiki", "The plan shows what the wiki gains. Its password stays."
        )
        self._edit("platform.yaml", ADDED)
        self._reconcile("--env", "sandbox", "--yes")
        self._step("A pull request disables the newsletter", "Its access key becomes inactive. Nothing is deleted.")
        self._edit("marketing.yaml", DISABLED)
        self._reconcile("--env", "sandbox", "--yes")
        self._step("A pull request removes the build server", "Its access key, policy and IAM user are deleted.")
        self._edit("platform.yaml", REMOVED)
        self._reconcile("--env", "sandbox", "--yes")
        self._step(
            "A policy is changed manually", "The drift check detects the change, and the hourly sweep reverts it."
        )
        self._tamper("wiki")
        self._reconcile("drift", "--env", "sandbox", expected=EXIT_CHANGES)
        self._sweep()
        self._reconcile("drift", "--env", "sandbox")
        self._step("A password leaks", "`revoke` deactivates the access key, which stays inactive until `resume`.")
        self._reconcile("revoke", "billing-mailer", "--reason", "key published", "--env", "sandbox", "--yes")
        self._reconcile("--env", "sandbox", "--yes")
        self._step("What the wiki may send as", "The policy that IAM has for it now, and which senders it allows.")
        self._prove("wiki")
        self._step("The end", "Every change above is in Git, in the records and in the logs.")
        self._reconcile("status", "--env", "sandbox")

    def close(self) -> None:
        try:
            self._reconcile("sandbox", "down")
        finally:
            stop_server(self.folder / ".sandbox")  # also where nothing can be printed

    def _step(self, title: str, *explanation: str) -> None:
        say()
        say(f"── {title}", fg="cyan", bold=True)
        for line in explanation:
            say(f"   {line}", fg="cyan")

    def _reconcile(self, *words: str, expected: int = EXIT_OK) -> None:
        say(f"$ reconcile {shlex.join(words)}", bold=True)
        with contextlib.chdir(self.folder):
            code = run([*words])
        if code != expected:
            raise ReconcileError(f"reconcile {' '.join(words)} ended with exit code {code}")

    def _edit(self, file: str, change: tuple[str, str]) -> None:
        path = self.folder / "users" / "sandbox" / file
        before = path.read_text(encoding="utf-8")
        after = before.replace(*change)
        if after == before:
            raise ReconcileError(f"the demo does not find the lines to edit in {file}")
        path.write_text(after, encoding="utf-8")
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
        for line in filter(str.strip, [*lines][3:]):
            for part in textwrap.wrap(line, 78, subsequent_indent=" " * 8, break_on_hyphens=False):
                say(f"  {part}", fg={"+": "green", "-": "red"}.get(line[:1]))

    def _client(self, service: str) -> Any:
        environment = load_environment(self.folder / "reconcile.yaml", "sandbox")
        session: Any = connect(environment, self.folder / ".sandbox").session
        return session.client(service)

    def _tamper(self, name: str) -> None:
        user = iam_user_name("sandbox", name)
        wide = {"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [wide]})
        self._client("iam").put_user_policy(UserName=user, PolicyName=POLICY_NAME, PolicyDocument=document)
        say(f"  changed manually: the policy of {user} allows any sender", fg="red")

    def _sweep(self) -> None:
        """What the schedule does every hour. A sweep leaves out users that changed a few seconds ago."""
        function = load_pipeline("sandbox").functions["sweep"].name
        deadline = time.monotonic() + SWEEP_SECONDS
        while time.monotonic() < deadline:
            result = json.loads(self._client("lambda").invoke(FunctionName=function)["Payload"].read())
            if result["repaired"]:
                say(f"  sweep: {result['checked']} users checked, {result['repaired']} repaired", fg="green")
                return
            time.sleep(1)
        raise ReconcileError("the sweep did not repair the policy")

    def _prove(self, name: str) -> None:
        iam = self._client("iam")
        user = iam_user_name("sandbox", name)
        stored: Any = iam.get_user_policy(UserName=user, PolicyName=POLICY_NAME)["PolicyDocument"]
        document = stored if isinstance(stored, dict) else json.loads(stored)
        say_document(json.dumps(document["Statement"][0], indent=2))
        for address in ATTEMPTS:
            allowed = evaluate(document, SendAttempt(address, datetime.now(UTC)))
            say(f"  from {address:34} {'allowed' if allowed else 'refused'}", fg="green" if allowed else "red")


def main() -> int:
    started = time.monotonic()
    os.environ["COLUMNS"] = str(shutil.get_terminal_size().columns)  # tables fit it, also in a pipe
    with tempfile.TemporaryDirectory(prefix="smtp-demo-") as folder:
        demo = Demo(Path(folder))
        try:
            demo.run()
        except ReconcileError as error:
            say(f"error: {error.message}", err=True, fg="red")
            return EXIT_ERROR
        finally:
            demo.close()
        say()
        say(f"Done in {time.monotonic() - started:.0f} s. Nothing is left running.", fg="green")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
