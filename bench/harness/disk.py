"""bench_disk: what LMDB alone does on the disk that the servers' stores are on."""
from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from processes import die_with_parent, placed

RUN_WITHIN_S = 60


def measure(binary: Path, folder: Path, seconds: float, cpus: set[int] | None) -> dict[str, Any]:
    """Its figures. Raises OSError, subprocess.SubprocessError or ValueError where there are none."""
    folder.mkdir(parents=True, exist_ok=True)
    with placed(cpus):
        done = subprocess.run([str(binary), str(folder), "--seconds", str(seconds)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=RUN_WITHIN_S, check=False, preexec_fn=die_with_parent)
    if done.returncode != 0:
        raise ValueError(f"bench_disk said: {(done.stderr or done.stdout).strip()[-300:]}")
    return json.loads(done.stdout)


def compare(result: dict[str, Any], alone: dict[str, Any]) -> None:
    """Adds both, and the share that the acknowledged strokes are of what LMDB alone stores in groups."""
    figures = result["figures"]
    figures["disk"] = alone
    if "acks_per_s" in figures:
        figures["disk_share"] = 100 * figures["acks_per_s"] / alone["grouped_strokes_per_s"]
        figures["disk_share_scattered"] = 100 * figures["acks_per_s"] / alone["scattered_strokes_per_s"]
