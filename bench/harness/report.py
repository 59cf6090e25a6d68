"""The results as one self-contained page, and as a table for the terminal."""
from __future__ import annotations

from html import escape
from typing import Any

import micro
import plots
import recovery
import scale
from summary import METRICS, Cell, Spread, builds, cells, compared, number, spoken, value  # noqa: F401 (spoken and value: for run.py)

STYLE = """
:root{color-scheme:light dark;--bg:#fdfdfc;--fg:#1d2328;--soft:#68727b;--line:#dfe3e6;--card:#fff;--bad:#b3261e;
--c0:#1f6feb;--c1:#98a2ab;--c2:#d9730d;--c3:#7d4cc9;--c4:#1a8f5c;--c5:#c23b7a;--c6:#8a6d1c}
@media (prefers-color-scheme:dark){:root{--bg:#14181c;--fg:#e4e8eb;--soft:#97a1aa;--line:#30373e;--card:#1b2026;
--bad:#ff8a80;--c0:#58a6ff;--c1:#77828c;--c2:#f0a35a;--c3:#b392f0;--c4:#56d39b;--c5:#f07cb0;--c6:#d8b94a}}
*{box-sizing:border-box}
body{margin:0 auto;padding:32px 20px 80px;max-width:820px;background:var(--bg);color:var(--fg);
font:15px/1.55 system-ui,sans-serif}
h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:0 0 2px}h3{font-size:14px;margin:20px 0 6px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:20px 24px;margin:24px 0}
p{margin:6px 0}a{color:inherit}.soft{color:var(--soft)}.bad{color:var(--bad)}
svg{width:100%;height:auto;display:block}svg text{font:12px system-ui,sans-serif;fill:var(--fg)}
svg .tick,svg .value{fill:var(--soft)}svg .grid{stroke:var(--line);fill:none}
svg .whisker{stroke:var(--fg);stroke-width:1.2;fill:none;opacity:.75}svg .line{fill:none;stroke-width:2}
.legend span{margin-right:16px}.legend i{display:inline-block;width:12px;height:12px;border-radius:3px;
margin-right:6px;vertical-align:-1px}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:13.5px}
th,td{text-align:right;padding:4px 8px;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child,.name{text-align:left}th{font-weight:600}code{font-size:12.5px}
"""

COLUMNS = ("cpu_us_per_delivery", "cpu_us_per_stroke", "deliveries_per_s", "acks_per_s", "disk_share",
           "disk_share_scattered", "disk_grouped", "disk_scattered", "disk_single", "latency_p50", "latency_p99",
           "latency_p999", "drawings_per_s", "cpu_us_per_drawing", "caught_up_per_s", "catchup_p50", "slow_caught_up_ms", "all_live_ms",
           "link_bytes_per_stroke", "copies_per_stroke", "link_bytes_per_copy", "stroke_bytes", "gossip_bytes_per_s",
           "rss_growth_mib", "ack_p50", "ack_p99", "bytes_per_connection", "cpu_us_per_open", "cpu_us_per_connection_s",
           "send_late_p50", "send_late_p99", "servers_busy", "generator_busy")
RARE = ("rss_growth_mib",)  # shown only where it is plotted

# Plots of all percentiles, by the name of the histogram (less its "_us").
CURVES = {
    "latency": "Latency, from when a stroke was to leave",
    "ack_latency": "Until acknowledged",
    "open_latency": "From asking for a drawing to having it",
    "live_latency": "From the kill until a client is live again",
}


def _colours(results: dict[str, Any]) -> dict[str, int]:
    """Each contestant keeps its colour throughout; grey is the floor's."""
    rest = iter((0, 2, 3, 4, 5, 6) * 2)
    return {c["name"]: 1 if c["dialect"] == "floor" else next(rest) for c in results["contestants"]}


