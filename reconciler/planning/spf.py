"""SPF records (RFC 7208): what they allow, how many look-ups they need, and how to extend them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from reconciler.planning.dns_answers import Lookup

AMAZON = "amazonses.com"
MOST_LOOKUPS = 10  # RFC 7208, 4.6.4
QUERYING = frozenset({"a", "mx", "ptr", "exists", "include", "redirect"})
ENDINGS = {"+all": 0, "all": 0, "?all": 1, "~all": 2, "-all": 3}  # the higher, the stricter


@dataclass(frozen=True, slots=True)
class Reach:
    """`lookups`: up to one more than allowed. `includes`: whose senders may send, directly or through others."""

    lookups: int
    includes: frozenset[str]


def spf_records(values: Iterable[str]) -> list[str]:
    """The SPF records among the TXT records of a name."""
    return [value for value in values if value.lower().split(" ")[0] == "v=spf1"]


def reach(record: str, lookup: Lookup) -> Reach:
    """A term such as `-include:` or `?include:` needs look-ups, but does not allow a sender."""
    used, includes, waiting = 0, set[str](), [(record, True)]
    while waiting and used <= MOST_LOOKUPS:
        text, allows = waiting.pop()
        for qualifier, name, target in _terms(text):
            if name not in QUERYING or used > MOST_LOOKUPS:
                continue
            used += 1
            if name not in ("include", "redirect"):
                continue
            passes = allows and qualifier == "+"
            if passes:
                includes.add(target)
            if "%" not in target and target != AMAZON:
                waiting += [(found, passes) for found in spf_records(lookup(target, "TXT").values)[:1]]
    return Reach(used, frozenset(includes))


def invalid_terms(record: str) -> list[str]:
    """Terms for which receivers answer permerror. An unknown modifier (`name=value`) is ignored by them."""
    return [word for word in record.split()[1:] if not _is_valid(word.lower().lstrip("+-~?"))]


def _is_valid(term: str) -> bool:
    name = re.split("[:/=]", term, maxsplit=1)[0]
    if "=" in term[len(name) : len(name) + 1]:
        return bool(re.fullmatch("[a-z][a-z0-9_.-]*", name))
    if name in ("ip4", "ip6"):
        try:
            network = ip_network(term[len(name) + 1 :], strict=False)
        except ValueError:
            return False
        return term[len(name)] == ":" and network.version == int(name[2])
    if name in ("include", "exists"):
        return bool(re.fullmatch(r":[^/:\s]+", term[len(name) :]))
    if name in ("a", "mx"):
        return bool(re.fullmatch(r"(:[^/:\s]+)?(/[0-9]{1,2})?(//[0-9]{1,3})?", term[len(name) :]))
    return bool(re.fullmatch(r"all|ptr(:[^/:\s]+)?", term))


def ending(record: str) -> str:
    """The last term that is evaluated: `~all` and so on, '' for none."""
    return next((word for word in _words(record) if word in ENDINGS), "")


def merge(records: Sequence[str], includes: Iterable[str], least: str) -> str:
    """One record that allows what the records allow and the includes; it never becomes less strict at its end."""
    words = list(dict.fromkeys(word for record in records for word in _before_end(record)))
    ends = [*filter(None, map(ending, records))]
    wanted = [f"include:{name}" for name in includes]
    redirects = [word for word in words if word.lower().startswith("redirect=")]
    unclear = {
        f"{qualifier}{word}" for word in wanted for qualifier in "+-~?"
    }  # qualified: evaluated as something else
    kept = [word for word in words if word not in redirects and word.lower() not in unclear]
    kept += [word for word in wanted if word not in map(str.lower, kept)]
    if redirects and not ends:
        return " ".join(["v=spf1", *kept, *redirects[:1]])
    return " ".join(["v=spf1", *kept, max([least, *ends], key=ENDINGS.__getitem__)])


def _words(record: str) -> list[str]:
    return record.lower().split()[1:]


def _before_end(record: str) -> list[str]:
    """What follows `all` is never evaluated."""
    words = record.split()[1:]
    end = next((at for at, word in enumerate(words) if word.lower() in ENDINGS), len(words))
    return words[:end]


def _terms(record: str) -> list[tuple[str, str, str]]:
    """(qualifier, name, value) of what is evaluated: `redirect` only where there is no `all` (RFC 7208, 6.1)."""
    found = []
    for word in map(str.lower, _before_end(record)):
        if word.startswith("redirect=") and ending(record):
            continue
        qualifier = word[0] if word[0] in "+-~?" else "+"
        bare = word.lstrip("+-~?")
        name, _, value = bare.partition("=" if bare.startswith("redirect=") else ":")
        found.append((qualifier, name.partition("/")[0], value.rstrip(".")))
    return found
