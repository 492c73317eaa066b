"""Links of the access review: only https, without credentials, and only of what looks like a commit or a page."""

from __future__ import annotations

import pytest

from reconciler.output.report_links import commit_url, manifest_url, pull_request_url, repository_of
from support.reports import COMMIT, REPOSITORY

TOKEN = "ghs_0123456789"


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("https://github.com/example-org/smtp-users.git", REPOSITORY),
        ("https://github.com/example-org/smtp-users/", REPOSITORY),
        (f"https://x-access-token:{TOKEN}@github.com/example-org/smtp-users.git\n", REPOSITORY),
        (f"https://{TOKEN}@github.com/example-org/smtp-users", REPOSITORY),
        ("git@github.com:example-org/smtp-users.git", REPOSITORY),
        ("ssh://git@github.com/example-org/smtp-users", REPOSITORY),
        ("ssh://git@git.example.com:7999/team/a/b.git", "https://git.example.com/team/a/b"),
        ("https://gitlab.example.com:8443/team/a.b", "https://gitlab.example.com:8443/team/a.b"),
        ("", ""),
        ("../smtp-users", ""),
        ("/srv/git/smtp-users.git", ""),
        ("http://github.com/example-org/smtp-users", ""),
        ("javascript:alert(1)//github.com/a/b", ""),
        ("https://github.com/a/../../b", ""),
        ('https://github.com/a/b"onclick=x', ""),
        (f"https://user:{TOKEN}@/a/b", ""),
    ],
)
def test_the_pages_of_a_remote(remote: str, page: str) -> None:
    assert repository_of(remote) == page


def test_a_commit_and_a_manifest() -> None:
    assert commit_url(REPOSITORY, COMMIT) == f"{REPOSITORY}/commit/{COMMIT}"
    assert (
        manifest_url(REPOSITORY, COMMIT, "users/prod/a b#.yaml", 7)
        == f"{REPOSITORY}/blob/{COMMIT}/users/prod/a%20b%23.yaml#L7"
    )
    assert manifest_url(REPOSITORY, COMMIT, "users/prod/a.yaml", 0) == f"{REPOSITORY}/blob/{COMMIT}/users/prod/a.yaml"
    assert commit_url("https://gitlab.com/a/b", COMMIT) == f"https://gitlab.com/a/b/-/commit/{COMMIT}"


@pytest.mark.parametrize("commit", ["", "c0ffee", f"{COMMIT}-dirty", "../../evil", COMMIT.upper()])
def test_what_is_no_commit_has_no_link(commit: str) -> None:
    assert commit_url(REPOSITORY, commit) == manifest_url(REPOSITORY, commit, "users/prod/a.yaml", 1) == ""


def test_what_is_elsewhere_has_no_link() -> None:
    assert commit_url("", COMMIT) == manifest_url("", COMMIT, "a.yaml", 1) == ""
    assert manifest_url(REPOSITORY, COMMIT, "/srv/a.yaml", 1) == manifest_url(REPOSITORY, COMMIT, "", 1) == ""


@pytest.mark.parametrize("text", [f"{REPOSITORY}/pull/12", "https://gitlab.example.com/a/b/-/merge_requests/3"])
def test_a_pull_request(text: str) -> None:
    assert pull_request_url(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "javascript:alert(1)", "http://github.com/a/b/pull/1", "https://user@github.com/a/b", 'https://a.example/b/c"x',
     "https://a.example/b/c?q", "https://a.example/b/c#f", " https://a.example/b/c", "https://a.example/b/../c",
     "data:text/html,x"],
)  # fmt: skip
def test_what_is_no_pull_request(text: str) -> None:
    assert pull_request_url(text) == ""
