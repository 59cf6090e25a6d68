"""Figures of scale: meshes of 3 to 200 nodes, the shipped core in virtual time, and how fast the simulator itself is.
Nothing here opens a socket: inkmesh_scale and inkmesh_sim are given sizes and seeds, and say what came of them."""
from __future__ import annotations

import json
import re
import resource
import statistics
import subprocess
from html import escape
from pathlib import Path
from typing import Any, Callable

import plots
from processes import die_with_parent
from summary import number

NAME = "scale"
TITLE = "The mesh's own cost in clusters of 3 to 200 nodes, simulated"
SIZES, SIZES_SHORT = "3,10,50,200", "3,10,50"
RUN_WITHIN_S = 900
SWEEP = ["--nodes", "5", "--ops", "500"]  # what scripts/test runs, too
SECONDS = 10.0  # of virtual time: anti-entropy compares with every peer once in so long
SWEEP_SEEDS, SWEEP_SEEDS_SHORT = 200, 50

FIGURES = (  # key in inkmesh_scale's JSON, what it is
    ("gossip_messages", "gossip received, messages/s"),
    ("gossip_bytes", "gossip received, bytes/s"),
    ("frames", "frames sent /s"),
    ("link_bytes", "link bytes sent /s"),
    ("repair_messages", "anti-entropy, messages/s"),
    ("pulls", "pulls/s"),
    ("known_p50_ms", "interest known, median ms"),
    ("known_p99_ms", "interest known, 99 % ms"),
    ("live_p50_ms", "subscriber live, median ms"),
    ("live_p99_ms", "subscriber live, 99 % ms"),
    ("in_vain", "strokes forwarded in vain, %"),
    ("cpu_us", "CPU of the core, µs/s"),
    ("start_cpu_ms", "CPU of its start, ms"),
    ("memory_kib", "memory of the core, KiB"),
)

# A plot's title and unit, and its lines: figure, name.
PLOTS = (
    ("Messages of a node, each second", "", (("gossip_messages", "gossip received"), ("frames", "frames sent"),
                                              ("repair_messages", "anti-entropy"), ("pulls", "pulls"))),
    ("Bytes of a node, each second", "B", (("gossip_bytes", "gossip received"), ("link_bytes", "sent on links"))),
    ("CPU of a node's core, each second, and its memory", "",
     (("cpu_us", "µs of CPU"), ("memory_kib", "KiB of memory"))),
    ("From opening a drawing", "ms", (("known_p50_ms", "interest known everywhere, median"),
                                      ("known_p99_ms", "99 %"), ("live_p50_ms", "subscriber live, median"),
                                      ("live_p99_ms", "99 %"))),
)


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_WITHIN_S, check=False,
                          preexec_fn=die_with_parent)
    if done.returncode not in (0, 1) or not done.stdout:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-300:]}")
    return done.stdout


def _simulator(tools: Path, seeds: int) -> dict[str, float]:
    """How fast random runs of small clusters go, by the CPU time that they take: others may use the machine as well."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = _output([str(tools / "inkmesh_sim"), *SWEEP, "--seeds", str(seeds), "--keep-going"])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = max(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1e-3)
    found = re.search(r"(\d+) seeds, (\d+) failed; .* (\d+) events, ", said)
    if found is None:
        raise RuntimeError(f"inkmesh_sim said {said[-300:]!r}")
    count, failed, events = (float(group) for group in found.groups())
    return {"seeds": count, "failed": failed, "seeds_per_s": count / seconds, "events_per_s": events / seconds}


def run(tools: Path, short: bool, rounds: int, seconds: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Each round has a seed of its own; of each figure the median counts."""
    found: list[list[dict[str, Any]]] = []
    sweeps = []
    failures: list[str] = []
    for r in range(1, rounds + 1):
        rows = json.loads(_output([str(tools / "inkmesh_scale"), "--nodes", SIZES_SHORT if short else SIZES,
                                   "--seconds", str(seconds), "--seed", str(r), "--json"]))
        sweeps.append(_simulator(tools, SWEEP_SEEDS_SHORT if short else SWEEP_SEEDS))
        failures += [f"{row['nodes']} nodes, seed {r}: {row['broken']}" for row in rows if row["broken"]]
        if sweeps[-1]["failed"]:
            failures.append(f"the sweep: {sweeps[-1]['failed']:.0f} seeds failed")
        for row in rows:
            row["in_vain"] = 100 * row["for_nothing"] / row["forwarded"] if row["forwarded"] else 0.0
        found.append(rows)
        say(f"{number(sweeps[-1]['events_per_s'])} events/s of CPU")
    keys = [key for key, value in found[0][0].items() if isinstance(value, (int, float))]
    rows = [{key: statistics.median(each[i][key] for each in found) for key in keys} for i in range(len(found[0]))]
    return {"ok": not failures, "failures": failures, "rounds": rounds, "rows": rows,
            "simulator": {key: statistics.median(sweep[key] for sweep in sweeps) for key in sweeps[0]}}


