"""From runs to figures: medians over the rounds, with their spread. Runs that failed are counted, never averaged."""
from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

import machine


@dataclass(frozen=True)
class Metric:
    """`path`: where it is in a result's figures."""

    title: str
    unit: str
    path: tuple[str, ...]
    less_is_better: bool = True
    scale: float = 1


METRICS = {
    "cpu_us_per_delivery": Metric("CPU of all servers, per delivery", "µs", ("cpu_us_per_delivery",)),
    "cpu_us_per_stroke": Metric("CPU of all servers, per stroke", "µs", ("cpu_us_per_stroke",)),
    "deliveries_per_s": Metric("Deliveries", "/s", ("deliveries_per_s",), False),
    "acks_per_s": Metric("Strokes stored and acknowledged", "/s", ("acks_per_s",), False),
    "disk_share": Metric("Of what LMDB alone stores in groups of 256", "%", ("disk_share",), False),
    "disk_share_scattered": Metric("The same into 200 drawings in turn", "%", ("disk_share_scattered",), False),
    "disk_grouped": Metric("LMDB alone, groups of 256", "strokes/s", ("disk", "grouped_strokes_per_s"), False),
    "disk_scattered": Metric("LMDB alone, groups of 256, 200 drawings in turn", "strokes/s",
                             ("disk", "scattered_strokes_per_s"), False),
    "disk_single": Metric("LMDB alone, each stroke a commit", "commits/s", ("disk", "single_commits_per_s"), False),
    "latency_p50": Metric("Latency, median", "ms", ("latency_us", "p50"), scale=1e-3),
    "latency_p90": Metric("Latency, 90 %", "ms", ("latency_us", "p90"), scale=1e-3),
    "latency_p99": Metric("Latency, 99 %", "ms", ("latency_us", "p99"), scale=1e-3),
    "latency_p999": Metric("Latency, 99.9 %", "ms", ("latency_us", "p999"), scale=1e-3),
    "latency_max": Metric("Latency, worst", "ms", ("latency_us", "max"), scale=1e-3),
    "send_late_p50": Metric("The generator sent late by, median", "ms", ("send_late_us", "p50"), scale=1e-3),
    "send_late_p99": Metric("The generator sent late by, 99 %", "ms", ("send_late_us", "p99"), scale=1e-3),
    "ack_p50": Metric("Acknowledged within, median", "ms", ("ack_latency_us", "p50"), scale=1e-3),
    "ack_p99": Metric("Acknowledged within, 99 %", "ms", ("ack_latency_us", "p99"), scale=1e-3),
    "bytes_per_connection": Metric("Memory of an idle connection", "bytes", ("bytes_per_connection",)),
    "cpu_us_per_open": Metric("CPU to open a connection", "µs", ("cpu_us_per_open",)),
    "cpu_us_per_connection_s": Metric("CPU of an idle connection, per second", "µs", ("cpu_us_per_connection_s",)),
    "drawings_per_s": Metric("New drawings opened", "/s", ("drawings_per_s",), False),
    "cpu_us_per_drawing": Metric("CPU to open a new drawing", "µs", ("cpu_us_per_drawing",)),
    "caught_up_per_s": Metric("Strokes of its history that a reader gets", "/s", ("caught_up_per_s",), False),
    "catchup_p50": Metric("Until the drawing is there, median", "ms", ("catchup_us", "p50"), scale=1e-3),
    "link_bytes_per_stroke": Metric("Between nodes, per stroke", "bytes", ("link_bytes_per_stroke",)),
    "copies_per_stroke": Metric("Other nodes that a stroke must get to", "", ("copies_per_stroke",)),
    "link_bytes_per_copy": Metric("Between nodes, per copy", "bytes", ("link_bytes_per_copy",)),
    "stroke_bytes": Metric("A stroke's own JSON", "bytes", ("stroke_bytes",)),
    "gossip_bytes_per_s": Metric("Gossip, all nodes", "bytes/s", ("gossip_bytes_per_s",)),
    "slow_caught_up_ms": Metric("Until those had everything who did not read", "ms", ("slow_caught_up_ms",)),
    "all_live_ms": Metric("Until the last client is live again", "ms", ("all_live_ms",)),
    "rss_growth_mib": Metric("Memory that the servers grew by", "MiB", ("rss_growth_kib",), scale=1 / 1024),
    "servers_busy": Metric("Servers busy", "cores", ("servers_busy",)),
    "generator_busy": Metric("Generator busy", "cores", ("generator_busy",)),
}


