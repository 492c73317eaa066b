"""An identity in SES, and the records that it needs: DKIM, and MX and SPF of its MAIL FROM domain."""

from __future__ import annotations

from reconciler.core.ses import SUCCESS, SesIdentity
from reconciler.planning.dkim_checks import check_dkim
from reconciler.planning.dns_answers import Check, Lookup, Verdict, doubled_name, without_zone
from reconciler.planning.dns_wanted import WantedDomain
from reconciler.planning.spf_check import check_spf

UNVERIFIED = "a local AWS looks for no DNS records"
UNSUPPORTED = "a local AWS does not store this"


def check_identity(wanted: WantedDomain, region: str, identity: SesIdentity | None, lookup: Lookup) -> list[Check]:
    if identity is None:
        return [_check_missing(wanted, region)]
    mail_from = identity.mail_from if wanted.existing else wanted.mail_from(region)
    return [
        _check_verification(wanted, identity),
        _check_mail_from(wanted, identity),
        _check_configuration_set(wanted, identity),
        *check_dkim(wanted.domain, identity, lookup),
        *(_check_mail_from_records(wanted.domain, region, mail_from, lookup) if mail_from else ()),
    ]


def _check_missing(wanted: WantedDomain, region: str) -> Check:
    verdict, fix = Verdict.MISSING, f"create it: make apply ENV={wanted.environment}"
    if wanted.existing:
        fix = f"reconcile.yaml says that it exists: create it in {region}, or remove it from identities"
    if wanted.local:
        verdict, fix = Verdict.UNKNOWN, f"on a local AWS, make apply ENV={wanted.environment} creates it"
    found = (f"nothing: no such identity in {region}",)
    return Check(wanted.domain, region, "identity", "SES", wanted.domain, "verified, DKIM SUCCESS", found, verdict, fix)


def _check_verification(wanted: WantedDomain, identity: SesIdentity) -> Check:
    def check(verdict: Verdict, fix: str = "") -> Check:
        signing = "" if identity.dkim_signing else ", signing is off"
        found = f"{'verified' if identity.verified else 'not verified'}, DKIM {identity.dkim_status}{signing}"
        name = wanted.domain
        return Check(name, identity.region, "identity", "SES", name, "verified, DKIM SUCCESS", (found,), verdict, fix)

    if identity.dkim_status == SUCCESS and identity.verified and identity.dkim_signing:
        return check(Verdict.OK)
    if wanted.local:
        return check(Verdict.UNKNOWN, UNVERIFIED)
    if not identity.dkim_signing or (identity.dkim_status == "NOT_STARTED" and not identity.dkim_tokens):
        command = (
            f"aws sesv2 put-email-identity-dkim-attributes --region {identity.region} --email-identity "
            f"{wanted.domain} --signing-enabled"
        )
        return check(Verdict.WRONG, f"enable DKIM: {command}")
    if identity.dkim_status == "FAILED":
        command = (
            f"aws sesv2 put-email-identity-dkim-signing-attributes --region {identity.region} --email-identity "
            f"{wanted.domain} --signing-attributes-origin AWS_SES"
        )
        return check(Verdict.WRONG, f"publish the DKIM records, then let SES check again: {command}")
    return check(Verdict.WRONG, "publish the DKIM records; SES finds them within 72 hours, usually within minutes")


def _check_mail_from(wanted: WantedDomain, identity: SesIdentity) -> Check:
    name = identity.mail_from if wanted.existing else wanted.mail_from(identity.region)

    def check(verdict: Verdict, fix: str = "") -> Check:
        found = f"{identity.mail_from}, {identity.mail_from_status}" if identity.mail_from else "none: amazonses.com"
        wish = f"{name}, SUCCESS" if name else "a MAIL FROM domain"
        return Check(
            wanted.domain, identity.region, "mail_from", "SES", wanted.domain, wish, (found,), verdict, fix
        )  # fmt: skip

    if not name:
        return check(Verdict.OPTIONAL, "without it, SPF does not count for DMARC; DKIM does")
    if wanted.local and not identity.mail_from:
        return check(Verdict.UNKNOWN, UNSUPPORTED)
    if identity.mail_from != name:
        return check(Verdict.WRONG, f"make apply ENV={wanted.environment}")
    if identity.mail_from_status == SUCCESS:
        return check(Verdict.OK)
    if identity.mail_from_status == "FAILED":
        command = (
            f"aws sesv2 put-email-identity-mail-from-attributes --region {identity.region} --email-identity "
            f"{wanted.domain} --mail-from-domain {name}"
        )
        return check(Verdict.WRONG, f"publish the MX record, then let SES check again: {command}")
    return check(Verdict.WRONG, "publish the MX record; SES finds it within 72 hours, usually within minutes")


def _check_configuration_set(wanted: WantedDomain, identity: SesIdentity) -> Check:
    found, name = identity.configuration_set, wanted.configuration_set

    def check(verdict: Verdict, fix: str = "") -> Check:
        return Check(
            wanted.domain, identity.region, "configuration_set", "SES", wanted.domain, name, (found or "none",),
            verdict, fix,
        )  # fmt: skip

    if found == name:
        return check(Verdict.OK)
    if wanted.local and not found:
        return check(Verdict.UNKNOWN, UNSUPPORTED)
    if wanted.existing:
        header = f"X-SES-CONFIGURATION-SET: {name}"
        return check(Verdict.ACCEPTABLE, f"SMTP users send through {name} only: clients must set the header {header}")
    return check(Verdict.WRONG, f"make apply ENV={wanted.environment}")


def _check_mail_from_records(domain: str, region: str, name: str, lookup: Lookup) -> list[Check]:
    spf = check_spf(domain, region, name, (), "~all", lookup)
    return [_check_mx(domain, region, name, lookup), spf]


def _check_mx(domain: str, region: str, name: str, lookup: Lookup) -> Check:
    host = f"feedback-smtp.{region}.amazonses.com"
    wanted = f"10 {host}"
    answer = lookup(name, "MX")

    def check(verdict: Verdict, fix: str = "") -> Check:
        found = answer.values or (answer.absence,)
        return Check(domain, region, "mail_from_mx", "MX", name, wanted, found, verdict, fix, wanted)

    if not answer.known:
        return check(Verdict.UNKNOWN)
    if not answer.values:
        if doubled := doubled_name(name, "MX", wanted, domain, lookup):
            return check(Verdict.WRONG, without_zone(name, doubled))
        return check(Verdict.MISSING, "publish it")
    if len(answer.values) > 1:
        return check(Verdict.WRONG, "SES requires that this is the only MX record of the name: remove the others")
    if answer.values[0].lower().split()[-1] != host:
        return check(Verdict.WRONG, f"bounces must return to SES in {region}: change the host to {host}")
    return check(Verdict.OK if answer.values[0].lower() == wanted else Verdict.ACCEPTABLE)
