"""`reconcile who-can-send-as` and `reconcile explain`: evaluate the policies of users."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import wraps
from typing import Any, TypeVar

import click

from reconciler.cli.options import Command, Target, format_option, name_argument, optional_target_options
from reconciler.core.user import Declaration
from reconciler.engine.sending import answer, answer_deployed, deployed_senders, senders
from reconciler.engine.session import connect_checked
from reconciler.errors import EXIT_CHANGES, EXIT_ERROR, EXIT_OK, InvalidInput, ReconcileError
from reconciler.manifests.environments import Environment, load_environments
from reconciler.manifests.loader import load_manifests
from reconciler.output.sending import explanation_to_lines, senders_to_lines, to_json
from reconciler.output.terminal import say, say_document, show
from reconciler.planning.questions import parse_sender, parse_source, parse_time
from reconciler.planning.sending import Answer, Question

EXIT_REFUSED = EXIT_CHANGES
T = TypeVar("T")


def _question_options(command: Command) -> Command:
    """--ip, --at and --deployed; the first two as a `question` with the address, and what there is to know of it."""

    @wraps(command)
    def with_question(target: Target, address: str, ip: str | None, at: str | None, deployed: bool, **rest: Any) -> Any:
        if deployed and not target.env:
            raise click.UsageError("--deployed needs --env (for example: --env test).", click.get_current_context())
        sender, notes = _parsed(parse_sender, address)
        source, more = _parsed(parse_source, ip) if ip else ("", ())
        moment = _parsed(parse_time, at) if at else datetime.now(UTC)
        return command(target, Question(sender, moment, source), (*notes, *more), deployed=deployed, **rest)

    own = click.option("--ip", metavar="ADDRESS", help="Source of the connection; without it, any source counts.")
    when = click.option("--at", metavar="TIME", help="Day or time, UTC unless it says otherwise; without it, now.")
    where = click.option("--deployed", is_flag=True, help="Read what IAM has, keys included; needs --env and AWS.")
    return own(when(where(with_question)))


def _parsed(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise ReconcileError(str(error)) from None


@click.command("who-can-send-as")
@click.argument("address")
@optional_target_options
@format_option("text", "json")
@_question_options
def who_can_send_as(target: Target, question: Question, notes: tuple[str, ...], *, deployed: bool, form: str) -> int:
    """List the users that may send as ADDRESS, with the lines of the manifests that permit it.

    Evaluates each user's policy and the permissions boundary. Covers only the users of this system. The list may be
    empty; the exit code is 0.
    """
    found: list[Answer] = []
    for environment, declared in _load(target, deployed=deployed):
        if deployed:
            found += deployed_senders(connect_checked(environment, target.sandbox), declared, question)
        else:
            found += senders(environment, declared, question)
    if form == "json":
        say_document(to_json(question, found, notes, deployed=deployed))
    else:
        _note(notes)
        show(senders_to_lines(question, found, deployed=deployed))
    return EXIT_OK


@click.command()
@name_argument
@click.option("--from", "address", metavar="ADDRESS", required=True, help="The From address.")
@optional_target_options
@format_option("text", "json")
@_question_options
def explain(target: Target, question: Question, notes: tuple[str, ...], *, deployed: bool, name: str, form: str) -> int:
    """Explain why a user may or may not send as an address, with the line of the manifest that decides.

    Evaluates its policy and the permissions boundary. Exits with 2 if the user may not send, in any of the environments
    that declare it, and with 1 if that cannot be said.
    """
    loaded = _load(target, deployed=deployed)
    if deployed:
        environment, declared = loaded[0]
        connection = connect_checked(environment, target.sandbox)
        found = [answer_deployed(connection, name, declared.get(name), question)]
    else:
        found = [answer(one, declared[name], question) for one, declared in loaded if name in declared]
    if not found:
        raise _unknown(name, loaded)
    if form == "json":
        say_document(to_json(question, found, notes, deployed=deployed))
    else:
        _note(notes)
        show(explanation_to_lines(question, found, deployed=deployed))
    if any(one.verdict.is_unknown for one in found):
        return EXIT_ERROR
    return EXIT_OK if all(one.verdict.allowed for one in found) else EXIT_REFUSED


def _load(target: Target, *, deployed: bool) -> list[tuple[Environment, dict[str, Declaration]]]:
    """The manifests of one environment or of all. For what is deployed, they only name lines: they may be invalid."""
    environments = [target.environment()] if target.env else [*load_environments(target.config).values()]
    loaded: list[tuple[Environment, dict[str, Declaration]]] = []
    for environment in environments:
        try:
            loaded.append((environment, load_manifests(target.users, environment)))
        except InvalidInput:
            if not deployed:
                raise
            loaded.append((environment, {}))
    return loaded


def _unknown(name: str, loaded: list[tuple[Environment, dict[str, Declaration]]]) -> ReconcileError:
    names = sorted({one for _, declared in loaded for one in declared})
    near = get_close_matches(name, names, 1, 0.6)
    where = ", ".join(environment.name for environment, _ in loaded)
    hint = f"did you mean '{near[0]}'?" if near else "check the name and the environment"
    return ReconcileError(f"no manifest of {where} declares the SMTP user '{name}'", hint)


def _note(notes: tuple[str, ...]) -> None:
    for note in notes:
        say(f"note: {note}", err=True)
