"""CODEOWNERS: who must review a change of a file. GitHub's syntax.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")  # the first one that exists applies
_PARTS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: str
    owners: tuple[str, ...]


def parse(text: str) -> tuple[Rule, ...]:
    """Rules in the order of the file. A `#` begins a comment, also after the owners."""
    rules = []
    for line in text.splitlines():
        words = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].split()
        if words:
            rules.append(Rule(words[0], tuple(words[1:])))
    return tuple(rules)


def owners_of(rules: Sequence[Rule], path: str) -> tuple[str, ...]:
    """Of a file, by its path in the repository: the owners of the last rule that covers it."""
    return next((rule.owners for rule in reversed(rules) if _compile(rule.pattern).fullmatch(path)), ())


def why_unknown(rules: Sequence[Rule], path: str, owner: str) -> str:
    """Why the owner of an entry in this file is not known to CODEOWNERS; '' if it is known.

    An e-mail address cannot be compared with the name of a user or team: a rule with one of them covers every owner.
    """
    owners = owners_of(rules, path)
    if not owners:
        return f"no rule of CODEOWNERS names an owner of {path}"
    if any(each.startswith("@") for each in owners) or owner.lower() in map(str.lower, owners):
        return ""
    return f"CODEOWNERS names {', '.join(owners)} for {path}, not {owner}"


@lru_cache(maxsize=1000)
def _compile(pattern: str) -> re.Pattern[str]:
    """As in .gitignore: a pattern with a `/` before its end begins at the root; a folder covers everything in it.

    `folder/*` is the exception: it covers only the files directly in the folder.
    """
    anchored = "/" in pattern.rstrip("/")
    body = "".join(_PARTS.get(token, re.escape(token)) for token in _TOKEN.findall(pattern.strip("/")))
    below = "/.*" if pattern.endswith("/") else "" if pattern.endswith("/*") else "(?:/.*)?"
    return re.compile(f"{'' if anchored else '(?:.*/)?'}{body}{below}", re.DOTALL)