def _columns(parts: dict[str, Cell], workload: dict[str, Any]) -> list[str]:
    """The metrics that say something about a workload, its headline first."""

    def says_something(key: str) -> bool:
        spreads = [spread for cell in parts.values() if (spread := cell.spread(key))]
        return (any(spread.high != 0 for spread in spreads) or key == workload["headline"]) and (key not in RARE or key in workload["plots"])

    return [key for key in dict.fromkeys((workload["headline"], *COLUMNS)) if says_something(key)]


def _cell(spread: Spread | None, failed: bool = False, counted: str = "") -> str:
    if spread is None:
        return '<td class="bad">failed</td>' if failed else "<td>–</td>"
    of_all = f' <span class="bad">{counted}</span>' if failed and counted else ""
    return (f'<td>{number(spread.median)} <span class="soft">{number(spread.low)}–{number(spread.high)}</span>{of_all}</td>')


def _table(head: list[str], rows: str) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for name in head)
    return f'<div class="scroll"><table><tr><th></th>{heads}</tr>{rows}</table></div>'


def _label(key: str) -> str:
    return f'<td class="name">{METRICS[key].title} <span class="soft">{METRICS[key].unit}</span></td>'


def _figures(parts: dict[str, Cell], workload: dict[str, Any]) -> str:
    rows = ""
    for key in _columns(parts, workload):
        rows += "<tr>" + _label(key) + "".join(_cell(cell.spread(key)) for cell in parts.values()) + "</tr>"
    return _table(list(parts), rows)


def _overview(results: dict[str, Any]) -> str:
    """One figure of each workload."""
    if not results["workloads"]:
        return ""
    names = [contestant["name"] for contestant in results["contestants"]]
    rows = ""
    for workload in results["workloads"]:
        parts = cells(results, workload["name"])
        key = workload["headline"]
        rows += f'<tr><td><a href="#{workload["name"]}">{workload["name"]}</a></td>{_label(key)}'
        for name in names:
            cell = parts.get(name)
            rows += "<td>–</td>" if cell is None else _cell(
                cell.spread(key), bool(cell.failures), f"{len(cell.good)} of {len(cell.runs)} rounds")
        rows += "</tr>"
    return f"<section><h2>At a glance</h2>{_table(['', *names], rows)}</section>"


def _comparisons(results: dict[str, Any], workload: dict[str, Any]) -> list[str]:
    """Sentences: the first contestant beside every other, by the headline; other builds of it beside it, by all."""
    parts = cells(results, workload["name"])
    first, others = builds(results)
    key = workload["headline"]
    said = []
    for name in parts:
        if name == first or name in others or first not in parts:
            continue
        ratio = compared(parts[name], parts[first], key)
        if ratio is not None:
            said.append(f"{first} / {name}, {METRICS[key].title}: {number(ratio.median)} "
                        f"({number(ratio.low)} to {number(ratio.high)})")
    for name in others:
        if first not in parts or name not in parts:
            continue
        for key in _columns(parts, workload):
            ratio = None if key in ("servers_busy", "generator_busy") else compared(parts[first], parts[name], key)
            if ratio is not None:
                said.append(f"{name} / {first}, {METRICS[key].title}: {ratio.median - 1:+.1%} "
                            f"({ratio.low - 1:+.1%} to {ratio.high - 1:+.1%})")
    return said


def _settings(workload: dict[str, Any]) -> str:
    """What is not as usual."""
    said = ", ".join(f"{key}: {value}" for key, value in workload["settings"].items())
    return f" · inkmesh with <code>{escape(said)}</code>" if said else ""


