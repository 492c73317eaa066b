"""Documents that are nearly YAML, and manifests with a few changes: for the property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from support.offline import CONFIG, manifest

VALUES = st.sampled_from(
    """
    yes no on Off y N 017 0o17 08 1:20 1_000 1e3 1.5e+3 0x1F 0b1 +1 -1 -0 00 -.5 .5 1. 1.5 ~ null Null True tRUE = <<
    2027-06-30 2001-12-14t21:59:43.10-05:00 .inf .nan nan a@example.com "*@example.com" 'it''s' "a\\/b" "\\x41" "\\_"
    a#b a:b :a a: -a - ? ! % @a `a | > |- >- |+ |2 { } [ ] , a,b {a:1} {"a":1} {a} [] {} [,] --- ... #c 203.0.113.7
    2001:db8::1 1:2:3:4 ::1 \\ ' " é 123456789012345678901 _1 -_ 1__0 e1 1e &x *x !!str !x 12:30:45
    """.split()
) | st.sampled_from(
    ["", " ", "\t", "a b", "a #b", "a: b", "- a", "{a: 1}", "{a: }", "{a: 1,}", "[a, b]", "[a: b]", "[a,b,]",
     "[? a : b]", "&a x", "!!str x", "x\n  y", "x\n\n  y", "|\n    x\n", "|-\n    x", ">\n  x\n  y\n", "a\tb",
     '["a":b]', '"a\\\n  b"',
     "[?a]", "{?a: 1}", "{? a}", "[\n  a,\n]", "{\n  a: b\n  }", "[a,\nb]", "'a\nb'", "[a,\n  # c\n  b]"]
)  # fmt: skip
LINES = st.sampled_from(
    ["users:", "users: [", "]", "  - name: ab", "    owner: x", "-", "- ", "? a", ": b", "- - a", "---", "--- x", "...",
     "%YAML 1.1", "%YAML 1.2", "%TAG ! x", "%FOO", "# c", "  ", "a: |", "  x", "    y", "a: >-", "'a': b", '"a" : b',
     "{a: b}: c", "key: {", "  a: b,", "}", "a: b: c", "a: [b,", "  c]", "c]", "?a: b",
     "{?a: b, c: d}", 'a: "x\\', ' y"']
)  # fmt: skip
INDENTS = st.sampled_from(["", "", "", " ", "  ", "    "])
ENDS = st.sampled_from(["", "", " ", "\t", " #c", "#c"])
COLONS = st.sampled_from([": ", ": ", ":", ":\t", " : "])
FIELDS = st.builds("{}{}{}{}{}".format, INDENTS, st.sampled_from("abc"), COLONS, VALUES, ENDS)
ITEMS = st.builds("{}{}{}{}".format, INDENTS, st.sampled_from(["- ", "- ", "-", "-  ", "-\t"]), VALUES, ENDS)
DOCUMENTS = st.builds(
    "{}{}".format,
    st.lists(LINES | FIELDS | ITEMS, min_size=1, max_size=5).map("\n".join),
    st.sampled_from(["\n", "\n", ""]),
)

FULL = manifest(
    '["*@invoices.example.com", Billing@example.com]',
    "expires: 2027-06-30",
    "enabled: false",
    "allowed_source_ips: [203.0.113.7, 2001:db8::/32]",
    "credential: 2",
    "rotation: {every_days: 90, overlap_days: 7}  # quarterly",
)
SEPARATORS = ": ,\n-[]{}#\"'"
PIECES = st.one_of(
    VALUES,
    LINES,
    st.text(max_size=3),
    st.sampled_from(
        ["\x1b[2K", "\u2028", "\x85", "\r", "\u202e", "\u200b", "\ufeff", "::error::", "##[debug]", "\x00"]
    ),
    st.sampled_from(["\n    enabled: true", "\n  - {}", "9" * 5000, "x" * 5000, "." * 5000, "{}," * 300, "[" * 30]),
)


def _words(text: str) -> list[str]:
    """The text as words and separators, which together are the text again."""
    for separator in SEPARATORS:
        text = text.replace(separator, f"\0{separator}\0")
    return [word for word in text.split("\0") if word]


@st.composite
def mutated(draw: st.DrawFn, original: str) -> str:
    """A text in which up to four words were replaced, removed, repeated or preceded by something else."""
    words = _words(original)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(words) - 1))
        change = draw(st.sampled_from(["replace", "replace", "insert", "remove", "repeat", "swap"]))
        if change == "replace":
            words[place] = draw(PIECES)
        elif change == "insert":
            words.insert(place, draw(PIECES))
        elif change == "remove" and len(words) > 1:
            del words[place]
        elif change == "repeat":
            words.insert(place, words[place])
        elif change == "swap":
            other = draw(st.integers(0, len(words) - 1))
            words[place], words[other] = words[other], words[place]
    return "".join(words)


MANIFESTS = mutated(FULL)
SETTINGS = mutated(CONFIG)
