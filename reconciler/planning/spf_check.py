"""The SPF record of a domain, or of a MAIL FROM domain."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.text import count
from reconciler.planning.dns_answers import Check, Lookup, Verdict, doubled_name, without_zone
from reconciler.planning.spf import (
    AMAZON,
    ENDINGS,
    MOST_LOOKUPS,
    ending,
    invalid_terms,
    merge,
    reach,
    spf_records,
)


def check_spf(domain: str, region: str, name: str, includes: Sequence[str], least: str, lookup: Lookup) -> Check:
    """`includes`: other senders. `least`: the weakest ending that is wanted. `region`: empty for the domain itself."""
    answer = lookup(name, "TXT")
    records = spf_records(answer.values)
    reached = [reach(record, lookup) for record in records]
    found_includes = frozenset[str]().union(*(each.includes for each in reached))
    missing = [include for include in (AMAZON, *includes) if include not in found_includes]
    merged = merge(records, missing, least)
    too_many = reach(merged, lookup).lookups > MOST_LOOKUPS

    invalid = [term for record in records for term in invalid_terms(record)]

    def check(verdict: Verdict, fix: str = "") -> Check:
        publish = (
            "" if too_many or invalid or not answer.known or (answer.alias and verdict is not Verdict.OK) else merged
        )
        kind = "mail_from_spf" if region else "spf"
        found = tuple(records) or (answer.absence if not answer.values else "nothing: no TXT record is SPF",)
        return Check(domain, region, kind, "TXT", name, merged, found, verdict, fix, publish)

    if not answer.known:
        return check(Verdict.UNKNOWN)
    if answer.alias and (missing or len(records) != 1):
        fix = f"the name is a CNAME of {answer.alias}, so it can have no other record: replace the CNAME"
        return check(Verdict.WRONG, fix)
    if too_many:
        return check(
            Verdict.WRONG, f"it needs more than {MOST_LOOKUPS} DNS look-ups: remove includes that are not used"
        )
    if not records:
        if doubled := doubled_name(name, "TXT", merged, domain, lookup):
            return check(Verdict.WRONG, without_zone(name, doubled))
        return check(Verdict.MISSING, "publish it")
    return check(*_judge(records, invalid, missing, merged, least))


def _judge(
    records: Sequence[str], invalid: Sequence[str], missing: Sequence[str], merged: str, least: str
) -> tuple[Verdict, str]:
    if len(records) > 1:
        return Verdict.WRONG, f"{count(len(records), 'SPF record')} are invalid together: replace them with one"
    if invalid:
        return Verdict.WRONG, f"receivers reject the whole record because of {', '.join(invalid)}: correct or remove it"
    if missing:
        return Verdict.WRONG, f"add {' '.join(f'include:{include}' for include in missing)}"
    if ending(records[0]) != ending(merged):
        return Verdict.WRONG, f"its end allows more senders than {least}: end it with {ending(merged)}"
    stricter = ENDINGS[ending(merged) or least] > ENDINGS[least]
    return (Verdict.ACCEPTABLE if stricter else Verdict.OK), ""
