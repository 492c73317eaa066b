"""Observe many IAM users with few calls."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reconciler.aws.iam import IamIdentities
from reconciler.core.decision import Attachment, AttachmentKind, Identity
from reconciler.core.ownership import smtp_user_name
from reconciler.core.policy import POLICY_NAME
from reconciler.core.user import NAME
from reconciler.errors import ABSENT, DENIED, AwsError
from reconciler.ports import Listing, Observed

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import UserDetailTypeDef

READERS = 4  # users observed at the same time: the whole account shares IAM's throttling
UNSUPPORTED = frozenset({"InvalidAction", "UnknownOperationException"})  # how an emulator answers

# Ways to sign in, which IAM returns per user only.
SIGN_IN = (
    AttachmentKind.LOGIN_PROFILE,
    AttachmentKind.MFA_DEVICE,
    AttachmentKind.SSH_KEY,
    AttachmentKind.CERTIFICATE,
    AttachmentKind.SERVICE_CREDENTIAL,
)


def _readers() -> Executor:
    return ThreadPoolExecutor(READERS)


@dataclass(frozen=True, slots=True)
class IamReader:
    """`wide_reads`: GetAccountAuthorizationDetails may be called, which returns the users of the whole account."""

    identities: IamIdentities
    wide_reads: bool
    pool: Callable[[], Executor] = _readers

    def read(self) -> Listing:
        """All users at once where that is permitted, or only their names. Raises AwsError if IAM returns neither."""
        if self.wide_reads:
            try:
                return self._read_all()
            except AwsError as error:
                if error.code not in DENIED | UNSUPPORTED:
                    raise
        return Listing(self.identities.listed())

    def _read_all(self) -> Listing:
        users, identities = [], {}
        for details in self.identities.details():
            users.append(details["UserName"])
            if name := smtp_user_name(self.identities.environment, details["UserName"]):
                identities[name] = self._identity(name, details)
        return Listing(users, identities)

    def _identity(self, name: str, details: UserDetailTypeDef) -> Identity:
        """As `IamIdentities.audit` observes it, without keys and SIGN_IN.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_UserDetail.html
        """
        identity = self.identities.identity(name, details)
        if not identity.owned:
            return identity
        # botocore has parsed the documents.
        policies: dict[str, Any] = {
            one["PolicyName"]: one["PolicyDocument"] for one in details.get("UserPolicyList", [])
        }
        policy = policies.pop(POLICY_NAME, None)
        found = {
            AttachmentKind.INLINE_POLICY: [*policies],
            AttachmentKind.MANAGED_POLICY: [one["PolicyArn"] for one in details.get("AttachedManagedPolicies", [])],
            AttachmentKind.GROUP: details.get("GroupList", []),
        }
        return replace(
            identity,
            policy=policy if isinstance(policy, dict) else None,
            attachments=tuple(Attachment(kind, each) for kind, ids in found.items() for each in ids),
            audited=True,
        )

    def observe(self, names: Iterable[str], listing: Listing, fully: Callable[[str], bool]) -> Generator[Observed]:
        """Each user in the order of `names`, or why it could not be observed; several at the same time.

        What `listing` contains is not read again. SIGN_IN is read where `fully` says so. A generator that is closed
        starts no further call.
        """

        def observe(name: str) -> Observed:
            try:
                return name, self._observe(name, listing, fully)
            except Exception as error:  # noqa: BLE001 - one user must not end the others
                return name, error

        with self.pool() as pool:
            yield from pool.map(observe, names)

    def _observe(self, name: str, listing: Listing, fully: Callable[[str], bool]) -> Identity | None:
        if not NAME.fullmatch(name):
            return None  # it can never have had a managed IAM user
        known = listing.identities.get(name) if listing.identities is not None else None
        if known is None:
            return self.identities.audit(name)  # it may be new, or live under another path
        if not known.owned:
            return known
        keys = self.identities.keys(name)
        if keys is None:
            return None
        identity = replace(known, keys=keys)
        if not fully(name):
            return identity
        try:
            found = self.identities.attachments(name, SIGN_IN)
        except AwsError as error:
            if error.code == ABSENT:
                return None  # deleted meanwhile
            raise
        return replace(identity, attachments=(*identity.attachments, *found))
