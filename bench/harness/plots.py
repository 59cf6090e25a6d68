"""Plots as inline SVG. Colours are CSS variables, so that one page serves light and dark."""
from __future__ import annotations

import math
from html import escape

from summary import Spread, number

WIDTH = 640


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'


def bars(rows: list[tuple[str, int, Spread]], unit: str) -> str:
    """A bar to the median for each (name, colour's number, spread), and a whisker from the lowest to the highest round."""
    left, right, height, gap = 110, 130, 20, 9
    largest = max(spread.high for _, _, spread in rows) or 1
    length = WIDTH - left - right
    parts = []
    for i, (name, colour, spread) in enumerate(rows):
        y = i * (height + gap) + 4
        middle = y + height / 2

        def x(amount: float) -> float:
            return left + amount / largest * length

        parts.append(_text(left - 8, middle + 4, name, "end"))
        parts.append(f'<rect x="{left}" y="{y}" width="{max(1, x(spread.median) - left):.1f}" height="{height}" rx="2" '
                     f'fill="var(--c{colour})"/>')
        parts.append(f'<path class="whisker" d="M{x(spread.low):.1f} {middle}H{x(spread.high):.1f}'
                     f'M{x(spread.low):.1f} {middle - 4}v8M{x(spread.high):.1f} {middle - 4}v8"/>')
        parts.append(_text(x(spread.high) + 8, middle + 4, f"{number(spread.median)} {unit}", kind="value"))
    total = len(rows) * (height + gap) + 4
    return f'<svg viewBox="0 0 {WIDTH} {total}" role="img">{"".join(parts)}</svg>'


