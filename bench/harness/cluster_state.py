"""What a cluster of inkmesh says of itself over HTTP, and what must be true of it."""
from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

LEVEL_WITHIN_S = 60


class Failed(Exception):
    """A run does not count; the message says why."""


def ask(url: str, path: str) -> Any:
    with urllib.request.urlopen(f"http{url.removeprefix('ws')}{path}", timeout=5) as answer:
        return json.load(answer)


def status(url: str) -> dict[str, Any] | None:
    try:
        return ask(url, "/status")
    except (OSError, ValueError):
        return None


def is_level(urls: list[str]) -> bool:
    """Everyone is ready, sees everyone, and owes nobody anything."""
    for url in urls:
        said = status(url)
        if said is None or not said["ready"] or said["strokes"]["acks_waiting"] or said["standins"]:
            return False
        if any(peer["state"] != "up" or peer["lag_strokes"] or not peer["settled"] for peer in said["peers"]):
            return False
    return True


def holds(url: str, strokes: int) -> bool:
    said = status(url)
    return said is not None and said["store"]["strokes"] >= strokes


def wait_for(done: Callable[[], bool], what: str, seconds: float = LEVEL_WITHIN_S, pause_s: float = 0.05) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise Failed(f"not {what} within {seconds:.0f} s")
        time.sleep(pause_s)


def wait_until_level(urls: list[str]) -> None:
    wait_for(lambda: is_level(urls), "level", pause_s=0.2)


def history(url: str, channel: str) -> list[tuple[str, int, str, int]]:
    """Each stroke of a drawing that a node gives: where it stands, and whose it is."""
    found: list[tuple[str, int, str, int]] = []
    cursor = "{}"
    for _ in range(10_000):
        page = ask(url, f"/channels/{channel}/strokes?" + urllib.parse.urlencode({"cursor": cursor}))
        found += [(s["origin"], s["seq"], s["client"], s["op"]) for s in page["strokes"]]
        if not page["more"]:
            return found
        cursor = json.dumps(page["cursor"], separators=(",", ":"))
    raise Failed(f"the history of {channel} has no end")


def check_history(url: str, channel: str, strokes: int) -> None:
    """All that was acknowledged, ops 1 to `strokes` of one author, is there once."""
    ops = sorted(op for *_, op in history(url, channel))
    if ops != list(range(1, strokes + 1)):
        raise Failed(f"{channel} has {len(set(ops))} of {strokes} strokes, {len(ops) - len(set(ops))} of them twice")


def check_everywhere(urls: list[str], channels: list[str], strokes: int) -> None:
    """Every node gives the same histories, in which all that was drawn, and acknowledged by now, is there. A second copy of
    a stroke is at another place: those are counted where they are delivered."""
    histories = [[set(history(url, channel)) for channel in channels] for url in urls]
    if any(other != histories[0] for other in histories):
        raise Failed("the nodes' histories differ")
    drawn = {(channel, *stroke[2:]) for channel, places in zip(channels, histories[0]) for stroke in places}
    if len(drawn) != strokes:
        raise Failed(f"the histories have {len(drawn)} strokes, {strokes} were drawn")
