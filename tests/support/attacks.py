"""Texts that a terminal, a CI runner or GitHub would act on."""

from __future__ import annotations

from hypothesis import strategies as st

ON_LOGS = [
    "##[debug]gone", "a ##[group]b", "###[error]x", "##vso[task.setvariable variable=a]b", "##teamcity[message]",
    "::error::x", "x ::add-mask::y", " ::stop-commands::z", "##", "#", ":", "::", "[debug]", "a\n::error::b",
    "a\r##[error]b", "a\x1b[2Kb", "\x9b31m", "\x07", "\x7f", "a\u2028b", "a\x85b", "txt\u202egpj", "a\u200bb",
    "a\u2066b", "\ufeff", "\xad", "\ud800", "\u3164", "\ufe0f", "\U000e0041",
]  # fmt: skip
ATTACKS = [
    *ON_LOGS, "@team", "@octo-org/team", "(@team)",
    "*@team", "see #123", "GH-123", "org/repo#1", "JIRA-1", "3f2a9c81d0e4aa00112233445566778899aabbcc",
    "https://example.com", "www.example.com", "mailto:a@example.com", "a@example.com", "http://[::1]/",
    "[x](https://example.com)", "![x](https://example.com/y.png)", "<img src=x onerror=y>", "<!-- x", "-->",
    "<https://example.com>", "`x`", "```", "``` ` ```", "a|b", "|", "\\|", "\\", "\\`", "a`|`b", "$x$", "$`x`$",
    "[^1]", "[!NOTE]", "> [!WARNING]", "- [ ] x", "# x", "1. x", "---", "===", "~~x~~", "**x**", "__x__", ":tada:",
    "&lt;", "&#64;team", "<br>", "</table>", "users/test/a.yaml:9:9: x", "=1+1", "", " ", "  x  ",
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(ATTACKS),
    st.lists(st.sampled_from(ATTACKS), min_size=2, max_size=4).map("".join),
    st.lists(st.sampled_from(ATTACKS), min_size=2, max_size=4).map(" ".join),
    st.text(max_size=30),
    st.text("#:[]@`|\\<>*_~$&! \n/.w", max_size=20),
)
