"""Who may send as an address: by the manifests, or by what is deployed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing

from reconciler.core.ownership import smtp_user_name
from reconciler.core.user import NAME, Declaration
from reconciler.engine.session import Connection
from reconciler.manifests.environments import Environment
from reconciler.manifests.positions import find_lines
from reconciler.planning.sending import Answer, Question, Verdict, is_in_doubt, judge, judge_deployed, may_matter
from reconciler.ports import Listing


def answer(environment: Environment, declaration: Declaration, question: Question) -> Answer:
    verdict = judge(declaration.user, environment.sending, environment.allowed_domains, question)
    return Answer(environment.name, declaration.user.name, verdict, _places(declaration, verdict))


def senders(environment: Environment, declared: Mapping[str, Declaration], question: Question) -> Iterator[Answer]:
    """The users that may send, in the order of their names."""
    for _, declaration in sorted(declared.items()):
        verdict = judge(declaration.user, environment.sending, environment.allowed_domains, question)
        if verdict.allowed:
            yield Answer(environment.name, declaration.user.name, verdict, _places(declaration, verdict))


def answer_deployed(connection: Connection, name: str, declaration: Declaration | None, question: Question) -> Answer:
    found = [*_observe(connection, [name], Listing(()), {name: declaration} if declaration else {}, question)]
    return found[0]


def deployed_senders(
    connection: Connection, declared: Mapping[str, Declaration], question: Question
) -> Iterator[Answer]:
    """The users that may send, and those of which this cannot be said. Keys are read only where the policy matches."""
    environment = connection.environment
    listing = connection.reader().read()
    names = {name for one in listing.users if (name := smtp_user_name(environment.name, one)) and NAME.fullmatch(name)}
    if listing.identities is not None:
        known = listing.identities
        names = {name for name in names if name not in known or may_matter(known[name], question)}
        # The list may be older than a user, and that of an emulator lacks boundaries: these users are read again.
        listing = Listing(listing.users, {name: one for name, one in known.items() if not is_in_doubt(one)})
    for found in _observe(connection, sorted(names), listing, declared, question):
        if found.verdict.allowed or found.verdict.is_unknown:
            yield found


def _observe(
    connection: Connection, names: list[str], listing: Listing, declared: Mapping[str, Declaration], question: Question
) -> Iterator[Answer]:
    environment = connection.environment
    records = connection.store().fetch(names)
    with closing(connection.reader().observe(names, listing, lambda _: False)) as observed:
        for name, identity in observed:
            if isinstance(identity, Exception):
                raise identity
            verdict = judge_deployed(
                name, records.get(name), identity, environment.sending, environment.allowed_domains, question
            )
            declaration = declared.get(name)
            places = _places(declaration, verdict) if declaration else ()
            yield Answer(environment.name, name, verdict, places)


def _places(declaration: Declaration, verdict: Verdict) -> tuple[tuple[str, int, str, str], ...]:
    wanted = [(decider.field, decider.value) for decider in verdict.deciders]
    lines = find_lines(declaration, wanted) if wanted else []
    return tuple((declaration.manifest, line, *each) for line, each in zip(lines, wanted, strict=True))
