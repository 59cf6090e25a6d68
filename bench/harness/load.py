"""bench_load: one run of it against servers that are up."""
from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from processes import die_with_parent, is_alive, placed


def command_line(binary: Path, dialect: str, running: Any, options: list[str]) -> list[str]:
    """To run bench_load against these servers; "{first_pid}" in the options is the first one's process."""
    options = [option.format(first_pid=next(iter(running.pids.values()))) for option in options]
    pids = [f"{label}={pid}" for label, pid in running.pids.items()]
    return [str(binary), "--dialect", dialect, "--url", *running.urls, "--pid", *pids, *options]


def run(binary: Path, dialect: str, running: Any, options: list[str], cpus: set[int] | None,
        timeout_s: float, kills: bool = False,
        check: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    """The result line, with `failures` completed: a run that has any does not count. `kills`: the first process's end is
    part of the run. `check` looks at the servers once more and may add failures and figures."""

    try:
        with placed(cpus):
            done = subprocess.run(command_line(binary, dialect, running, options), stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=timeout_s, check=False, preexec_fn=die_with_parent)
        result = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"ok": False, "failures": [f"bench_load did not end within {timeout_s:.0f} s"], "figures": {}}
    except (IndexError, json.JSONDecodeError):
        return {"ok": False, "failures": [f"bench_load said: {(done.stderr or done.stdout).strip()[-300:]}"],
                "figures": {}}
    for label, pid in list(running.pids.items())[1 if kills else 0:]:
        if not is_alive(pid):
            result["failures"].append(f"{label} ended during the run")
    if check is not None and not result["failures"]:
        try:
            check(result)
        except (OSError, ValueError, KeyError) as failed:
            result["failures"].append(f"the servers could not be looked at: {failed!r}")
    servers = result["figures"].get("servers", {}).values()
    result["figures"]["rss_growth_kib"] = sum(one["rss_kib"] - one["rss_kib_begin"] for one in servers)
    result["ok"] = not result["failures"]
    return result
