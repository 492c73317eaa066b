"""MTA-STS and TLS-RPT of a domain that receives mail."""

from __future__ import annotations

import re
from collections.abc import Callable

from reconciler.planning.dns_answers import Answer, Check, Lookup, Verdict
from reconciler.planning.dns_wanted import WantedDomain
from reconciler.planning.mta_sts import MODES, Fetched, Policy, parse_policy, policy_id, tag_problem, uncovered


def check_receiving(wanted: WantedDomain, lookup: Lookup, fetch: Callable[[str], Fetched]) -> list[Check]:
    if not wanted.receiving_hosts:
        return []
    checks = [_check_policy(wanted, lookup, fetch), _check_mta_sts(wanted, lookup)]
    return [*checks, _check_tls_reports(wanted, lookup)] if wanted.dns.tls_report_address else checks


def _check_policy(wanted: WantedDomain, lookup: Lookup, fetch: Callable[[str], Fetched]) -> Check:
    name = f"https://mta-sts.{wanted.domain}/.well-known/mta-sts.txt"
    hosts = ", ".join(wanted.receiving_hosts)

    def check(found: str, verdict: Verdict, fix: str = "") -> Check:
        wish = f"mode {wanted.dns.mta_sts_mode}, mx {hosts}"
        return Check(wanted.domain, "", "mta_sts_policy", "HTTPS", name, wish, (found,), verdict, fix)

    received = lookup(wanted.domain, "MX")
    mx = [value.lower().split()[-1] for value in received.values]
    fetched = fetch(wanted.domain)
    if not (fetched.known and received.known):
        return check(f"unknown: {fetched.problem or received.outcome}", Verdict.UNKNOWN)
    if strange := uncovered(mx, wanted.receiving_hosts):
        fix = f"add {', '.join(strange)} to receiving_hosts, or remove its MX record"
        return check(f"{wanted.domain} receives mail at {', '.join(strange)}", Verdict.WRONG, fix)
    if fetched.problem:
        return check(f"nothing: {fetched.problem}", Verdict.MISSING, "serve the policy text there (docs/dns.md)")
    policy = parse_policy(fetched.text)
    if isinstance(policy, str):
        return check(f"invalid: {policy}", Verdict.WRONG, "serve the policy text there (docs/dns.md)")
    return check(f"mode {policy.mode}, mx {', '.join(policy.hosts)}", *_judge(wanted, policy))


def _judge(wanted: WantedDomain, policy: Policy) -> tuple[Verdict, str]:
    if absent := uncovered(wanted.receiving_hosts, policy.hosts):
        return Verdict.WRONG, f"senders refuse to deliver to {', '.join(absent)}: add mx: {absent[0]} and change the id"
    if MODES.index(policy.mode) < MODES.index(wanted.dns.mta_sts_mode):
        return Verdict.WRONG, f"serve mode: {wanted.dns.mta_sts_mode}, and change the id"
    same = policy == Policy(wanted.dns.mta_sts_mode, wanted.receiving_hosts)
    return (Verdict.OK if same else Verdict.ACCEPTABLE), ""


def _check_mta_sts(wanted: WantedDomain, lookup: Lookup) -> Check:
    name, wish = f"_mta-sts.{wanted.domain}", f"v=STSv1; id={policy_id(wanted.mta_sts_policy)}"
    answer = lookup(name, "TXT")
    verdict, fix = _judge_tags(answer, "STSv1")
    publish = wish
    if verdict is Verdict.OK and (own := _records(answer, "STSv1")[0]) != wish:
        verdict, publish = Verdict.ACCEPTABLE, own  # an id that the owner of the domain chose
    if verdict is Verdict.MISSING:
        fix = "publish it after the policy file is available"
    return _txt(wanted, "mta_sts", name, wish, answer, verdict, fix, publish)


def _check_tls_reports(wanted: WantedDomain, lookup: Lookup) -> Check:
    address = f"mailto:{wanted.dns.tls_report_address}"
    name, wish = f"_smtp._tls.{wanted.domain}", f"v=TLSRPTv1; rua={address}"
    answer = lookup(name, "TXT")
    verdict, fix = _judge_tags(answer, "TLSRPTv1")
    if verdict is Verdict.OK and (own := _records(answer, "TLSRPTv1")[0]) != wish:
        verdict, wish = Verdict.ACCEPTABLE, own
        if address not in own.lower():
            wish = re.sub(r"rua\s*=\s*", f"rua={address},", own, count=1)
            verdict, fix = Verdict.WRONG, f"no reports go to {wanted.dns.tls_report_address}: add {address} to rua"
    return _txt(wanted, "tls_rpt", name, wish, answer, verdict, fix, wish)


def _records(answer: Answer, version: str) -> list[str]:
    return [value for value in answer.values if value.startswith(f"v={version}")]


def _judge_tags(answer: Answer, version: str) -> tuple[Verdict, str]:
    """Of the one TXT record that the name should have."""
    if not answer.known:
        return Verdict.UNKNOWN, ""
    if not answer.values and answer.alias:
        return Verdict.WRONG, f"the CNAME leads to {answer.alias}, which has no TXT record: replace it"
    if not answer.values:
        return Verdict.MISSING, "publish it"
    ours = _records(answer, version)
    if len(ours) > 1:
        return Verdict.WRONG, "several records mean the same as none: keep one"
    if problem := tag_problem((ours or answer.values)[0], version):
        return Verdict.WRONG, f"senders ignore it, because {problem}: replace it"
    return Verdict.OK, ""


def _txt(
    wanted: WantedDomain, kind: str, name: str, wish: str, answer: Answer, verdict: Verdict, fix: str, publish: str
) -> Check:
    found = answer.values or (answer.absence,)
    publish = publish if answer.known and not answer.alias else ""
    return Check(wanted.domain, "", kind, "TXT", name, wish, found, verdict, fix, publish)
