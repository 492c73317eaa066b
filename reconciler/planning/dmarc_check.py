"""The DMARC record of a domain, and the agreement of other organisations that receive its reports."""

from __future__ import annotations

from reconciler.planning.dmarc import (
    Dmarc,
    Inherited,
    inherited,
    merge,
    organisation,
    parse_all,
    policy_of,
    strength,
)
from reconciler.planning.dns_answers import Answer, Check, Lookup, Verdict, doubled_name, without_zone
from reconciler.planning.dns_wanted import WantedDomain

STRICT_SPF = "with aspf=s, SPF of the MAIL FROM domain does not count for DMARC; DKIM does"


def check_dmarc(wanted: WantedDomain, lookup: Lookup) -> list[Check]:
    name = f"_dmarc.{wanted.domain}"
    above, answer = inherited(wanted.domain, lookup), lookup(name, "TXT")
    if not (above.known and answer.known):
        reason = "unknown: a domain above could not be read" if answer.known else answer.absence
        return [_check(wanted, f"p={wanted.dmarc.policy} or stricter", (reason,), Verdict.UNKNOWN)]
    records = parse_all(answer.values)
    given = _will_inherit(wanted, above)
    if given is not None and given >= max(strength(wanted.dmarc.policy), above.floor) and not _exceeds(records, above):
        return [_check_inheriting(wanted, above, policy_of(given), answer, records)]
    merged = merge([record for record in records if not record.problem] or records, above, wanted.dmarc)
    verdict, fix = _judge(wanted, above, answer, records, merged, lookup)
    publish = "" if answer.alias else str(merged)
    found = answer.values or (answer.absence,)
    return [
        _check(wanted, str(merged), found, verdict, fix, publish),
        *(_check_agreement(wanted.domain, address, lookup) for address in _foreign(wanted.domain, merged)),
    ]


def _check(
    wanted: WantedDomain, wish: str, found: tuple[str, ...], verdict: Verdict, fix: str = "", publish: str = ""
) -> Check:
    return Check(wanted.domain, "", "dmarc", "TXT", f"_dmarc.{wanted.domain}", wish, found, verdict, fix, publish)


def _will_inherit(wanted: WantedDomain, above: Inherited) -> int | None:
    """The strictness that the organisational domain gives to the domain, now or after its record is published."""
    given = [above.record.subdomain_strength] if above.record else []
    if above.domain != wanted.domain and above.domain in wanted.domains:
        given.append(strength(wanted.dmarc.subdomain_policy))
    return max(given, default=None)


def _exceeds(records: list[Dmarc], above: Inherited) -> bool:
    """A valid record of the subdomain that is at least as strict as what it would inherit stays."""
    return any(not record.problem and record.strength >= above.floor for record in records)


def _check_inheriting(
    wanted: WantedDomain, above: Inherited, policy: str, answer: Answer, records: list[Dmarc]
) -> Check:
    """A record of a subdomain replaces the inherited policy: without a need for one, there should be none."""
    wish = f"no record: it inherits p={policy} of {above.domain}"
    if records:
        fix = f"it replaces the p={policy} of {above.domain}: remove it"
        return _check(wanted, wish, answer.values, Verdict.WRONG, fix)
    remark = f"; {STRICT_SPF}" if "aspf" in above.strict else ""
    return _check(wanted, wish, ("nothing",), Verdict.OK, f"it inherits p={policy} of {above.domain}{remark}")


def _judge(
    wanted: WantedDomain,
    above: Inherited,
    answer: Answer,
    records: list[Dmarc],
    merged: Dmarc,
    lookup: Lookup,
) -> tuple[Verdict, str]:
    where = f" (at {answer.alias}, where the CNAME leads)" if answer.alias else ""
    if not answer.values and not answer.alias:
        name = f"_dmarc.{wanted.domain}"
        if doubled := doubled_name(name, "TXT", str(merged), wanted.domain, lookup):
            return Verdict.WRONG, without_zone(name, doubled)
        return Verdict.MISSING, "publish it"
    if not answer.values:
        return Verdict.WRONG, f"the CNAME leads to {answer.alias}, which has no TXT record: replace it with this record"
    if not records:
        return Verdict.WRONG, f"receivers ignore it, because it does not begin with v=DMARC1;: replace it{where}"
    if len(records) > 1:
        return Verdict.WRONG, f"several DMARC records mean the same as none: keep only this one{where}"
    (record,) = records
    if record.problem:
        return Verdict.WRONG, f"{record.problem}: replace it{where}"
    if record.strength < max(above.floor, strength(wanted.dmarc.policy)):
        return Verdict.WRONG, f"it is weaker than p={merged.get('p')}: replace it{where}"
    if record.subdomain_strength < max(above.floor, strength(wanted.dmarc.subdomain_policy)):
        return Verdict.WRONG, f"it is weaker for subdomains than wanted: replace it{where}"
    if merged != record:
        return Verdict.WRONG, f"no reports go to {wanted.dmarc.address}: add rua=mailto:{wanted.dmarc.address}{where}"
    remark = STRICT_SPF if record.get("aspf").lower() == "s" else ""
    stricter = record.strength > max(above.floor, strength(wanted.dmarc.policy))
    return (Verdict.ACCEPTABLE if stricter or answer.alias or remark else Verdict.OK), remark


def _foreign(domain: str, record: Dmarc) -> list[str]:
    """Domains of other organisations to which reports go."""
    targets = dict.fromkeys(address.rpartition("@")[2].lower() for address in record.addresses)
    return [target for target in targets if organisation(target) != organisation(domain)]


def _check_agreement(domain: str, target: str, lookup: Lookup) -> Check:
    """Receivers send reports to another organisation only if it publishes its consent (RFC 7489, 7.1)."""
    name = f"{domain}._report._dmarc.{target}"
    answer = lookup(name, "TXT")
    found = answer.values or (answer.absence,)
    verdict, fix = Verdict.OK, ""
    if not answer.known:
        verdict = Verdict.UNKNOWN
    elif not parse_all(answer.values):
        verdict = Verdict.WRONG if answer.values else Verdict.MISSING
        fix = f"publish it in the zone of {target}; until then, receivers send no reports there"
    return Check(domain, "", "dmarc_agreement", "TXT", name, "v=DMARC1", found, verdict, fix, "v=DMARC1")
