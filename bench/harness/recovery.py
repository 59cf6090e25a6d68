"""How soon all is well again after a fault: distributions over many faults, of one kind of server (the first build)."""
from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
from cluster_state import Failed, ask, check_everywhere, check_history, holds, status, wait_for, wait_until_level
from network import Network, NotAllowed
from processes import Running, StartFailed, die_with_parent, placed
from servers import Inkmesh

RUN_WITHIN_S = 120
PARTED_S = 5


@dataclass(frozen=True)
class Recovery:
    """`measures`: what is in a run's `samples`, in ms, and what it is called; the first is the one with the goal."""

    name: str
    title: str
    about: str
    measures: dict[str, str]
    goal: str
    goal_ms: float
    goal_share: float  # of the samples that are to be within; 1: all
    runs: int
    runs_short: int
    perform: Callable[["Bench"], Iterator[dict[str, Any]]]


class Bench:
    """What the runs of one workload share."""

    def __init__(self, servers: Inkmesh, tools: Path, folder: Path, runs: int, short: bool) -> None:
        self.servers, self.folder, self.runs, self.short = servers, folder, runs, short
        self._load = tools / "bench_load"

    def empty(self) -> Path:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return self.folder

    def command(self, running: Running, urls: list[str], *options: str) -> list[str]:
        # Whose CPU time is the servers': all but the one that is or will be dead.
        pids = [f"{one.name}={one.pid}" for one in running.processes if one.alive and str(one.pid) not in options]
        return [str(self._load), "--url", *urls, "--pid", *pids, "--warm", "1", *options]

    def load(self, running: Running, urls: list[str], *options: str) -> dict[str, Any]:
        with placed(None):
            done = subprocess.run(self.command(running, urls, *options), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=RUN_WITHIN_S * 2, check=False, preexec_fn=die_with_parent)
        return figures_of(done.stdout, done.stderr)


