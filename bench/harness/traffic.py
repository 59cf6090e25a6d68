"""What flows between nodes: the ports that bench_load counts at, and what must have come of it."""
from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

from processes import Running

# With no homes and nobody elsewhere who has it open, links carry no stroke: this share of its bytes is for what else
# nodes have to say to each other.
NOTHING = 0.01
# A copy takes the stroke's JSON, its names and numbers, and the word that it is stored. Below this many times the JSON it
# did not go twice.
ONCE = 2.0


def options(running: Any, workload: Any) -> list[str]:
    """bench_load's, for servers whose ports are known."""
    if not isinstance(running, Running) or workload.nodes == 1:
        return []
    found: list[str] = []
    for option, ports in (("--link-port", running.link_ports), ("--gossip-port", running.gossip_ports)):
        if ports:
            found += [option, *map(str, ports)]
    if running.homes is not None:
        found += ["--homes", str(running.homes)]
    return found


def stored(urls: list[str]) -> int:
    """Strokes in all nodes' stores."""
    total = 0
    for url in urls:
        with urllib.request.urlopen(f"http{url.removeprefix('ws')}/status", timeout=5) as answer:
            total += json.load(answer)["store"]["strokes"]
    return total


def settled(urls: list[str], expected: int, tries: int = 40) -> int:
    """What the stores hold, once it is as much as expected or that has taken two seconds."""
    found = stored(urls)
    for _ in range(tries):
        if found >= expected:
            break
        time.sleep(0.05)
        found = stored(urls)
    return found


def check(result: dict[str, Any], running: Any, workload: Any) -> None:
    """Every stroke is at its author's node, its homes and where it is open, and nowhere else; links carried no more."""
    figures = result["figures"]
    if "all_copies" not in figures:
        return
    # A home's commit may come after the last delivery.
    expected = figures["all_strokes"] + figures["all_copies"]
    found = settled(running.urls, expected)
    figures["stored_copies"] = found - figures["all_strokes"]
    if found != expected:
        result["failures"].append(f"the stores hold {found} strokes and copies of them, {expected} are right")
    if figures["all_copies"] == 0 and figures["link_bytes_per_stroke"] > NOTHING * figures["stroke_bytes"]:
        result["failures"].append(f"{figures['link_bytes_per_stroke']:.1f} bytes between nodes for each stroke, where no "
                                  "other node has anything to do with it")
    per_copy = figures.get("link_bytes_per_copy", 0)
    if workload.counts_bytes and per_copy > ONCE * figures["stroke_bytes"]:
        result["failures"].append(f"{per_copy:.0f} bytes between nodes for each copy of {figures['stroke_bytes']:.0f}")
