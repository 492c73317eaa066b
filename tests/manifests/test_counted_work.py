"""The work for a user is done once, however many users and files there are: counted, not timed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.core import networks
from reconciler.manifests import loader, schema, yaml_source
from reconciler.manifests.environments import load_environment
from reconciler.manifests.yaml_source import read_source
from support.offline import CONFIG, manifest
from support.yaml_texts import DOCUMENTS, MANIFESTS

anything = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def count_calls(monkeypatch: pytest.MonkeyPatch, *functions: tuple[Any, str]) -> Counter[str]:
    calls: Counter[str] = Counter()

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            calls[name] += 1
            return function(*args, **options)

        return call

    for module, name in functions:
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    return calls


@pytest.mark.parametrize("files", [3, 30])
def test_every_file_is_parsed_once_and_every_user_is_made_once(
    files: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reconcile.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "users" / "test").mkdir(parents=True)
    for number in range(files):
        text = "".join(
            manifest(
                '["*@example.com"]', "allowed_source_ips: [203.0.113.0/24]", name=f"user-{number}-{n}"
            ).removeprefix("users:\n")
            for n in range(4)
        )
        (tmp_path / "users" / "test" / f"team-{number:02}.yaml").write_text(f"users:\n{text}", encoding="utf-8")
    environment = load_environment(tmp_path / "reconcile.yaml", "test")
    loader.load_manifests(tmp_path / "users", environment)  # what is built once per run
    calls = count_calls(
        monkeypatch,
        (yaml, "compose"), (yaml, "parse"), (loader, "make_user"), (schema, "_Validator"), (networks, "_collapse"),
    )  # fmt: skip
    assert len(loader.load_manifests(tmp_path / "users", environment)) == 4 * files
    assert calls == {"compose": files, "make_user": 4 * files}


TRAPS = st.lists(
    st.sampled_from(["&a ", "*a", "!t ", "! ", "%", "---\n", "...\n", "a: ", "- ", "[", "]", "{", "}", ", ", "\n", "b",
                     "'", '"', "#", "|\n", "  ", ":", "?"]),
    min_size=1, max_size=14,
).map("".join)  # fmt: skip


@given(TRAPS | DOCUMENTS | MANIFESTS)
@example("a: '*b'&c d\n")
@example('["a"*b]\n')
@example("a: &b " + "[" * 30 + "]" * 30)
@example("[" * 20 + "a" + "]" * 20)
@example("[" * 21 + "]" * 21)
@anything
def test_a_file_that_is_read_in_one_pass_means_what_its_events_mean(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text.encode(errors="ignore").decode(), encoding="utf-8", newline="")
    quick = read_source(path, "a.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_source, "_UNSAFE", re.compile(""))
        slow = read_source(path, "a.yaml")
    assert (quick.data, quick.problems) == (slow.data, slow.problems)