def _settings(row: dict[str, Any]) -> str:
    homes = f"{row['replicas']:.0f} homes" if row["replicas"] else "no homes"
    return homes + (f", {row['loss_per_mille'] / 10:g} % of gossip lost" if row["loss_per_mille"] else "")


def _groups(scale: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Rows by all but the number of nodes."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in scale["rows"]:
        groups.setdefault(_settings(row), []).append(row)
    return groups


def _simulator_said(scale: dict[str, Any]) -> str:
    simulator = scale["simulator"]
    return (f"The simulator itself ({' '.join(SWEEP)}): {number(simulator['seeds_per_s'])} seeds and "
            f"{number(simulator['events_per_s'])} events for a second of CPU")


def section(scale: dict[str, Any]) -> str:
    """For the page."""
    groups = _groups(scale)
    body = (f"<h2>{TITLE}</h2>"
            '<p class="soft">The shipped core in virtual time: each node has 20 drawings open, each of them open at 3 '
            "nodes; it closes one and opens another each second, and draws 5 strokes/s. Rates are for one node and one "
            "second; CPU and memory are the core's alone, without sockets and store. Lines: two homes; dashed: 1 % of "
            "all gossip is lost.</p>")
    solid, dashed = (next((rows for rows in groups.values() if rows[0]["replicas"] and
                           bool(rows[0]["loss_per_mille"]) == lossy), []) for lossy in (False, True))
    for title, unit, lines in PLOTS:
        curves = []
        for colour, (key, name) in zip((0, 2, 3, 4), lines):
            for rows, is_dashed in ((solid, False), (dashed, True)):
                points = [(row["nodes"], row[key]) for row in rows if row[key] > 0]
                if points:
                    curves.append((name, colour, points, is_dashed))
        body += f"<h3>{title}</h3>" + plots.growth(curves, "nodes", unit)
    for settings, rows in groups.items():
        head = "".join(f"<th>{row['nodes']:.0f} nodes</th>" for row in rows)
        lines = "".join(f'<tr><td class="name">{name}</td>' +
                        "".join(f"<td>{number(row[key])}</td>" for row in rows) + "</tr>" for key, name in FIGURES)
        body += (f'<h3>{settings}</h3><div class="scroll"><table><tr><th></th>{head}</tr>{lines}</table></div>')
    body += f"<p>{_simulator_said(scale)}.</p>"
    body += "".join(f'<p class="bad">{escape(failure)}</p>' for failure in scale["failures"])
    return f'<section id="{NAME}">{body}</section>'


def table(scale: dict[str, Any]) -> str:
    """For the terminal."""
    lines = [f"{NAME}: {TITLE}"]
    for settings, rows in _groups(scale).items():
        lines.append(f"  {settings:<34}" + "".join(f"{row['nodes']:>9.0f}" for row in rows))
        lines += [f"    {name:<32}" + "".join(f"{number(row[key]):>9}" for row in rows) for key, name in FIGURES]
    lines += [f"  {_simulator_said(scale)}", *(f"  FAILED: {failure}" for failure in scale["failures"])]
    return "\n".join(lines)
