"""Tables that fit a terminal: long texts continue on the next line, then columns are left out. No text is ever cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from reconciler.output.styled import Segment, Style, StyledLine, display_width, line

LONGEST_ALIGNED = 72  # a longer text does not push away the columns of the other rows
NARROWEST = 12  # no wrapped column gets fewer characters

Row = Sequence[Segment]


@dataclass(frozen=True, slots=True)
class Column:
    """`wraps`: long texts continue on the next line.

    `drop_below`: the column is left out where a wrapped column would otherwise get fewer characters than this. The
    highest value goes first; a column with 0 always stays.
    """

    name: str
    wraps: bool = False
    drop_below: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """`indent` and `gap`: spaces before the first and between two columns. `headed`: the first line names the columns.

    `first_width`: the least width of the first column. Columns without any text are not shown.
    """

    columns: Sequence[Column]
    gap: int = 2
    indent: int = 0
    first_width: int = 0
    headed: bool = False

    def lines(self, rows: Sequence[Row], width: int | None) -> list[StyledLine]:
        """`width`: that of the terminal, or None: then nothing is wrapped or left out."""
        shown = [n for n in range(len(self.columns)) if any(row[n].text for row in rows)]
        if not shown:
            return []
        if self.headed:
            rows = [[Segment(column.name.upper(), Style.HEADING) for column in self.columns], *rows]
        hidden: list[str] = []
        while True:
            columns = [self.columns[n] for n in shown]
            cells = [[row[n] for n in shown] for row in rows]
            widths = self._widths(columns, cells, width)
            broken = [part for row in cells for part in _break(row, columns, widths, width)]
            drop = max(shown, key=lambda n: self.columns[n].drop_below)
            least = self.columns[drop].drop_below if len(shown) > 1 else 0
            if width is None or not least or self._fits(columns, cells, broken, widths, width, least):
                break
            shown.remove(drop)
            hidden.append(self.columns[drop].name)
        lines = [self._join(row, widths) for row in broken]
        left_out = f"{' ' * self.indent}(not shown at this width: {', '.join(hidden)})"
        return [*lines, line(left_out, Style.MUTED)] if hidden else lines

    def _widths(self, columns: Sequence[Column], rows: Sequence[Row], width: int | None) -> list[int]:
        """What the texts of each column need, but the wrapped columns share what the others leave."""
        needs = [max((row[at].width for row in rows), default=0) for at in range(len(columns))]
        needs[:1] = [max(need, self.first_width) for need in needs[:1]]
        if width is None:
            return [min(need, LONGEST_ALIGNED) for need in needs]
        waiting = sorted((at for at, column in enumerate(columns) if column.wraps), key=needs.__getitem__)
        widths = [need if at in waiting else min(need, LONGEST_ALIGNED) for at, need in enumerate(needs)]
        fixed = sum(have for at, have in enumerate(widths) if at not in waiting)
        room = width - self.indent - self.gap * (len(columns) - 1) - fixed
        least = {at: max(_longest_word(row[at].text) for row in rows) for at in waiting}
        if sum(least.values()) > room and waiting:
            least[max(waiting)] = NARROWEST  # what is too long in the last one pushes nothing away
        if sum(least.values()) > room:
            least = dict.fromkeys(waiting, NARROWEST)
        while waiting:  # the one that needs the least first: what it leaves goes to the others
            at, *waiting = waiting
            share = min(room // (len(waiting) + 1), room - sum(least[other] for other in waiting))
            widths[at] = min(needs[at], max(least[at], share))
            room -= widths[at]
        return widths

    def _fits(
        self,
        columns: Sequence[Column],
        rows: Sequence[Row],
        broken: Sequence[Row],
        widths: Sequence[int],
        width: int,
        least: int,
    ) -> bool:
        """Do all texts stay in their columns and in the terminal, and do wrapped ones get at least `least`?"""
        for at, column in enumerate(columns):
            if column.wraps and widths[at] < least and any(row[at].width > widths[at] for row in rows):
                return False
        return not any(self._spills(row, widths, width) for row in broken)

    def _spills(self, row: Row, widths: Sequence[int], width: int) -> bool:
        """The last text of a line may be longer than its column, as long as the terminal is wide enough."""
        *before, last = [at for at, cell in enumerate(row) if cell.text] or [0]
        end = self.indent + sum(have + self.gap for have in widths[:last]) + row[last].width
        return end > width or any(row[at].width > widths[at] for at in before)

    def _join(self, row: Row, widths: Sequence[int]) -> StyledLine:
        segments = [Segment(" " * self.indent)] if self.indent else []
        last = max((at for at, cell in enumerate(row) if cell.text), default=0)
        for cell, have in zip(row[:last], widths, strict=False):
            segments.append(Segment(cell.text + " " * (max(have - cell.width, 0) + self.gap), cell.style))
        return (*segments, *row[last : last + 1])


def wrap(text: str, width: int) -> list[str]:
    """Break between words only: a longer word stays whole."""
    if display_width(text) <= width:
        return [text]
    lines: list[str] = []
    for word in text.split():
        if lines and display_width(lines[-1]) + 1 + display_width(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _break(row: Row, columns: Sequence[Column], widths: Sequence[int], width: int | None) -> list[Row]:
    """A row as the cells of each line that it takes."""
    parts = [
        wrap(cell.text, have) if width is not None and column.wraps else [cell.text]
        for cell, column, have in zip(row, columns, widths, strict=True)
    ]
    return [
        [Segment(text, cell.style) for text, cell in zip(texts, row, strict=True)]
        for texts in zip_longest(*parts, fillvalue="")
    ]


def _longest_word(text: str) -> int:
    return max(map(display_width, text.split()), default=0)