def _ticks(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, … within."""
    found = []
    for exponent in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        found += [step * 10.0 ** exponent for step in (1, 2, 5) if low <= step * 10.0 ** exponent <= high]
    if len(found) > 9:
        found = [tick for tick in found if f"{tick:e}"[0] == "1"]
    return found


def percentiles(curves: list[tuple[str, int, list[tuple[float, float]]]]) -> str:
    """Latency at each percentile, both axes logarithmic, so that the rare ones have room."""
    left, right, top, bottom, height = 56, 16, 10, 30, 260
    points = [point for _, _, curve in curves for point in curve]
    if not points:
        return ""
    rarest = max(1 / (1 - share) for share, _ in points)
    low = min(ms for _, ms in points if ms > 0) / 1.15
    high = max(ms for _, ms in points) * 1.15

    def x(share: float) -> float:
        return left + math.log(1 / (1 - share)) / math.log(max(rarest, 10)) * (WIDTH - left - right)

    def y(ms: float) -> float:
        return top + (math.log(high) - math.log(max(ms, low))) / (math.log(high) - math.log(low)) * (height - top - bottom)

    parts = []
    for tick in _ticks(low, high):
        parts.append(f'<path class="grid" d="M{left} {y(tick):.1f}H{WIDTH - right}"/>')
        parts.append(_text(left - 6, y(tick) + 4, f"{tick:g} ms", "end", "tick"))
    for share, name in ((0, "0 %"), (0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %")):
        if 1 / (1 - share) > max(rarest, 10) * 1.01:
            continue
        parts.append(f'<path class="grid" d="M{x(share):.1f} {top}V{height - bottom}"/>')
        parts.append(_text(x(share), height - bottom + 16, name, "middle", "tick"))
    for name, colour, curve in curves:
        line = "L".join(f"{x(share):.1f} {y(ms):.1f}" for share, ms in curve)
        parts.append(f'<path class="line" stroke="var(--c{colour})" d="M{line}"><title>{escape(name)}</title></path>')
    legend = "".join(f'<span><i style="background:var(--c{colour})"></i>{escape(name)}</span>'
                     for name, colour, curve in curves if curve)
    return (f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg>'
            f'<p class="legend">{legend}</p>')


def cumulative(curves: list[tuple[str, int, list[float]]], goal_ms: float) -> str:
    """The share of the samples (ms) that were done by then, time logarithmic; the goal is a line."""
    left, right, top, bottom, height = 56, 16, 10, 30, 260
    curves = [(name, colour, sorted(samples)) for name, colour, samples in curves if samples]
    if not curves:
        return ""
    low = max(min(samples[0] for _, _, samples in curves), 1) / 1.15
    high = max(goal_ms, *(samples[-1] for _, _, samples in curves)) * 1.3

    def x(ms: float) -> float:
        return left + math.log(max(ms, low) / low) / math.log(high / low) * (WIDTH - left - right)

    def y(share: float) -> float:
        return top + (1 - share) * (height - top - bottom)

    parts = []
    for tick in _ticks(low, high):
        parts.append(f'<path class="grid" d="M{x(tick):.1f} {top}V{height - bottom}"/>')
        parts.append(_text(x(tick), height - bottom + 16, f"{tick:g} ms" if tick < 1000 else f"{tick / 1000:g} s", "middle",
                           "tick"))
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<path class="grid" d="M{left} {y(share):.1f}H{WIDTH - right}"/>')
        parts.append(_text(left - 6, y(share) + 4, f"{share:.0%}", "end", "tick"))
    parts.append(f'<path class="whisker" stroke-dasharray="4 4" d="M{x(goal_ms):.1f} {top}V{height - bottom}">'
                 "<title>the goal</title></path>")
    for name, colour, samples in curves:
        line = f"M{x(samples[0]):.1f} {y(0):.1f}"
        for i, ms in enumerate(samples):
            # A thousand clients need no thousand steps: one where it can be seen.
            if len(samples) > 400 and i % (len(samples) // 200) and i < len(samples) - 50:
                continue
            line += f"H{x(ms):.1f}V{y((i + 1) / len(samples)):.1f}"
        parts.append(f'<path class="line" stroke="var(--c{colour})" d="{line}"><title>{escape(name)}</title></path>')
    legend = "".join(f'<span><i style="background:var(--c{colour})"></i>{escape(name)}</span>' for name, colour, _ in curves)
    return (f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg>'
            f'<p class="legend">{legend}</p>')


def growth(curves: list[tuple[str, int, list[tuple[float, float]], bool]], across: str, unit: str) -> str:
    """Lines on two logarithmic axes, where a straight one is a power: (name, colour's number, points, dashed)."""
    left, right, top, bottom, height = 64, 16, 10, 30, 240
    if not curves:
        return ""
    xs = [x for _, _, points, _ in curves for x, _ in points]
    ys = [y for _, _, points, _ in curves for _, y in points]
    low, high = min(ys) / 1.3, max(ys) * 1.3
    first, last = min(xs), max(max(xs), min(xs) * 1.01)

    def x(amount: float) -> float:
        return left + math.log(amount / first) / math.log(last / first) * (WIDTH - left - right)

    def y(amount: float) -> float:
        return top + math.log(high / amount) / math.log(high / low) * (height - top - bottom)

    parts = []
    for tick in _ticks(low, high):
        parts.append(f'<path class="grid" d="M{left} {y(tick):.1f}H{WIDTH - right}"/>')
        parts.append(_text(left - 6, y(tick) + 4, f"{number(tick)} {unit}".strip(), "end", "tick"))
    for amount in sorted(set(xs)):
        parts.append(f'<path class="grid" d="M{x(amount):.1f} {top}V{height - bottom}"/>')
        anchor = "start" if amount == first else "end" if amount == last else "middle"
        label = f"{amount:g} {across}" if amount == last else f"{amount:g}"
        parts.append(_text(x(amount), height - bottom + 16, label, anchor, "tick"))
    for name, colour, points, dashed in curves:
        line = "L".join(f"{x(across_):.1f} {y(up):.1f}" for across_, up in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        parts.append(f'<path class="line" stroke="var(--c{colour})"{dash} d="M{line}"><title>{escape(name)}</title></path>')
    legend = "".join(f'<span><i style="background:var(--c{colour})"></i>{escape(name)}</span>'
                     for name, colour, _, dashed in curves if not dashed)
    return (f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg>'
            f'<p class="legend">{legend}</p>')