def _section(results: dict[str, Any], workload: dict[str, Any]) -> str:
    parts = cells(results, workload["name"])
    colours = _colours(results)
    body = f'<h2>{escape(workload["title"])}</h2>'
    place = ("servers on one core, the generator on another" if workload["servers_cpus"] == "pinned"
             else "servers and generator share all cores")
    body += (f'<p class="soft"><code>{escape(" ".join(workload["options"]))}</code> · {workload["nodes"]} node'
             f'{"s" if workload["nodes"] > 1 else ""} · {place}{_settings(workload)}</p>')
    for plot in workload["plots"]:
        if plot in CURVES:
            curves = [(name, colours[name], cell.curve(f"{plot}_us")) for name, cell in parts.items()]
            if any(curve for _, _, curve in curves):
                body += f"<h3>{CURVES[plot]}</h3>" + plots.percentiles([c for c in curves if c[2]])
            continue
        metric = METRICS[plot]
        rows = [(name, colours[name], spread) for name, cell in parts.items() if (spread := cell.spread(plot))]
        if rows:
            better = "less" if metric.less_is_better else "more"
            body += f'<h3>{metric.title} <span class="soft">({better} is better)</span></h3>'
            body += plots.bars(rows, metric.unit)
    body += "<h3>Medians, and the rounds' lowest and highest</h3>" + _figures(parts, workload)
    if said := _comparisons(results, workload):
        lines = "<br>".join(map(escape, said))
        body += f"<h3>Round by round: the median, and the rounds' lowest and highest</h3><p>{lines}</p>"
    for name, cell in parts.items():
        for failure in cell.failures:
            body += f'<p class="bad">{escape(name)} failed, {escape(failure)}</p>'
        if cell.disturbed:
            body += (f'<p class="soft">{escape(name)}: in {cell.disturbed} of {len(cell.good)} rounds others used the '
                     'machine as well.</p>')
    return f'<section id="{workload["name"]}">{body}</section>'


def _series(results: dict[str, Any]) -> str:
    """What workloads have in common that differ in their number of nodes only: CPU for each delivery."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for workload in results["workloads"]:
        if workload["series"]:
            groups.setdefault(workload["series"], []).append(workload)
    body = ""
    colours = _colours(results)
    for title, workloads in groups.items():
        curves = []
        for contestant in results["contestants"]:
            points = [(float(workload["nodes"]), spread.median) for workload in workloads
                      if (cell := cells(results, workload["name"]).get(contestant["name"]))
                      and (spread := cell.spread("cpu_us_per_delivery"))]
            curves.append((contestant["name"], colours[contestant["name"]], sorted(points), False))
        if any(len(points) > 1 for _, _, points, _ in curves):
            body += (f"<section><h2>{escape(title)}</h2><h3>CPU of all servers, per delivery "
                     '<span class="soft">(less is better)</span></h3>'
                     + plots.growth([curve for curve in curves if curve[2]], "nodes", "µs") + "</section>")
    return body


def _recovery(result: dict[str, Any]) -> str:
    body = f'<h2>{escape(result["title"])}</h2><p class="soft">{escape(result["about"])} Measured: '
    body += f'{escape(result["contestant"])}.</p>'
    if result["skipped"]:
        return f'<section id="{result["name"]}">{body}<p class="bad">Skipped: {escape(result["skipped"])}</p></section>'
    measures = [(title, recovery.pooled(result, name)) for name, title in result["measures"].items()]
    measures = [(title, samples) for title, samples in measures if samples]
    body += plots.cumulative([(title, colour, samples) for colour, (title, samples) in zip((0, 2, 3, 4, 5), measures)],
                             result["goal_ms"])
    rows = ""
    for title, samples in measures:
        values = [recovery.quantile(samples, share) for share in (0.5, 0.9, 0.99, 1)]
        rows += (f'<tr><td class="name">{escape(title)} <span class="soft">ms</span></td>'
                 + "".join(f"<td>{number(value)}</td>" for value in values) + f"<td>{len(samples)}</td></tr>")
    body += _table(["p50", "p90", "p99", "max", "samples"], rows)
    good = [run["figures"] for run in result["runs"] if not run["failures"]]
    met = recovery.goal_met(result)
    copies = sum(figures.get("second_copies", 0) for figures in good)
    body += (f'<p>{len(good)} of {len(result["runs"])} runs count. Goal (dashed): {escape(result["goal"])}: '
             f'{"not measured" if met is None else "met" if met else "<span class=bad>missed</span>"}.'
             + (f" In {others} others used the machine as well." if (others := recovery.disturbed(result)) else "")
             + (f" {copies} deliveries were second copies, which clients draw once." if copies else "") + "</p>")
    for i, run in enumerate(result["runs"]):
        for failure in run["failures"]:
            body += f'<p class="bad">run {i + 1} failed: {escape(failure)}</p>'
    return f'<section id="{result["name"]}">{body}</section>'


def _introduction(results: dict[str, Any]) -> str:
    """What was measured how; of the matrix only where some of it was."""
    if not results["workloads"]:
        return ""
    who = ", ".join(c["name"] + (f" ({c['version']})" if c["version"] else "") for c in results["contestants"])
    return f"""<p>Measured: {escape(who)}. Bars are medians of {results["rounds"]} rounds, whiskers reach from the lowest to