def value(figures: dict[str, Any], key: str) -> float | None:
    found: Any = figures
    for step in METRICS[key].path:
        if not isinstance(found, dict) or step not in found:
            return None
        found = found[step]
    # A server that does not acknowledge has no rate of it.
    if found is None or (key == "acks_per_s" and found == 0):
        return None
    return float(found) * METRICS[key].scale


def number(amount: float) -> str:
    """Three digits that count."""
    if amount == 0:
        return "0"
    if amount >= 1000:
        return f"{amount:,.0f}"
    return f"{amount:.3g}" if amount < 100 else f"{amount:.0f}"


def spoken(key: str, amount: float) -> str:
    metric = METRICS[key]
    short = key.replace("_us_per_", "/").replace("latency_", "").replace("_per_s", "")
    return f"{short} {number(amount)} {metric.unit}"


@dataclass(frozen=True)
class Spread:
    median: float
    low: float
    high: float

    @property
    def relative(self) -> float:
        return (self.high - self.low) / self.median if self.median else 0


@dataclass
class Cell:
    """One contestant at one workload."""

    runs: list[dict[str, Any]]

    @property
    def good(self) -> list[dict[str, Any]]:
        return [run["figures"] for run in self.runs if run["ok"]]

    @property
    def failures(self) -> list[str]:
        return [f"round {run['round']}: {'; '.join(run['failures'])}" for run in self.runs if not run["ok"]]

    @property
    def disturbed(self) -> int:
        return sum(figures.get("others_busy", 0) > machine.DISTURBED for figures in self.good)

    def spread(self, key: str) -> Spread | None:
        values = [v for v in (value(figures, key) for figures in self.good) if v is not None]
        return Spread(statistics.median(values), min(values), max(values)) if values else None

    def curve(self, key: str) -> list[tuple[float, float]]:
        """(share, ms) of a histogram, at each share the median over the rounds that reach it."""
        at: dict[float, list[float]] = {}
        for figures in self.good:
            for share, us in figures.get(key, {}).get("curve", []):
                if share < 1:
                    at.setdefault(share, []).append(us / 1000)
        return sorted((share, statistics.median(values)) for share, values in at.items())


def compared(old: Cell, new: Cell, key: str) -> Spread | None:
    """new / old, round by round: what disturbs a whole round is in both, and falls out."""
    before = {run["round"]: value(run["figures"], key) for run in old.runs if run["ok"]}
    after = {run["round"]: value(run["figures"], key) for run in new.runs if run["ok"]}
    ratios = [amount / base for number, amount in after.items() if amount is not None and (base := before.get(number))]
    return Spread(statistics.median(ratios), min(ratios), max(ratios)) if ratios else None


def builds(results: dict[str, Any]) -> tuple[str, list[str]]:
    """The first contestant, and those that are other builds of it."""
    first, *others = results["contestants"]
    return first["name"], [other["name"] for other in others if other["dialect"] == first["dialect"]]


def cells(results: dict[str, Any], workload: str) -> dict[str, Cell]:
    """By contestant, in their order; only who took part."""
    found = {}
    for contestant in results["contestants"]:
        runs = [run for run in results["runs"]
                if run["workload"] == workload and run["contestant"] == contestant["name"]]
        if runs:
            found[contestant["name"]] = Cell(runs)
    return found
