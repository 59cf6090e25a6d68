"""bench_load: one run of it against servers that are up."""
from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from processes import NICE, Running, may_be_nice

BUSY_LIMIT = 0.8  # of its core: past that the generator could be what is measured


def command(binary: Path, dialect: str, running: Running, options: list[str]) -> list[str]:
    options = [option.format(first_pid=running.processes[0].pid) for option in options]
    pids = [f"{label}={pid}" for label, pid in running.pids.items()]
    return [str(binary), "--dialect", dialect, "--url", *running.urls, "--pid", *pids, *options]


def run(binary: Path, dialect: str, running: Running, options: list[str], cpus: set[int] | None,
        timeout_s: float, kills: bool = False) -> dict[str, Any]:
    """The result line, with `failures` completed: a run that has any does not count. `kills`: the first process's end is
    part of the run."""

    def prepare() -> None:
        if may_be_nice():
            os.setpriority(os.PRIO_PROCESS, 0, NICE)
        if cpus:
            os.sched_setaffinity(0, cpus)

    try:
        done = subprocess.run(command(binary, dialect, running, options), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=timeout_s, preexec_fn=prepare, check=False)
        result = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"ok": False, "failures": [f"bench_load did not end within {timeout_s:.0f} s"], "figures": {}}
    except (IndexError, json.JSONDecodeError):
        return {"ok": False, "failures": [f"bench_load said: {(done.stderr or done.stdout).strip()[-300:]}"],
                "figures": {}}
    for process in running.processes[1 if kills else 0:]:
        if not process.alive:
            result["failures"].append(f"{process.name} ended during the run")
    if result["figures"].get("generator_busy", 0) > BUSY_LIMIT:
        result["failures"].append(f"the generator was {result['figures']['generator_busy']:.0%} busy: it may be the limit")
    servers = result["figures"].get("servers", {}).values()
    result["figures"]["rss_growth_kib"] = sum(one["rss_kib"] - one["rss_kib_begin"] for one in servers)
    result["ok"] = not result["failures"]
    return result