the highest; contestants took turns within each round. CPU is user and system time of all server processes within the
measured window, read at its edges. Every delivery was checked: a run that lost, repeated or reordered a stroke, or in
which the generator was over 80 % busy, is shown as failed and is in no figure. A stroke is some 200 bytes of JSON: ten
points of real handwriting. Latency counts from when a stroke was to leave, not from when it could.</p>
<p>Unless it is said otherwise an inkmesh node writes each stroke to its journal on disk, flushed before anyone is told (LMDB gets it from there); each is on
two nodes at least, and at those where it is open, and acknowledged from two; on a cluster of one node, from one. The floor
stores nothing and acknowledges nothing: it copies frames, and is here to show what cannot be saved. What the kernel does in
threads of its own, such as writing the disk's journal, is in nobody's figure.</p>"""


def page(results: dict[str, Any]) -> str:
    machine = results["machine"]
    nice = f" Servers and generator ran at nice {machine['nice']}." if machine["nice"] else ""
    about = (f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}, "
             f"TCP with {machine['congestion']}, stores on {machine['disk']}. Commit {machine['commit']}.{nice}")
    title = "what a delivery costs" if results["workloads"] else "benchmark"
    sections = "".join(_section(results, workload) for workload in results["workloads"])
    sections += _series(results)
    recoveries = results.get("recoveries", [])
    if recoveries:
        sections += "<h1>After a fault</h1><p>Samples of all runs together. Each run was checked: every stroke reached every \
subscriber, each origin's without a gap or a repeat, all was acknowledged, and what was acknowledged was there.</p>"
        sections += "".join(map(_recovery, recoveries))
    if "scale" in results:
        sections += scale.section(results["scale"])
    if "micro" in results:
        sections += micro.section(results["micro"])
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>inkmesh: {title}</title><style>{STYLE}</style>
<h1>{title[0].upper() + title[1:]}</h1>
<p class="soft">{escape(about)}</p>
{_introduction(results)}
{_overview(results) if results["workloads"] else ''}
{sections}
</html>
"""


def table(results: dict[str, Any]) -> str:
    """For the terminal: medians, and how far the rounds lie apart."""
    lines = []
    for workload in results["workloads"]:
        parts = cells(results, workload["name"])
        if not parts:
            continue
        keys = _columns(parts, workload)[:7]
        lines.append(f"{workload['name']}: {workload['title']}")
        heads = [f"{key} [{METRICS[key].unit}]" for key in keys]
        lines.append(f"  {'':<14}" + "".join(f"{head:>{max(len(head), 14) + 2}}" for head in heads))
        for name, cell in parts.items():
            line = f"  {name:<14}"
            for key, head in zip(keys, heads):
                spread = cell.spread(key)
                text = "-" if spread is None else f"{number(spread.median)} ±{spread.relative / 2:.0%}"
                line += f"{text:>{max(len(head), 14) + 2}}"
            if cell.failures:
                line += f"   {len(cell.failures)} of {len(cell.runs)} FAILED"
            if cell.disturbed:
                line += f"   {cell.disturbed} disturbed"
            lines.append(line)
        lines += [f"  {said}" for said in _comparisons(results, workload)[:6]]
    if "scale" in results:
        lines.append(scale.table(results["scale"]))
    if "micro" in results:
        lines.append(micro.table(results["micro"]))
    return "\n".join(lines)
