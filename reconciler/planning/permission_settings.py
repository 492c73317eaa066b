"""How the settings of an environment change, and which changes loosen it: permit more, or watch less.

Every setting of the schema has a rule here; one without a rule, of another version, loosens whenever it changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.core.address import normalize_address
from reconciler.planning.settings import describe_setting

Values = Mapping[str, Any]
Rule = Callable[[Any, Any], bool]  # of the values before and after, which differ: does the change loosen?


@dataclass(frozen=True, slots=True)
class SettingChange:
    """`name`: as in reconcile.yaml, with a dot before each inner name."""

    name: str
    text: str
    widens: bool


def _never(_: Any, __: Any) -> bool:
    return False


def _always(_: Any, __: Any) -> bool:
    return True


def _when_true(_: Any, after: Any) -> bool:
    return after is not False


def _when_false(_: Any, after: Any) -> bool:
    return after is not True


def _when_set(_: Any, after: Any) -> bool:
    return after is not None


def _when_it_was_set(before: Any, _: Any) -> bool:
    return before is not None


def _when_raised(before: Any, after: Any) -> bool:
    return not (_is_number(before) and _is_number(after)) or after > before


def _when_lowered(before: Any, after: Any) -> bool:
    return not (_is_number(before) and _is_number(after)) or after < before


def _when_more(before: Any, after: Any) -> bool:
    return any(value not in _list(before) for value in _list(after))


def _when_fewer(before: Any, after: Any) -> bool:
    return any(value not in _list(after) for value in _list(before))


def _when_weaker(*weakest_first: str) -> Rule:
    def loosens(before: Any, after: Any) -> bool:
        known = before in weakest_first and after in weakest_first
        return not known or weakest_first.index(after) < weakest_first.index(before)

    return loosens


_DMARC = _when_weaker("none", "quarantine", "reject")

# The rule and the default of each setting. A mapping has one rule for each of its values.
RULES: dict[str, tuple[Rule, Any]] = {
    "account_id": (_always, None),
    "region": (_never, None),  # that of the table and the functions; where users send from is smtp_regions
    "smtp_regions": (_when_more, []),
    "table": (_never, None),
    "configuration_set": (_always, None),  # one may be used that was denied before
    "allowed_domains": (_when_more, []),
    "allow_wildcards": (_when_true, False),
    "reserved_addresses": (_when_more, None),  # of each address: the users that may send as it
    "limits": (_when_raised, None),
    "local": (_when_true, False),  # a local environment has fewer safety checks
    "confirm": (_when_false, False),
    "existing_table": (_never, False),
    "existing_configuration_set": (_never, False),
    "identities": (_never, "managed"),
    "github_subject_prefix": (_when_set, None),  # whose workflows may apply
    "oidc_provider_arn": (_when_set, None),  # who says which workflow it is
    "credential_readers": (_when_more, []),
    "external_credential_readers": (_when_more, []),
    "role_permissions_boundary": (_when_it_was_set, None),
    "role_path": (_never, "/"),
    "wide_reads": (_when_true, True),
    "iam_user_tags": (_never, None),
    "mail_from_label": (_never, "bounce"),
    "dmarc_policy": (_DMARC, "none"),
    "dmarc_subdomain_policy": (_DMARC, None),
    "dmarc_report_address": (_never, None),
    "tls_report_address": (_never, None),
    "spf_includes": (_when_more, []),
    "spf_all": (_when_weaker("~all", "-all"), "~all"),
    "mta_sts_mode": (_when_weaker("none", "testing", "enforce"), "testing"),
    "receiving_hosts": (_when_more, []),
    "alarm_emails": (_when_fewer, []),
    "alarm_thresholds": (_when_raised, None),
    "topic_kms_keys": (_when_it_was_set, None),
    "deletion_protection": (_when_false, None),
    "log_retention_days": (_when_lowered, 365),
    "reserved_concurrency": (_never, None),
    "tags": (_never, None),
}
# Defaults of the values of a mapping.
INNER_DEFAULTS: dict[str, Any] = {
    "limits.max_creates": 50,
    "alarm_thresholds.bounce_rate_warning": 0.02,
    "alarm_thresholds.bounce_rate": 0.05,
    "alarm_thresholds.complaint_rate_warning": 0.0005,
    "alarm_thresholds.complaint_rate": 0.001,
    "alarm_thresholds.iterator_age_minutes": 90,
    "alarm_thresholds.removed_users": 10,
    "alarm_thresholds.repaired_users": 1,
    "alarm_thresholds.unchecked_runs": 3,
    "alarm_thresholds.sweep_overdue_hours": 24,
}
_RESERVED = "reserved_addresses"
_UNKNOWN: tuple[Rule, Any] = (_always, None)


def compare_environment(before: Values, after: Values) -> tuple[SettingChange, ...]:
    """`before` and `after`: the fields of an environment in reconcile.yaml, valid or not. What loosens comes first."""
    old, new = dict(_flat(_complete(before))), dict(_flat(_complete(after)))
    found = (_compare(name, old, new) for name in sorted(old.keys() | new.keys()))
    return tuple(sorted(filter(None, found), key=lambda change: not change.widens))


def _compare(name: str, old: Values, new: Values) -> SettingChange | None:
    setting = name.split(".")[0]
    rule, default = RULES.get(setting, _UNKNOWN)
    default = INNER_DEFAULTS.get(name, default)
    before, after = old.get(name, default), new.get(name, default)
    if before == after and isinstance(before, bool) == isinstance(after, bool):  # 1 == True
        return None
    if setting == _RESERVED:
        return _compare_reservation(name, before, after)
    return SettingChange(name, _describe(before, after), rule(before, after))


def _compare_reservation(name: str, before: Any, after: Any) -> SettingChange:
    """None: the address is not reserved, so every user may be granted it."""
    if after is None:
        return SettingChange(name, f"no longer reserved (before: for {_names(before)})", widens=True)
    if before is None:
        return SettingChange(name, f"reserved for {_names(after)}", widens=False)
    return SettingChange(name, describe_setting(before, after), _when_more(before, after))


def _names(users: list[Any]) -> str:
    return ", ".join(map(str, users)) or "no user"


def _complete(fields: Values) -> dict[str, Any]:
    """With the defaults that depend on other settings."""
    made = {**fields}
    if "region" in fields:
        made.setdefault("smtp_regions", [fields["region"]])
    made.setdefault("deletion_protection", fields.get("local") is not True)
    made.setdefault("dmarc_subdomain_policy", fields.get("dmarc_policy", "none"))
    if _RESERVED in fields:
        made[_RESERVED] = {
            normalize_address(str(one.get("address"))): _list(one.get("users"))
            for one in _list(fields[_RESERVED])
            if isinstance(one, dict)
        }
    return made


def _flat(fields: Values, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _describe(before: Any, after: Any) -> str:
    if isinstance(before, list) != isinstance(after, list):
        before, after = (
            _list(value) if isinstance(value, list) or value is None else value for value in (before, after)
        )
    shown = ("not set" if value is None else value for value in (before, after))
    return describe_setting(*shown)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
