"""What was measured where: a benchmark without that says nothing."""
from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

from processes import NICE, may_be_nice

DISTURBED = 0.25  # cores that others used within the window, from which on a run is marked


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def describe(root: Path, folder: Path) -> dict[str, Any]:
    processor = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                      if line.startswith("model name")), platform.machine())
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory_kib / 1024 / 1024, 1),
        "kernel": platform.release(),
        "congestion": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
        "disk": _output("findmnt", "-n", "-o", "FSTYPE,SOURCE", "-T", str(folder)),
        "commit": _output("git", "-C", str(root), "describe", "--always", "--dirty"),
        "nice": NICE if may_be_nice() else 0,
    }


def _busy_s() -> float:
    """CPU time that the whole machine has spent, in seconds."""
    user, nice, system, _idle, _wait, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def wait_until_quiet(patience_s: float) -> None:
    """Until nobody else uses the machine for a second, or that long."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        before, begun = _busy_s(), time.monotonic()
        time.sleep(1)
        if (_busy_s() - before) / (time.monotonic() - begun) < DISTURBED:
            return


def version_of(servers: Any) -> str:
    """What a kind of server says of itself."""
    binary = getattr(servers, "binary", None)
    if binary is not None:
        return _output(str(binary), "--version").splitlines()[0] if binary.exists() else ""
    return str(getattr(servers, "version", ""))
