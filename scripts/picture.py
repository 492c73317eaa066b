"""Draw docs/images/plan.svg: the output of `reconcile plan` on the sandbox, after four edits of the example manifests.

python -m scripts.picture
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Iterator
from html import escape
from pathlib import Path

from reconciler.pipeline.lambda_zip import ROOT
from scripts.docs_workspace import Workspace, workspace

PICTURE = ROOT / "docs" / "images" / "plan.svg"
COLUMNS = "132"  # of the terminal: wide enough for one line per user
COMMAND = "reconcile plan --env sandbox"
EDITS = r"""
edit users/sandbox/platform.yaml '[builds@example.com]' '[builds@example.com]\n    credential: 2'
edit users/sandbox/marketing.yaml '[hello@news.example.com]' '["*@news.example.com", hello@news.example.com]'
edit users/sandbox/marketing.yaml '  - name: summer-campaign' '  - name: crm'
edit users/sandbox/marketing.yaml 'An agency sends our summer campaign' 'The customer database'
edit users/sandbox/marketing.yaml '[summer@news.example.com]' '[crm@example.com]'
edit users/sandbox/marketing.yaml '    expires: 2027-09-30\n    allowed_source_ips: [203.0.113.0/24]\n' ''
"""

# Pixels. Every piece of text has its own position and width, so columns stay aligned in any monospace font.
FONT, CHARACTER, LINE, MARGIN, BAR = 13, 7.8, 20, 20, 34
BACKGROUND, FOREGROUND, BUTTONS = "#0d1117", "#e6edf3", ("#ff5f57", "#febc2e", "#28c840")
COLORS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "36": "#76e3ea", "90": "#8b949e"}
SEQUENCE = re.compile(r"\x1b\[([0-9;]*)m")


def capture(place: Workspace, command: str) -> str:
    """The output of a command that writes to a terminal, with its ANSI colours."""
    leader, follower = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - the constant command above
        ["bash", "-c", command],  # noqa: S607
        cwd=place.checkout, env=place.environ | {"COLUMNS": COLUMNS},
        stdin=subprocess.DEVNULL, stdout=follower, stderr=follower,
    ):  # fmt: skip
        os.close(follower)
        chunks = [*_read(leader)]
    os.close(leader)
    return b"".join(chunks).decode().replace("\r\n", "\n").rstrip()


def _read(descriptor: int) -> Iterator[bytes]:
    try:
        while chunk := os.read(descriptor, 4096):
            yield chunk
    except OSError:  # Linux reports the end of a terminal as an error
        return


def pieces(line: str) -> Iterator[tuple[int, str, str, bool]]:
    """Text of one style, without the spaces between columns: column, text, colour, bold."""
    column, color, bold = 0, FOREGROUND, False
    parts = SEQUENCE.split(line)
    for index, part in enumerate(parts):
        if index % 2 == 0:
            for text in re.finditer(r"\S+(?: \S+)*", part):
                yield column + text.start(), text.group(), color, bold
            column += len(part)
            continue
        for code in part.split(";"):
            if code in ("", "0"):
                color, bold = FOREGROUND, False
            bold = bold or code == "1"
            color = COLORS.get(code, color)


def draw(text: str, title: str) -> str:
    """ANSI text as a self-contained SVG. The panel has its own background: it is readable on light and dark pages."""
    lines = text.split("\n")
    columns = max(len(SEQUENCE.sub("", line)) for line in lines)
    width, height = round(columns * CHARACTER + 2 * MARGIN), BAR + len(lines) * LINE + MARGIN
    plain = "\n".join(SEQUENCE.sub("", line) for line in lines)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-labelledby="title text">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="text">{escape(plain)}</desc>',
        f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>',
        *(f'<circle cx="{20 + 18 * n}" cy="17" r="5.5" fill="{color}"/>' for n, color in enumerate(BUTTONS)),
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="{FONT}">',
    ]
    for number, line in enumerate(lines):
        y = BAR + (number + 1) * LINE - 4
        for column, part, color, bold in pieces(line):
            weight = ' font-weight="600"' if bold else ""
            drawn.append(
                f'<text x="{MARGIN + column * CHARACTER:.1f}" y="{y}" textLength="{len(part) * CHARACTER:.1f}" '
                f'fill="{color}"{weight}>{escape(part)}</text>'
            )
    return "\n".join([*drawn, "</g>", "</svg>", ""])


def main(picture: Path = PICTURE) -> None:
    with workspace() as place:
        place.begin_page()
        place.must_run(EDITS)
        shown = f"\x1b[1m$ {COMMAND}\x1b[0m\n{capture(place, COMMAND)}"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(draw(shown, COMMAND), encoding="utf-8")


if __name__ == "__main__":
    main()
