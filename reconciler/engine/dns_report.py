"""Compare the DNS records of an environment with what SES and its settings require."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from reconciler.aws.ses import read_account, read_identity
from reconciler.core.ses import SesAccount
from reconciler.engine.dns import PolicyFetcher, Resolver, not_queried
from reconciler.engine.session import BRIEF, Connection
from reconciler.errors import AwsError
from reconciler.manifests.environments import Environment
from reconciler.planning.dns_report import DnsReport, check_domain
from reconciler.planning.dns_wanted import WantedDomain

SES_THREADS = 4  # SES allows few of these requests per second
DNS_THREADS = 24

LOCAL = "a local AWS has no DKIM zone, and its domains are not public: DNS was not queried (--resolver queries one)"


def make_report(connection: Connection, servers: Sequence[tuple[str, int]]) -> DnsReport:
    """Raises AwsError."""
    environment = connection.environment
    regions, domains = environment.smtp_regions, sorted(environment.allowed_domains)
    clients = {region: connection.ses(region) for region in regions}
    accounts = [read_account(clients[region], region) for region in regions]
    wanted = [_wanted(environment, domain) for domain in domains]
    pairs = [(region, domain) for domain in domains for region in regions]
    with ThreadPoolExecutor(SES_THREADS) as pool:
        read = pool.map(lambda pair: read_identity(clients[pair[0]], *pair), pairs)
        identities = dict(zip(pairs, read, strict=True))
    offline = environment.local and not servers
    lookup = not_queried if offline else Resolver(servers).lookup
    fetch = PolicyFetcher(lookup).fetch
    with ThreadPoolExecutor(DNS_THREADS) as pool:
        checks = pool.map(
            lambda each: check_domain(each, {r: identities[r, each.domain] for r in regions}, lookup, fetch), wanted
        )
        return DnsReport(
            environment=environment.name,
            accounts=accounts,
            checks=[check for found in checks for check in found],
            policies={each.domain: each.mta_sts_policy for each in wanted if each.receiving_hosts},
            notes=[LOCAL] if offline else [],
        )


def _wanted(environment: Environment, domain: str) -> WantedDomain:
    return WantedDomain(
        environment=environment.name,
        domain=domain,
        domains=environment.allowed_domains,
        regions=environment.smtp_regions,
        configuration_set=environment.configuration_set,
        local=environment.local,
        existing=domain in environment.deployment.existing_identities,
        dns=environment.dns,
    )


def read_accounts(connection: Connection) -> list[SesAccount]:
    """Of each SMTP region. A region that cannot be read is left out: its state is additional information."""
    accounts = []
    for region in connection.environment.smtp_regions:
        try:
            accounts.append(read_account(connection.ses(region, BRIEF), region))
        except AwsError:
            continue
    return accounts
