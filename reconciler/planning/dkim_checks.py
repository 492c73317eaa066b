"""The DKIM records of an identity: CNAMEs to keys that SES publishes and rotates, or the owner's own key."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.core.ses import OWN_KEY, SesIdentity
from reconciler.planning.dns_answers import Answer, Check, Lookup, Verdict, doubled_name, without_zone

NO_ZONE = "SES did not report the DKIM zone of this identity"
KEY = re.compile(r"(^|;)\s*p\s*=\s*[^;\s]")


def check_dkim(domain: str, identity: SesIdentity, lookup: Lookup) -> list[Check]:
    if identity.dkim_origin == OWN_KEY:
        return [_check_own_key(domain, identity.region, selector, lookup) for selector in identity.dkim_tokens]
    return [_Record(domain, identity.region, token, identity.dkim_zone).check(lookup) for token in identity.dkim_tokens]


def _check_own_key(domain: str, region: str, selector: str, lookup: Lookup) -> Check:
    name = f"{selector}._domainkey.{domain}"
    answer = lookup(name, "TXT")
    has_key = any(map(KEY.search, answer.values))
    verdict = Verdict.OK if has_key else Verdict.MISSING if answer.known else Verdict.UNKNOWN
    fix = "publish the public key of the identity" if verdict is Verdict.MISSING else ""
    found = answer.values or (answer.absence,)
    return Check(domain, region, "dkim", "TXT", name, "v=DKIM1; p=(your public key)", found, verdict, fix)


@dataclass(frozen=True, slots=True)
class _Record:
    """`zone`: empty where SES does not report it."""

    domain: str
    region: str
    token: str
    zone: str

    @property
    def name(self) -> str:
        return f"{self.token}._domainkey.{self.domain}"

    @property
    def target(self) -> str:
        return f"{self.token}.{self.zone}".lower() if self.zone else ""

    def check(self, lookup: Lookup) -> Check:
        answer = lookup(self.name, "CNAME")
        if not answer.known:
            return self._result((answer.absence,), Verdict.UNKNOWN, "" if self.target else NO_ZONE)
        return self._check_published(answer, lookup) if answer.values else self._check_absent(answer, lookup)

    def _result(self, found: tuple[str, ...], verdict: Verdict, fix: str = "") -> Check:
        wanted = self.target or f"{self.token}.ZONE"
        return Check(self.domain, self.region, "dkim", "CNAME", self.name, wanted, found, verdict, fix, self.target)

    def _check_absent(self, answer: Answer, lookup: Lookup) -> Check:
        if not self.target:
            return self._result((answer.absence,), Verdict.UNKNOWN, NO_ZONE)
        if key := lookup(self.name, "TXT").values:
            return self._result(key, Verdict.WRONG, "SES rotates the key: replace the TXT record with the CNAME record")
        if doubled := doubled_name(self.name, "CNAME", self.target, self.domain, lookup):
            return self._result((answer.absence,), Verdict.WRONG, without_zone(self.name, doubled))
        return self._result((answer.absence,), Verdict.MISSING, "publish it; it must not be proxied")

    def _check_published(self, answer: Answer, lookup: Lookup) -> Check:
        published = answer.values[0].lower()
        if self.target and published.startswith(f"{self.target}."):
            fix = "the zone was appended to the target: enter it with a final dot"
            return self._result(answer.values, Verdict.WRONG, fix)
        if published != self.target and (self.target or not published.startswith(f"{self.token}.")):
            return self._result(answer.values, Verdict.WRONG, f"change the target to {self.target or self.token}")
        key = lookup(self.name, "TXT")
        if not key.known:
            return self._result((*answer.values, f"its key: {key.absence}"), Verdict.UNKNOWN)
        if not any(map(KEY.search, key.values)):
            fix = "SES publishes the key there: wait; if the identity was created anew, its tokens have changed"
            return self._result((*answer.values, "no key (TXT record) at the target"), Verdict.WRONG, fix)
        return self._result(answer.values, Verdict.OK)
