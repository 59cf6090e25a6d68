"""The hot paths one by one: bench_micro's figures, as medians over its repetitions."""
from __future__ import annotations

import json
import statistics
import subprocess
from html import escape
from pathlib import Path
from typing import Any

from processes import die_with_parent, placed
from summary import number

NAME = "micro"
TITLE = "The hot paths one by one: codecs, the core, the store"
RUN_WITHIN_S = 600
UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


def run(tools: Path, folder: Path, short: bool, rounds: int) -> dict[str, Any]:
    """`folder`: on the disk to measure, as the store's are commits to it."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [str((tools / "bench_micro").resolve()), "--benchmark_format=json", f"--benchmark_repetitions={rounds}",
               f"--benchmark_min_time={0.05 if short else 0.3}", "--benchmark_enable_random_interleaving=true"]
    try:
        with placed(None):
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_WITHIN_S,
                                  check=False, cwd=folder, preexec_fn=die_with_parent)
        said = json.loads(done.stdout)["benchmarks"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as failed:
        return {"rounds": rounds, "rows": [], "failures": [f"bench_micro: {failed}"]}
    runs: dict[str, list[dict[str, Any]]] = {}
    failures = []
    for one in sorted(said, key=lambda one: (one["family_index"], one["per_family_instance_index"])):
        if one["run_type"] != "iteration":
            continue
        if one.get("error_occurred"):
            failures.append(f"{one['run_name']}: {one['error_message']}")
        else:
            runs.setdefault(one["run_name"], []).append(one)
    rows = [_row(name, found) for name, found in runs.items()]
    return {"rounds": rounds, "rows": rows, "failures": list(dict.fromkeys(failures))}


def _row(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    cpu = [one["cpu_time"] * UNITS[one["time_unit"]] for one in runs]
    wall = [one["real_time"] * UNITS[one["time_unit"]] for one in runs]
    # As it was counted: strokes for each second of CPU.
    strokes = round(statistics.median(one["items_per_second"] * one["cpu_time"] * UNITS[one["time_unit"]] / 1e9
                                      for one in runs))
    name = name.removesuffix("/process_time")
    base, _, argument = name.rpartition("/")
    return {"name": base if argument.isdigit() else name, "strokes": strokes, "cpu_ns": statistics.median(cpu) / strokes,
            "cpu_ns_low": min(cpu) / strokes, "cpu_ns_high": max(cpu) / strokes,
            "wall_ns": statistics.median(wall) / strokes, "bytes": runs[0].get("bytes", 0)}


def section(micro: dict[str, Any]) -> str:
    """For the page."""
    lines = "".join(
        f'<tr><td class="name">{escape(row["name"])}</td><td>{row["strokes"]}</td><td>{number(row["cpu_ns"])} '
        f'<span class="soft">{number(row["cpu_ns_low"])}–{number(row["cpu_ns_high"])}</span></td>'
        f'<td>{number(row["wall_ns"])}</td><td>{number(row["bytes"]) if row["bytes"] else "–"}</td></tr>'
        for row in micro["rows"])
    bad = "".join(f'<p class="bad">{escape(failure)}</p>' for failure in micro["failures"])
    return (f'<section id="{NAME}"><h2>{TITLE}</h2><p class="soft">One thread, no sockets; of the store, commits to this '
            f'disk. Medians of {micro["rounds"]} repetitions in random order, and the lowest and the highest.</p>'
            '<div class="scroll"><table><tr><th></th><th>strokes at once</th><th>CPU of a stroke, ns</th>'
            f'<th>time of a stroke, ns</th><th>bytes of a stroke</th></tr>{lines}</table></div>{bad}</section>')


def table(micro: dict[str, Any]) -> str:
    """For the terminal."""
    lines = [f"{NAME}: {TITLE}", f"  {'':<62}{'at once':>8}{'CPU, ns':>10}{'low':>8}{'high':>8}{'time, ns':>10}"]
    lines += [f"  {row['name']:<62}{row['strokes']:>8}{number(row['cpu_ns']):>10}{number(row['cpu_ns_low']):>8}"
              f"{number(row['cpu_ns_high']):>8}{number(row['wall_ns']):>10}" for row in micro["rows"]]
    return "\n".join(lines + [f"  FAILED: {failure}" for failure in micro["failures"]])