def figures_of(said: str, complained: str) -> dict[str, Any]:
    try:
        result = json.loads(said.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        raise Failed(f"bench_load said: {(complained or said).strip()[-300:]}") from None
    if result["failures"]:
        raise Failed("; ".join(result["failures"])[:400])
    return result["figures"]


# ---- the workloads -----------------------------------------------------------------------------------------------------


def drawing_again(bench: Bench) -> Iterator[dict[str, Any]]:
    """One cluster, one node killed after the other."""
    running = bench.servers.start(3, bench.empty())
    try:
        for run in range(bench.runs):
            yield measured(lambda run=run: _kill_once(bench, running, run),
                           {"ack": "ack_ms", "new_ack": "new_ack_ms", "outbox": "outbox_ms", "live": "live_ms"})
    finally:
        running.stop()


def _kill_once(bench: Bench, running: Running, run: int) -> dict[str, Any]:
    wait_until_level(running.urls)
    victim = run % 3
    urls = running.urls[victim:] + running.urls[:victim]
    prefix = f"again{run}"
    try:
        figures = bench.load(running, urls, "--prefix", prefix, "comeback", "--clients", "50", "--people", "5", "--rate", "10",
                             "--kill", str(running.processes[victim].pid))
    finally:
        restart(running, victim)
    wait_until_level(running.urls)
    check_everywhere(running.urls, [f"{prefix}-drawing-{drawing}" for drawing in range(10)], figures["strokes"])
    return figures


def page_again(bench: Bench) -> Iterator[dict[str, Any]]:
    """As drawing_again(), with the whiteboard in a browser."""
    yield from _program_again(bench, "page_again.mjs", {"back": "back_ms", "connected": "connected_ms"})


def node_again(bench: Bench) -> Iterator[dict[str, Any]]:
    """As drawing_again(), with the client library in Node."""
    yield from _program_again(bench, "node_again.mjs", {"back": "back_ms", "outbox": "outbox_ms", "connected": "connected_ms"})


def _program_again(bench: Bench, program: str, measures: dict[str, str]) -> Iterator[dict[str, Any]]:
    """With people of one of the programs that again.mjs describes; it does the killing."""
    running = bench.servers.start(3, bench.empty())
    nodes = [f"{process.name}=http{url.removeprefix('ws')}" for process, url in zip(running.processes, running.urls)]
    with placed(None):
        people = subprocess.Popen(["node", str(Path(__file__).parent / program), *nodes], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    try:
        for run in range(bench.runs):
            yield measured(lambda run=run: _kill_under(running, people, run), measures)
    finally:
        assert people.stdin is not None
        people.stdin.close()
        people.wait(timeout=RUN_WITHIN_S)
        running.stop()


def _kill_under(running: Running, people: subprocess.Popen[str], run: int) -> dict[str, Any]:
    assert people.stdin is not None and people.stdout is not None
    wait_until_level(running.urls)
    victim = run % 3
    try:
        people.stdin.write(f"{running.processes[victim].name} {running.processes[victim].pid}\n")
        people.stdin.flush()
        said = people.stdout.readline()
    finally:
        restart(running, victim)
    if not said:
        raise Failed("not all who drew at it came back, or not all that they drew is there")
    figures = json.loads(said)
    if violations := figures.pop("violations"):
        raise Failed("; ".join(violations)[:400])
    wait_until_level(running.urls)
    figures["strokes"] = figures.pop("drawn")
    check_everywhere(running.urls, figures.pop("channels"), figures["strokes"])
    return figures


def restart(running: Running, i: int) -> float:
    """Starts a node again that was killed; gives the moment."""
    running.processes[i].kill()
    begun = time.monotonic()
    with placed(None):
        running.processes[i] = running.processes[i].again()
    return begun


def measured(run: Callable[[], dict[str, Any]], names: dict[str, str]) -> dict[str, Any]:
    try:
        figures = run()
    except (Failed, subprocess.TimeoutExpired) as failed:
        return {"failures": [str(failed)], "samples": {}, "figures": {}}
    samples = {name: figures.pop(key) for name, key in names.items()}
    return {"failures": [], "samples": samples, "figures": figures}


def level_again(bench: Bench) -> Iterator[dict[str, Any]]:
    """A fresh cluster each time: a store that grows from run to run would be another case in each."""
    strokes = 20_000 if bench.short else 100_000
    for _ in range(bench.runs):
        running = bench.servers.start(3, bench.empty(), replicas=3, ack=2)
        try:
            yield measured(lambda: _level_once(bench, running, strokes), {"level": "level_ms", "ready": "ready_ms"})
        finally:
            running.stop()


def _level_once(bench: Bench, running: Running, strokes: int) -> dict[str, Any]:
    wait_until_level(running.urls)
    running.processes[2].kill()
    filled = bench.load(running, running.urls[:2], "--prefix", "level", "fill", "--strokes", str(strokes), "--drawings", "100")
    for url in running.urls[:2]:
        wait_for(lambda url=url: holds(url, strokes), f"all {strokes} strokes at {url}")
    begun = restart(running, 2)
    late = running.urls[2]
    ready = 0.0

    def there() -> bool:
        nonlocal ready
        said = status(late)
        if said is not None and said["ready"] and ready == 0:
            ready = time.monotonic()
        return said is not None and said["store"]["strokes"] >= strokes

    wait_for(there, f"all {strokes} strokes at the node that came back", pause_s=0.02)
    level = time.monotonic()
    wait_for(lambda: bench.servers.ready(late), "ready")
    ready = ready or time.monotonic()
    for drawing in range(100):
        check_history(late, f"level-drawing-{drawing}", strokes // 100)
    return {"level_ms": [(level - begun) * 1000], "ready_ms": [(ready - begun) * 1000], "strokes": strokes,
            "fill_s": filled["seconds"]}


def healed(bench: Bench) -> Iterator[dict[str, Any]]:
    """One of three is cut off, people draw on both sides, and the cut ends."""
    with Network(3) as network:
        places = [(host, network.inside(i)) for i, host in enumerate(network.hosts)]
        running = bench.servers.start_at(places, bench.empty(), {"replicas": 3, "ack": 2})
        try:
            for run in range(bench.runs):
                yield measured(lambda: _heal_once(bench, running, network, run),
                               {"together": "together_ms", "seen": "seen_ms", "acked": "last_ack_ms",
                                "replicas": "replicas_ms"})
        finally:
            running.stop()


def _heal_once(bench: Bench, running: Running, network: Network, run: int) -> dict[str, Any]:
    wait_until_level(running.urls)
    before = ask(running.urls[0], "/status")["store"]["strokes"]
    lone = run % 3
    with placed(None):
        drawing = subprocess.Popen(
            bench.command(running, running.urls, "--prefix", f"healed{run}", "comeback", "--clients", "60", "--people", "3",
                          "--rate", "2"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    assert drawing.stdin is not None and drawing.stdout is not None
    try:
        if drawing.stdout.readline().strip() != "begin":
            raise Failed(figures_of(*drawing.communicate(timeout=5)) and "bench_load did not begin")
        network.part(lone)
        time.sleep(PARTED_S)
        network.heal(lone)
        moment = time.monotonic_ns()  # the clock of the generator
        drawing.stdin.write(f"healed {moment}\n")
        drawing.stdin.flush()
        replicas = _all_equal(running.urls, before)
        said, complained = drawing.communicate(timeout=RUN_WITHIN_S)
    finally:
        network.heal(lone)
        if drawing.poll() is None:
            drawing.kill()
    figures = figures_of(said, complained)
    held = before + figures["strokes"]
    stores = [ask(url, "/status")["store"]["strokes"] for url in running.urls]
    if any(store != held + figures["second_copies"] // 3 for store in stores):
        raise Failed(f"the nodes hold {stores} strokes, {held} were drawn")
    check_everywhere(running.urls, [f"healed{run}-drawing-{drawing}" for drawing in range(20)], figures["strokes"])
    equal_ns = replicas(held)
    figures["replicas_ms"] = [(equal_ns - moment) / 1e6]
    figures["together_ms"] = [max(figures["replicas_ms"] + figures["seen_ms"])]
    return figures


def _all_equal(urls: list[str], before: int) -> Callable[[int], int]:
    """Watches the stores until they are equal and more than before and stay so for half a second. Gives a function that
    tells since when all held so many."""
    seen: list[tuple[int, int]] = []  # (moment, the least that any node holds)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        said = [status(url) for url in urls]
        now = time.monotonic_ns()
        held = [one["store"]["strokes"] if one else 0 for one in said]
        seen.append((now, min(held)))
        waiting = any(one is None or one["strokes"]["acks_waiting"] for one in said)
        if not waiting and min(held) == max(held) > before and now - next(
                moment for moment, least in seen if least == min(held)) > 500_000_000:
            break
        time.sleep(0.02)

    def since(strokes: int) -> int:
        return next((moment for moment, least in seen if least >= strokes), time.monotonic_ns())
    return since


RECOVERIES = [
    Recovery("drawing-again", "A node is killed: how soon its 50 clients draw on",
             "3 nodes, 10 drawings, 5 people of each at the node that gets a SIGKILL and one at each other node, all draw 10 "
             "strokes/s. Each goes to the next node at once, subscribes with its cursor, sends its outbox with retry, and "
             "draws a new stroke. Each draws one up to 15 ms before the kill, so that it hits strokes at every stage of their "
             "way.",
             {"ack": "From the kill to the first ack elsewhere", "new_ack": "… to the ack of a new stroke",
              "outbox": "… until all is acknowledged that was under way", "live": "… until the drawing is live"},
             "99 % of the clients within 1 s", 1000, 0.99, 30, 6, drawing_again),
    Recovery("page-again", "A node is killed under the whiteboard in a browser: how soon it draws on",
             "3 nodes, the whiteboard in headless Chromium at the node that gets a SIGKILL. The page draws every 50 ms all the "
             "while. By its own clock, until a stroke that it drew since is in the drawing at another node.",
             {"back": "From the kill until it draws on elsewhere", "connected": "… until it is connected elsewhere"},
             "99 % within 1 s", 1000, 0.99, 30, 6, page_again),
    Recovery("node-again", "A node is killed under clients of the JavaScript library in Node: how soon they draw on",
             "3 nodes, 4 drawings, 5 people of each at the node that gets a SIGKILL, all with the library that the whiteboard "
             "uses. Each draws every 50 ms all the while.",
             {"back": "From the kill to the ack of a stroke drawn since, elsewhere",
              "outbox": "… until all is acknowledged that was under way", "connected": "… until it is connected elsewhere"},
             "99 % of the clients within 1 s", 1000, 0.99, 30, 6, node_again),
    Recovery("level-again", "A node was down while strokes were drawn: how soon it holds them all",
             "3 nodes, 3 replicas, 100,000 strokes (short: 20,000) of 200 bytes in 100 drawings while one is down. From its "
             "exec until its store has all of them, committed.",
             {"level": "From the start until it holds everything", "ready": "From the start until it is ready"},
             "within 2 s", 2000, 1, 5, 1, level_again),
    Recovery("healed", "A partition of 5 s heals: how soon everyone has everything",
             "3 nodes in network namespaces, 3 replicas, 20 drawings with a person at each node, who draw 2 strokes/s on both "
             "sides of the cut until it heals.",
             {"together": "From the heal until every store and every subscriber has everything",
              "seen": "… until a subscriber has seen everything", "acked": "… until the last ack of an author who waited for some",
              "replicas": "… until every store has everything"},
             "within 2 s", 2000, 1, 10, 2, healed),
]


def quantile(samples: list[float], share: float) -> float:
    """The smallest sample that at least that share does not exceed."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def spoken(samples: list[float]) -> str:
    return (f"p50 {quantile(samples, 0.5):,.0f}, p90 {quantile(samples, 0.9):,.0f}, p99 {quantile(samples, 0.99):,.0f}, "
            f"max {max(samples):,.0f} ms")


def pooled(result: dict[str, Any], name: str) -> list[float]:
    return [ms for run in result["runs"] for ms in run["samples"].get(name, [])]


def perform(recovery: Recovery, servers: Inkmesh, tools: Path, folder: Path, runs: int | None, short: bool,
            keep: bool) -> dict[str, Any]:
    """All runs of one workload. What this machine does not allow is skipped, and says so."""
    wanted = runs or (recovery.runs_short if short else recovery.runs)
    result: dict[str, Any] = {
        "name": recovery.name, "title": recovery.title, "about": recovery.about, "measures": recovery.measures,
        "goal": recovery.goal, "goal_ms": recovery.goal_ms, "goal_share": recovery.goal_share,
        "contestant": servers.name, "skipped": "", "runs": []}
    bench = Bench(servers, tools, folder, wanted, short)
    try:
        for run in recovery.perform(bench):
            result["runs"].append(run)
            first = run["samples"].get(next(iter(recovery.measures)), [])
            print(f"[{len(result['runs'])}/{wanted}] {recovery.name} / {servers.name}: "
                  + (spoken(first) if first else "FAILED: " + "; ".join(run["failures"])), flush=True)
    except NotAllowed as why:
        result["skipped"] = str(why)
        print(f"{recovery.name}: skipped, {why}", flush=True)
    except (Failed, StartFailed, OSError) as failed:
        result["runs"].append({"failures": [str(failed)], "samples": {}, "figures": {}})
        print(f"{recovery.name}: FAILED: {failed}", flush=True)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return result


def disturbed(result: dict[str, Any]) -> int:
    return sum(run["figures"].get("others_busy", 0) > machine.DISTURBED for run in result["runs"])


def goal_met(result: dict[str, Any]) -> bool | None:
    """Nothing where nothing was measured."""
    samples = pooled(result, next(iter(result["measures"])))
    return quantile(samples, result["goal_share"]) < result["goal_ms"] if samples else None


def table(results: list[dict[str, Any]]) -> str:
    """For the terminal."""
    lines = []
    for result in results:
        if result["skipped"]:
            lines.append(f"{result['name']}: skipped, {result['skipped']}")
            continue
        bad = sum(bool(run["failures"]) for run in result["runs"])
        met = {True: "met", False: "MISSED", None: "not measured"}[goal_met(result)]
        lines.append(f"{result['name']}: {result['title']}; {len(result['runs']) - bad} runs"
                     + (f", {bad} FAILED" if bad else "") + f"; goal ({result['goal']}): {met}"
                     + (f"; others used the machine in {others} runs" if (others := disturbed(result)) else ""))
        for name, title in result["measures"].items():
            if samples := pooled(result, name):
                lines.append(f"  {title:<70} {spoken(samples)}  (n = {len(samples)})")
    return "\n".join(lines)
