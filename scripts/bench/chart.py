"""A line chart with linear axes as a self-contained SVG, for light and dark pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]

# Pixels.
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 780, 380, 64, 170, 44, 52
FONT = "font-family: system-ui, -apple-system, 'Segoe UI', sans-serif; font-size: 13px"
COLORS = (("#0969da", "#58a6ff"), ("#cf222e", "#ff7b72"), ("#57606a", "#8b949e"))  # of each line: light, dark
STEPS = (1, 2, 2.5, 5, 10)
TICKS = 5


def draw(title: str, x_label: str, y_label: str, lines: Mapping[str, Points]) -> str:
    x_step, y_step = (_step(max(point[axis] for points in lines.values() for point in points)) for axis in (0, 1))
    x_most, y_most = x_step * TICKS, y_step * TICKS

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = LEFT + point[0] / x_most * (WIDTH - LEFT - RIGHT)
        return x, HEIGHT - BOTTOM - point[1] / y_most * (HEIGHT - TOP - BOTTOM)

    drawn = [*_frame(title, x_label, y_label, lines)]
    for tick in range(TICKS + 1):
        x, y = place((tick * x_step, tick * y_step))
        drawn += [
            f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>',
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick * y_step:g}</text>',
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{tick * x_step:,.0f}</text>',
        ]
    ends = _spread([place(points[-1])[1] for points in lines.values()])
    for number, ((name, points), end) in enumerate(zip(lines.items(), ends, strict=True)):
        places = [place(point) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        drawn.append(f'<polyline class="line{number}" points="{path}"/>')
        drawn += [f'<circle class="dot{number}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places]
        drawn.append(f'<text class="dot{number}" x="{places[-1][0] + 10:.1f}" y="{end + 4:.1f}">{escape(name)}</text>')
    return "\n".join([*drawn, "</svg>", ""])


def _frame(title: str, x_label: str, y_label: str, lines: Mapping[str, Points]) -> Sequence[str]:
    described = "; ".join(
        f"{name}: " + ", ".join(f"{y:.3g} at {x:,.0f}" for x, y in points) for name, points in lines.items()
    )
    middle = (LEFT + WIDTH - RIGHT) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-labelledby="title text">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="text">{escape(f"{y_label} by {x_label}. {described}")}</desc>',
        f"<style>{_style(0)} @media (prefers-color-scheme: dark) {{ {_style(1)} }}</style>",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        f'<text x="{LEFT}" y="26" font-weight="600">{escape(title)}</text>',
        f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x_label)}</text>',
        f'<text transform="translate(18 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_label)}</text>',
    )


def _style(scheme: int) -> str:
    page, text, grid = (("#ffffff", "#1f2328", "#d8dee4"), ("#0d1117", "#e6edf3", "#30363d"))[scheme]
    rules = [f".page {{ fill: {page} }}", f"text {{ fill: {text}; {FONT} }}", f".grid {{ stroke: {grid} }}"]
    for number, colors in enumerate(COLORS):
        rules.append(f".line{number} {{ fill: none; stroke: {colors[scheme]}; stroke-width: 2.5 }}")
        rules.append(f".dot{number} {{ fill: {colors[scheme]} }}")
    return " ".join(rules)


def _step(most: float) -> float:
    """The smallest round step with which `TICKS` of them reach `most`."""
    power: float = 10.0 ** (len(f"{int(most / TICKS)}") - 2)
    while True:
        for step in STEPS:
            if step * power * TICKS >= most:
                return step * power
        power *= 10


def _spread(heights: list[float], gap: float = 17) -> list[float]:
    """Labels that would overlap are moved down."""
    moved: dict[int, float] = {}
    below = float("-inf")
    for index in sorted(range(len(heights)), key=heights.__getitem__):
        below = moved[index] = max(heights[index], below + gap)
    return [moved[index] for index in range(len(heights))]
