"""A small repository of manifests for the tests without AWS, and a table of everything that can be wrong with one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

CONFIG = """\
environments:
  test:
    account_id: "111122223333"
    region: eu-central-1
    table: smtp-users-test
    configuration_set: smtp-test
    allowed_domains: [example.com, invoices.example.com]
    allow_wildcards: true
    limits: {max_deletes: 5, max_delete_percent: 50}
  strict:
    account_id: "444455556666"
    region: eu-central-1
    table: smtp-users-strict
    configuration_set: smtp-strict
    allowed_domains: [example.com]
    limits: {max_deletes: 0, max_delete_percent: 0}
"""
# `validate` refuses example values in any other environment.
LOCAL = CONFIG.replace("}\n", "}\n    local: true\n")


def manifest(
    addresses: str = "[billing@example.com]",
    *extra: str,
    name: str = "billing-mailer",
    description: str = "Invoices",
    owner: str = "billing@example.com",
) -> str:
    """One user. Lines: 2 name, 3 description, 4 owner, 5 addresses (value in column 29), 6 and on `extra`."""
    lines = [
        "users:",
        f"  - name: {name}",
        f"    description: {description}",
        f"    owner: {owner}",
        f"    allowed_from_addresses: {addresses}",
        *(f"    {line}" for line in extra),
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Told:
    """One problem as it is printed. `where`: `file:line:column` below users/<env>/, or the bare file."""

    where: str
    words: str
    hint: str = ""


@dataclass(frozen=True)
class Bad:
    label: str
    files: dict[str, str | bytes]
    told: tuple[Told, ...]
    env: str = "test"
    sparse: dict[str, int] = field(default_factory=dict)


def bad(label: str, content: str | bytes, *told: Told | tuple[str, ...], env: str = "test") -> Bad:
    """One file `a.yaml`; a tuple is (line:column, words, hint) in it."""
    all_told = tuple(one if isinstance(one, Told) else Told(f"a.yaml:{one[0]}", *one[1:]) for one in told)
    return Bad(label, {"a.yaml": content}, all_told, env)


def lay_out(root: Path, case: Bad) -> Path:
    """Write reconcile.yaml and users/<env>/ below `root`; returns the folder of the environment."""
    (root / "reconcile.yaml").write_text(LOCAL, encoding="utf-8")
    folder = root / "users" / case.env
    folder.mkdir(parents=True)
    for name, content in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for name, size in case.sparse.items():
        with (folder / name).open("wb") as file:
            file.truncate(size)
    return folder


SPLIT = "split it into several users"
QUOTES = 'a value that begins with * needs quotes: "*@example.com"'
SPACES = "indent with spaces, not with tabs"
ASCII = "plain ASCII only"
NAME_HINT = "2 to 40 of a-z, 0-9 and '-'"
QUOTED = "put it in quotes if it is text"
VALUE = "repeat the value where it is used"
MANY = "[" + ", ".join(f"sender-{n:03}@example.com" for n in range(100)) + "]"
BOMB = "a: &a [x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)

BAD: tuple[Bad, ...] = (
    # Invalid YAML.
    bad("flow list not closed", manifest("[billing@example.com"), ("6:1", "not valid YAML", "check indentation")),
    bad("colon in plain text", manifest(description="Mail: all"), ("3:22", "mapping values are not allowed", "quotes")),
    bad("tab as indentation", "users:\n\t- name: a\n", ("2:1", "not valid YAML", SPACES)),
    bad("tab inside an entry", "users:\n  - name: ab\n\towner: x\n", ("3:1", "not valid YAML: found a tab", SPACES)),
    bad("bare wildcard in a flow list", manifest("[*@example.com]"), ("5:31", "scanning an alias", QUOTES)),
    bad("bare wildcard in a block list", manifest("\n      - *@example.com"), ("6:10", "scanning an alias", QUOTES)),
    bad("bare wildcard with a prefix", manifest("[*alerts@example.com]"), ("5:37", "not valid YAML", QUOTES)),
    bad("a NUL", manifest(description="In\0voices"), ("3:20", "U+0000 is not allowed")),
    bad("a NUL after other letters", manifest(description="Büro\0"), ("3:22", "U+0000 is not allowed")),
    bad("an escape character", manifest(description="In\x1bvoices"), ("3:20", "U+001B is not allowed")),
    bad(
        "a forbidden character on a later line", manifest(owner="\x7f"), ("4:12", "U+007F is not allowed", "remove it")
    ),
    bad("no character at all", manifest(description="In\ufffevoices"), ("3:20", "U+FFFE is not allowed", "remove it")),
    bad(
        "a forbidden character in a file that is no YAML either",
        "users: [\n\x00",
        ("2:1", "the character U+0000 is not allowed", "remove it"),
    ),
    # Line breaks that the parser recognises but a reviewer cannot see: a grant inside an apparent comment.
    *(
        bad(
            f"the line break U+{ord(character):04X} in {where}",
            manifest().replace(marked, text.format(character)),
            (place, f"the line break U+{ord(character):04X} is not allowed", "end lines with LF or CRLF only"),
        )
        for character in "\r\x85\u2028\u2029"
        for where, marked, text, place in (
            ("a comment", "users:\n", "users: # one sender only{}    allow: true\n", "1:25"),
            ("a value", "Invoices", "Invo{}ices", "3:22"),
        )
    ),
    bad(
        "a direction override", manifest(description="a\u202eb"), ("3:19", "the character U+202E is not allowed", "rem")
    ),
    bad(
        "a key after a question mark",
        "users: [{name: crm, description: x, owner: a@example.com, ?allowed_from_addresses: ['*@example.com']}]\n",
        ("1:59", "a '?' stands directly before a value", "remove it"),
    ),
    bad("a no-break space", "# a\u00a0b\n" + manifest(), ("1:4", "the character U+00A0 is not allowed", "ordinary")),
    bad("a wide space", manifest(description="a\u3000b"), ("3:19", "the character U+3000 is not allowed", "ordinary")),
    bad("a zero-width space", "# a\u200bb\n" + manifest(), ("1:4", "the character U+200B is not allowed", "remove it")),
    # Bytes and sizes.
    bad("latin-1", manifest(description="Büro").encode("latin-1"), ("3:19", "byte 0xfc is not UTF-8", "as UTF-8")),
    bad("utf-16", manifest().encode("utf-16"), ("1:1", "byte 0xff is not UTF-8", "save the file as UTF-8")),
    bad(
        "latin-1 behind a byte order mark",
        b"\xef\xbb\xbf" + manifest(description="Büro").encode("latin-1"),
        ("3:19", "byte 0xfc is not UTF-8", "save the file as UTF-8"),
    ),
    bad("empty", "", Told("a.yaml", "the file is empty", "delete it")),
    bad("comments only", "# nothing yet\n", Told("a.yaml", "the file is empty", "delete it")),
    bad("1 MB and a bit", "#" * 1_000_001, Told("a.yaml", "the file has 1.0 MB; the limit is 1 MB", "split")),
    Bad("50 MB", {}, (Told("a.yaml", "the file has 50.0 MB", "one file per team"),), sparse={"a.yaml": 50_000_000}),
    # Valid YAML that manifests may not contain.
    bad("an anchor", manifest("&all [billing@example.com]"), ("5:29", "anchor &all is not allowed", VALUE)),
    bad(
        "an anchor and its alias",
        manifest("&all [billing@example.com]", "allowed_source_ips: *all"),
        ("5:29", "anchor &all is not allowed", VALUE),
        ("6:25", "alias *all is not allowed", VALUE),
    ),
    bad(
        "a merge key",
        manifest("[billing@example.com]", "<<: {enabled: false}"),
        ("6:5", "'<<' is not the same value", QUOTED),
    ),
    bad("a second document", f"{manifest()}---\n{manifest()}", ("6:1", "a second YAML document begins", "'---'")),
    bad(
        "a tag that makes objects",
        "users: !!python/object/apply:os.system ['true']\n",
        ("1:8", "python/object/apply:os.system is not allowed", "write the plain value"),
    ),
    bad("a tag of one's own", "users: !mine []\n", ("1:8", "the tag !mine is not allowed", "write the plain value")),
    bad("a tag on text", manifest(description="!!str 42"), ("3:18", "is not allowed", "write the plain value")),
    bad("a tag on a list", manifest(description="!!str [x]"), ("3:18", "is not allowed", "write the plain value")),
    bad("a tag on a key", f"!!str {manifest()}", ("1:1", "is not allowed", "write the plain value")),
    bad(
        "a key twice",
        manifest("[billing@example.com]", "name: other"),
        ("6:5", "duplicate key 'name' (first on line 2)", "remove one of them"),
    ),
    bad("a list as a key", manifest("[billing@example.com]", "[x]: y"), ("6:5", "a key must be plain text")),
    bad("10,000 levels", "users: " + "[" * 10_000, ("1:27", "nested more than 20 levels deep", "four levels")),
    bad(
        "a tag, an anchor and an alias in one file",
        manifest("&all [billing@example.com]", "enabled: !!bool yes", "rotation: *all"),
        ("5:29", "the anchor &all is not allowed", VALUE),
        ("6:14", "the tag tag:yaml.org,2002:bool is not allowed", "write the plain value"),
        ("7:15", "the alias *all is not allowed", VALUE),
    ),
    # What YAML 1.1 and 1.2 read differently.
    *(
        bad(
            f"the boolean {word} of YAML 1.1",
            manifest("[billing@example.com]", f"enabled: {word}"),
            ("6:14", f"'{word}' is a boolean in YAML 1.1 and text in YAML 1.2", "write true or false"),
        )
        for word in ("yes", "No", "ON", "off", "y", "N")
    ),
    *(
        bad(
            f"the number {number}",
            manifest(description=number),
            ("3:18", f"'{number}' is not the same value in YAML 1.1 and YAML 1.2", QUOTED),
        )
        for number in (
            "0o17",
            "017",
            "08",
            "1_000",
            "1e3",
            "1.5e3",
            "0b11",
            "0x1F",
            "+-2",
            "12:30:45",
            "1:20.5",
            ".inf",
            "-.NaN",
            "=",
        )
    ),
    bad("a key that is a boolean", manifest("[billing@example.com]", "on: x"), ("6:5", "'on' is a boolean", QUOTED)),
    bad(
        "a key that is a number",
        manifest("[billing@example.com]", "1: x"),
        ("6:5", "a key must be plain text", "quotes"),
    ),
    bad("a YAML directive", f"%YAML 1.1\n---\n{manifest()}", ("1:1", "directives such as %YAML", "remove the line")),
    bad(
        "a TAG directive", f"%TAG ! tag:x,1:\n---\n{manifest()}", ("1:1", "directives such as %YAML", "remove the line")
    ),
    bad(
        "a tab before a value", manifest().replace("name: ", "name:\t"), ("2:10", "a tab is not allowed", "use spaces")
    ),
    bad("a tab in a comment", f"# a\tb\n{manifest()}", ("1:4", "a tab is not allowed", "use spaces")),
    bad(
        "a comment that touches a value",
        manifest('["billing@example.com"]#, "*@example.com"]'),
        ("5:52", "a comment begins directly after a value", "write a space before the '#'"),
    ),
    bad(
        "a list that continues at the margin",
        manifest("[billing@example.com,\na@example.com]"),
        ("6:1", "this line continues a value, but is not indented", "more spaces"),
    ),
    bad(
        "a block of text that touches its comment",
        manifest(description="|-# text\n      Invoices"),
        ("3:18", "a comment begins directly after the '|'", "write a space"),
    ),
    *(
        bad(
            f"the invisible character U+{ord(hidden):04X}",
            manifest(description=f"In{hidden}voices"),
            ("3:20", f"U+{ord(hidden):04X} is not"),
        )
        for hidden in "\u00ad\u034f\u061c\u115f\u180e\u2060\u2066\u2800\u3164\ufe0f\uffa0\U000e0041\U000e0100"
    ),
    # The owner is an address.
    *(
        bad(f"the owner {owner}", manifest(owner=owner), ("4:12", f"'{owner}' {fault}", ""))
        for owner, fault in (
            ("mailto:billing@example.com", "has an invalid local part"),
            ("billing@example..com", "has an invalid domain"),
            ("billing..team@example.com", "has an invalid local part"),
            ("bill$ing@example.com", "contains '$'"),
            ("bil*@example.com", "is not the address of a mailbox"),
            ("billing@-example.com", "has an invalid domain"),
        )
    ),
    bad("an owner in umlauts", manifest(owner="b\u00fcro@example.com"), ("4:12", "the character U+00FC", ASCII)),
    bad(
        "an owner of 40,000 dots",
        manifest(owner="a@" + "." * 40_000),
        ("4:12", "'owner' is 'a@....", "responsible team"),
    ),
    # The shape.
    bad("a list at the top", "- name: ab\n", ("1:1", "this entry must be a mapping, not a list")),
    bad("a word at the top", "users\n", ("1:1", "this entry must be a mapping, not 'users'")),
    bad("users is no list", "users: {name: ab}\n", ("1:8", "'users' must be a list, not a mapping", "A list of SMTP")),
    bad("users is nothing", "users:\n", ("1:7", "'users' must be a list, not nothing", "[] if the team has none")),
    bad("an entry is text", "users:\n  - billing\n", ("2:5", "this entry must be a mapping, not 'billing'", "user")),
    bad("an entry is nothing", "users:\n  -\n", ("2:4", "this entry must be a mapping, not nothing", "One SMTP user")),
    bad(
        "users misspelt",
        "user: []\n",
        ("1:1", "the field 'users' is missing", "users: A list"),
        ("1:1", "unknown field 'user'", "did you mean 'users'?"),
    ),
    bad(
        "an unknown field",
        manifest("[billing@example.com]", "expire: 2027-06-30"),
        ("6:5", "unknown field 'expire'", "did you mean 'expires'?"),
    ),
    bad(
        "an unknown field like no other",
        manifest("[billing@example.com]", "zzz: 1"),
        ("6:5", "unknown field 'zzz'", "known fields: name, description, owner"),
    ),
    bad(
        "one field missing",
        manifest().replace("    owner: billing@example.com\n", ""),
        ("2:5", "the field 'owner' is missing", "owner: The email address of the"),
    ),
    bad(
        "two fields missing",
        "users:\n  - name: billing-mailer\n    allowed_from_addresses: [billing@example.com]\n",
        ("2:5", "the field 'description' is missing", "description: What sends these messages"),
        ("2:5", "the field 'owner' is missing", "owner: The email address of the"),
    ),
    bad(
        "no list of addresses",
        manifest("billing@example.com"),
        ("5:29", "'allowed_from_addresses' must be a list, not 'billing@example.com'", "expected: Allowed From"),
    ),
    bad("an empty list of addresses", manifest("[]"), ("5:29", "'allowed_from_addresses' is empty", "From addresses")),
    bad("an address is a number", manifest("[a@example.com, 7]"), ("5:45", "must be text, not '7'", "in quotes")),
    bad("an address is nothing", manifest("[~]"), ("5:30", "this entry must be text, not nothing", "An email address")),
    bad(
        "enabled is text",
        manifest("[billing@example.com]", 'enabled: "true"'),
        ("6:14", "'enabled' must be true or false, not 'true'", "true, or false"),
    ),
    bad(
        "a credential of nought",
        manifest("[billing@example.com]", "credential: 0"),
        ("6:17", "'credential' is '0', which is not allowed", "A whole number, 1 or more"),
    ),
    bad(
        "a credential and a half",
        manifest("[billing@example.com]", "credential: 1.5"),
        ("6:17", "'credential' must be a whole number, not '1.5'", "A whole number, 1 or more"),
    ),
    bad(
        "a number in base 60",
        manifest("[billing@example.com]", "credential: 1:30"),
        ("6:17", "'1:30' is not the same value in YAML 1.1 and YAML 1.2", QUOTED),
    ),
    bad(
        "a number in base 8",
        manifest("[billing@example.com]", "credential: 010"),
        ("6:17", "'010' is not the same value in YAML 1.1 and YAML 1.2", QUOTED),
    ),
    bad(
        "a number in base 16",
        manifest("[billing@example.com]", "credential: 0x10"),
        ("6:17", "'0x10' is not the same value in YAML 1.1 and YAML 1.2", QUOTED),
    ),
    bad(
        "a credential beyond all bounds",
        manifest("[billing@example.com]", "credential: 1000001"),
        ("6:17", "'credential' is '1000001', which is not allowed", "A whole number, 1 or more"),
    ),
    bad(
        "a credential of 5,000 digits",
        manifest("[billing@example.com]", f"credential: {'9' * 5000}"),
        ("6:17", "'999999999999999999999999999999999999999999999999999999999...' has more than 18 digits", QUOTED),
    ),
    bad(
        "a field whose name breaks the line",
        manifest("[billing@example.com]", '"a\\nb": 1'),
        ("6:5", "unknown field 'a\\nb'", "known fields: name"),
    ),
    bad(
        "a key twice that breaks the line",
        manifest("[billing@example.com]", '"a\\nb": 1', '"a\\nb": 1'),
        ("7:5", "duplicate key 'a\\nb' (first on line 6)", "remove one of them"),
    ),
    bad(
        "a tag that breaks the line",
        "users: !a%0Ab []\n",
        ("1:8", "the tag !a\\nb is not allowed", "write the plain value"),
    ),
    bad(
        "a field whose name steers the terminal",
        manifest("[billing@example.com]", '"a\\x1b[2Kb": 1'),
        ("6:5", "unknown field 'a\\x1b[2Kb'", "known fields: name"),
    ),
    bad(
        "a tag that steers the terminal",
        "users: !a%1B%5B2K []\n",
        ("1:8", "the tag !a\\x1b[2K is not allowed", "write the plain value"),
    ),
    Bad(
        "a file whose name breaks the line and steers the terminal",
        {"a.yaml": manifest(), "b\n::error::\x1b.yaml": manifest("[billing]")},
        (Told("b\\n::error::\\x1b.yaml", "the name contains the character U+000A", "rename it"),),
    ),
    bad(
        "a rotation that is text",
        manifest("[billing@example.com]", "rotation: monthly"),
        ("6:15", "'rotation' must be a mapping, not 'monthly'", "{every_days: 90"),
    ),
    bad(
        "a rotation without its days",
        manifest("[billing@example.com]", "rotation: {overlap_days: 100}"),
        ("6:15", "the field 'every_days' is missing", "every_days: Days until"),
        ("6:30", "'overlap_days' is '100', which is not allowed", "valid, 1 to 90"),
    ),
    bad(
        "an overlap as long as the rotation",
        manifest("[billing@example.com]", "rotation: {every_days: 30, overlap_days: 30}"),
        ("6:46", "overlap_days (30) is not shorter than every_days (30)", "shorten it"),
    ),
    bad(
        "an overlap longer than the rotation",
        manifest("[billing@example.com]", "rotation: {every_days: 30, overlap_days: 31}"),
        ("6:46", "overlap_days (31) is not shorter than every_days (30)", "shorten it"),
    ),
    bad(
        "a rotation no longer than the default overlap",
        manifest("[billing@example.com]", "rotation: {every_days: 7}"),
        ("6:28", "overlap_days (7) is not shorter than every_days (7)", "shorten it"),
    ),
    bad(
        "an overlap of fractions as long as the rotation",
        manifest("[billing@example.com]", "rotation: {every_days: 5.0, overlap_days: 7.0}"),
        ("6:28", "'every_days' must be a whole number, not '5.0'", "created, 2 to 3650"),
        ("6:47", "'overlap_days' must be a whole number, not '7.0'", "valid, 1 to 90"),
    ),
    bad(
        "days that are true",
        manifest("[billing@example.com]", "rotation: {every_days: true}"),
        ("6:28", "'every_days' must be a whole number, not true", "created, 2 to 3650"),
    ),
    bad(
        "days that are text",
        manifest("[billing@example.com]", "rotation: {every_days: 90, overlap_days: a week}"),
        ("6:46", "'overlap_days' must be a whole number, not 'a week'", "valid, 1 to 90"),
    ),
    bad(
        "a rotation after ten years and more",
        manifest("[billing@example.com]", "rotation: {every_days: 3651}"),
        ("6:28", "'every_days' is '3651', which is not allowed", "created, 2 to 3650"),
    ),
    bad("no description", manifest(description='""'), ("3:18", "'description' is '', which", "up to 200 characters")),
    bad("a description of 201", manifest(description="x" * 201), ("3:18", "'description' is", "up to 200 characters")),
    bad(
        "a description of two lines",
        manifest(description='"one\\ntwo"'),
        ("3:18", "'description' is 'one\\ntwo', which is not allowed", "one line of"),
    ),
    bad(
        "a description that ends a line",
        manifest(description="|\n      Invoices"),
        ("3:18", "'description' is 'Invoices\\n', which is not allowed", "one line of"),
    ),
    bad("an owner without a domain", manifest(owner="billing"), ("4:12", "'owner' is 'billing'", "responsible team")),
    # Names.
    bad("a name in capitals", manifest(name="Billing"), ("2:11", "'name' is 'Billing', which is not", NAME_HINT)),
    bad("a name of 41", manifest(name="a" * 41), ("2:11", "'name' is 'aaaa", NAME_HINT)),
    bad("a name that is a number", manifest(name="42"), ("2:11", "'name' must be text, not '42'", "put it in quotes")),
    bad("a name that is a boolean", manifest(name="on"), ("2:11", "'on' is a boolean in YAML 1.1", QUOTED)),
    bad("a name that ends a line", manifest(name='"ab\\n"'), ("2:11", "'name' is 'ab\\n', which is not", NAME_HINT)),
    bad(
        "a name that steers the terminal",
        manifest(name='"ab\\x1b[2K"'),
        ("2:11", "'name' is 'ab\\x1b[2K', which is not allowed", NAME_HINT),
    ),
    Bad(
        "a name that breaks the line, in two files",
        {"a.yaml": manifest(name='"ab\\ncd"'), "b.yaml": manifest(name='"AB\\ncd"')},
        (
            Told("a.yaml:2:11", "'name' is 'ab\\ncd', which is not allowed", NAME_HINT),
            Told("b.yaml:2:11", "'name' is 'AB\\ncd', which is not allowed", NAME_HINT),
            Told("b.yaml:2:11", "the name 'AB\\ncd' differs only by case from 'ab\\ncd' (at users/test/a.yaml:2)"),
        ),
    ),
    bad("a name as a block", manifest(name="|\n      billing"), ("2:11", "'name' is 'billing\\n'", NAME_HINT)),
    bad(
        "an owner that ends a line",
        manifest(owner='"billing@example.com\\n"'),
        ("4:12", "'owner' is 'billing@example.com\\n', which is not allowed", "responsible team"),
    ),
    Bad(
        "a name in two files",
        {"a.yaml": manifest(), "b.yaml": "# team b\n" + manifest()},
        (
            Told(
                "b.yaml:3:11",
                "the name 'billing-mailer' is already declared (at users/test/a.yaml:2)",
                "names are unique in an environment",
            ),
        ),
    ),
    Bad(
        "a name that differs by case",
        {"a.yaml": manifest(), "b.yaml": manifest(name="Billing-Mailer")},
        (
            Told("b.yaml:2:11", "'name' is 'Billing-Mailer', which is not allowed", NAME_HINT),
            Told("b.yaml:2:11", "differs only by case from 'billing-mailer' (at users/test/a.yaml:2)", "unique"),
        ),
    ),
    # Addresses.
    bad("a question mark", manifest("[b?@example.com]"), ("5:30", "'b?@example.com' contains '?'", ASCII)),
    bad("a dollar", manifest('["$x@example.com"]'), ("5:30", "contains '$'", ASCII)),
    bad("an opening brace", manifest('["{x@example.com"]'), ("5:30", "contains '{'", ASCII)),
    bad("a closing brace", manifest('["x}@example.com"]'), ("5:30", "contains '}'", ASCII)),
    bad("a variable", manifest('["${aws:username}@example.com"]'), ("5:30", "contains '$'", ASCII)),
    bad("a control character", manifest('["a\\tb@example.com"]'), ("5:30", "the character U+0009", ASCII)),
    bad("a look-alike", manifest("[b\u0456lling@example.com]"), ("5:30", "'b\\u0456lling@example.com'", ASCII)),
    bad("a domain in umlauts", manifest("[a@ex\u00e4mple.com]"), ("5:30", "the character U+00E4", ASCII)),
    bad(
        "a wildcard in the middle",
        manifest('["a*b@example.com"]'),
        ("5:30", "'*' in an invalid position", "at the end"),
    ),
    bad("a wildcard as domain", manifest('["a@*.example.com"]'), ("5:30", "has '*' in its domain", "local part only")),
    bad("no address at all", manifest("[billing]"), ("5:30", "'billing' is not an address", "write local@domain")),
    bad(
        "an address twice",
        manifest("[a@example.com, a@EXAMPLE.com]"),
        ("5:45", "'a@EXAMPLE.com' is listed twice", "list each address once"),
    ),
    bad(
        "a domain that is not allowed",
        manifest("[billing@example.org]"),
        ("5:30", "the domain example.org is not allowed here", "allowed domains: example.com, invoices.example.com"),
    ),
    bad(
        "a domain misspelt",
        manifest("[billing@invoice.example.com]"),
        ("5:30", "the domain invoice.example.com is not allowed here", "did you mean invoices.example.com? allowed"),
    ),
    bad(
        "a wildcard where none is permitted",
        manifest('["*@example.com"]'),
        ("5:30", "'*@example.com' is a wildcard", "this environment does not allow wildcards: list each address"),
        env="strict",
    ),
    bad(
        "more addresses than a policy holds",
        manifest(MANY),
        ("5:29", "the policy of 'billing-mailer' would have 2766 characters; IAM allows 2048", SPLIT),
    ),
    # Days and networks.
    bad(
        "a day in words",
        manifest("[billing@example.com]", "expires: next summer"),
        ("6:14", "'next summer' is not a date", "write YYYY-MM-DD"),
    ),
    bad(
        "a day that no calendar has",
        manifest("[billing@example.com]", "expires: 2027-02-30"),
        ("6:14", "'2027-02-30' is not a date", "write YYYY-MM-DD"),
    ),
    bad(
        "a moment instead of a day",
        manifest("[billing@example.com]", "expires: 2027-06-30 12:00:00"),
        ("6:14", "'2027-06-30 12:00:00' is not a date", "write YYYY-MM-DD"),
    ),
    bad(
        "host bits",
        manifest("[billing@example.com]", "allowed_source_ips: [203.0.113.7/24]"),
        ("6:26", "'203.0.113.7/24' is not a network", "did you mean 203.0.113.0/24?"),
    ),
    bad(
        "a network with a zone",
        manifest("[billing@example.com]", "allowed_source_ips: [fe80::1%eth0]"),
        ("6:26", "'fe80::1%eth0' has a zone", "IAM does not support zones"),
    ),
    bad(
        "every network",
        manifest("[billing@example.com]", "allowed_source_ips: [203.0.113.7, 0.0.0.0/0]"),
        ("6:39", "'0.0.0.0/0' allows every address", "leave allowed_source_ips out"),
    ),
    *(
        bad(
            f"the network {network}",
            manifest("[billing@example.com]", f'allowed_source_ips: ["{network}"]'),
            ("6:26", f"'{network}' is not public: it {reason}", "aws:SourceIp holds public addresses only"),
        )
        for network, reason in (
            ("10.0.0.0/8", "is private"),
            ("10.1.2.3", "is private"),
            ("127.0.0.1", "is the machine itself"),
            ("169.254.0.0/16", "is link-local"),
            ("100.64.0.0/10", "is shared"),
            ("239.1.2.3", "is multicast"),
            ("224.0.0.0/3", "is not assigned"),
            ("fd00::/8", "is private"),
            ("::ffff:203.0.113.7", "is IPv4 written as IPv6"),
            ("2002:cb00:7100::/40", "is for 6to4"),
            ("64:ff9b::203.0.113.7", "is a translated IPv4"),
            ("4000::/3", "is not assigned"),
        )
    ),
    bad(
        "every network in two halves",
        manifest("[billing@example.com]", "allowed_source_ips: [0.0.0.0/1, 128.0.0.0/1]"),
        ("6:25", "these networks together allow every IPv4 address", "leave allowed_source_ips out"),
    ),
    bad(
        "no network",
        manifest("[billing@example.com]", "allowed_source_ips: [office]"),
        ("6:26", "'office' is not a network", "an address or a CIDR block"),
    ),
    bad(
        "an empty list of networks",
        manifest("[billing@example.com]", "allowed_source_ips: []"),
        ("6:25", "'allowed_source_ips' is empty", "default: any network"),
    ),
    # Folders.
    *(
        Bad(
            f"the file {name}",
            {"a.yaml": manifest(), name: manifest(name="other")},
            (Told(name, "is not read: the name of a manifest ends in .yaml or .yml", hint),),
        )
        for name, hint in (
            ("team.ymal", "did you mean team.yaml?"),
            ("team.yaml.disabled", "did you mean team.yaml?"),
            ("team.yml~", "did you mean team.yml?"),
            ("team.json", "did you mean team.yaml?"),
            ("team.yam", "did you mean team.yaml?"),
            ("notes.txt", "rename it to <team>.yaml, or remove it"),
            ("CODEOWNERS", "rename it to <team>.yaml, or remove it"),
        )
    ),
    Bad("no manifest", {}, (Told("", "contains no manifest", "create <team>.yaml"),)),
    Bad("another kind of file", {"README.md": "# x\n"}, (Told("", "contains no manifest", "create <team>.yaml"),)),
    Bad(
        "a manifest in a sub-folder",
        {"a.yaml": manifest(), "team/b.yml": manifest(name="other")},
        (Told("team", "sub-folders are not read", "move its manifests to users/test/"),),
    ),
    Bad(
        "a folder that looks like a manifest",
        {"a.yaml": manifest(), "x.yaml/.keep": ""},
        (Told("x.yaml", "sub-folders are not read", "users/test/"),),
    ),
    # Several at once.
    Bad(
        "several problems in several files",
        {
            "c.yaml": manifest("[a@example.org, b?@example.com]", "credential: 0", name="third"),
            "a.yaml": manifest("[*@example.com]"),
            "b.yaml": manifest("[billing@example.com]", "expire: 2027-06-30", "expires: soon", name="second"),
        },
        (
            Told("a.yaml:5:31", "scanning an alias", QUOTES),
            Told("b.yaml:6:5", "unknown field 'expire'", "did you mean 'expires'?"),
            Told("b.yaml:7:14", "'soon' is not a date", "write YYYY-MM-DD"),
            Told("c.yaml:5:30", "the domain example.org is not allowed here", "allowed domains: "),
            Told("c.yaml:5:45", "'b?@example.com' contains '?'", ASCII),
            Told("c.yaml:6:17", "'credential' is '0', which is not allowed", "A whole number, 1 or more"),
        ),
    ),
)
BOMBED = Bad("an alias bomb", {"a.yaml": BOMB}, (Told("a.yaml:1:4", "the anchor &a is not allowed", VALUE),))
