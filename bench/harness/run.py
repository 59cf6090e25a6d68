"""Runs the matrix, contestants interleaved round by round, and writes build/bench/results.json and report.html."""
from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import disk
import load
import machine
import micro
import recovery
import report
import scale
import traffic
from processes import StartFailed, placed, raise_descriptor_limit
from recovery import RECOVERIES
from servers import Floor, Inkmesh, Servers
from workloads import WORKLOADS, Workload

ROOT = Path(__file__).resolve().parents[2]

# Servers that others wrote, where they are part of this checkout.
try:
    import rivals
    RIVALS = tuple(rivals.ALL)
except ImportError:
    RIVALS = ()
RUN_WITHIN_S = 240
KNOWN = ("floor", *RIVALS)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures what a delivery costs: installs, builds, runs, and writes a page with plots.",
        epilog=f"""\
workloads (without * not in the short mode):
{chr(10).join(f'  {w.name:<15}{"*" if w.short else " "} {w.title}' for w in WORKLOADS)}
  {scale.NAME:<15}  {scale.TITLE} (only where it is asked for)
  {micro.NAME:<15}  {micro.TITLE} (only where it is asked for)

recovery (of the first build of inkmesh; --only recovery is all five):
{chr(10).join(f'  {r.name:<16} {r.title}' for r in RECOVERIES)}

examples:
  scripts/bench --only mesh --hold                            its servers, to be loaded and profiled by hand
  scripts/bench --short                                       some two minutes: is it about as fast as it was?
  scripts/bench --only scale                                  larger clusters, and the simulator's own speed
  scripts/bench --against floor,ws-redis,ws-redis-stream,socketio,nats
                                                              the whole comparison, more than an hour
  scripts/bench --inkmesh old=/tmp/before --inkmesh new=build/release/inkmesh --against none --only fanout
                                                              one change, before and after, side by side

Every delivery is checked. A run that lost, repeated or reordered a stroke counts as failed, whatever its speed, and so
does one in which the generator was over 80 % busy. Figures are medians over the rounds; the page shows their spread.
Exit codes: 0 all runs counted, 1 some did not, 2 the command line is wrong.""")
    parser.add_argument("--short", action="store_true", help="the main workloads, three short rounds")
    parser.add_argument("--only", action="append", metavar="WORKLOAD", help="this workload; may be repeated")
    parser.add_argument("--against", default="floor", metavar="LIST",
                        help=f"of {', '.join(KNOWN)}, or none [floor]")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often each is measured [5, short: 3; recovery: 30, 30, 30, 5 and 10 faults, short: 6, 6, 6, 1 and 2]")
    parser.add_argument("--seconds", type=float, metavar="S", help="the measured window of each run [5, short: 2]")
    parser.add_argument("--inkmesh", action="append", metavar="[NAME=]PATH", help="the binary; repeat it to compare builds")
    parser.add_argument("--tools", type=Path, default=ROOT / "build/release",
                        help="where bench_load and bench_floor are [build/release]")
    parser.add_argument("--out", type=Path, default=ROOT / "build/bench", help="for data and the report [build/bench]")
    parser.add_argument("--patience", type=float, default=0, metavar="S",
                        help="before each run, wait up to S seconds for others to leave the machine alone [0]")
    parser.add_argument("--keep", action="store_true", help="keep the servers' folders: stores and logs")
    parser.add_argument("--hold", action="store_true",
                        help="start the servers of --only WORKLOAD and wait, to load and profile them by hand")
    options = parser.parse_args(arguments)
    names = [*(w.name for w in WORKLOADS), "recovery", *(r.name for r in RECOVERIES), scale.NAME, micro.NAME]
    for name in options.only or []:
        if name not in names:
            parser.error(f"--only {name}: expected one of {', '.join(names)}")
    if options.hold and len(options.only or []) != 1:
        parser.error("--hold needs one --only WORKLOAD")
    if options.hold and options.only[0] not in [w.name for w in WORKLOADS]:
        parser.error("--hold is for workloads with servers that stay: not for scale, micro or recovery")
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds: at least 1")
    options.against = [] if options.against == "none" else options.against.split(",")
    for name in options.against:
        if name not in KNOWN:
            parser.error(f"--against {name}: expected some of {', '.join(KNOWN)}, or none")
    return options


def contestants(options: argparse.Namespace) -> list[Servers]:
    chosen: list[Servers] = []
    for text in options.inkmesh or [str(ROOT / "build/release/inkmesh")]:
        name, _, path = text.rpartition("=")
        chosen.append(Inkmesh(Path(path), name or ("inkmesh" if not chosen else f"inkmesh-{len(chosen) + 1}")))
    for name in options.against:
        if name == "floor":
            chosen.append(Floor(options.tools / "bench_floor"))
        else:
            chosen.append(rivals.ALL[name])
    if len({servers.name for servers in chosen}) < len(chosen):
        raise SystemExit("scripts/bench: two contestants have one name: --inkmesh NAME=PATH tells them apart")
    return chosen


def cores(workload: Workload) -> tuple[set[int] | None, set[int] | None]:
    """(servers', generator's): kept apart where one core each is enough."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        return None, None
    if workload.servers_cpus == "pinned":
        return {available[1]}, {available[0]}
    return None, None


def start(servers: Servers, workload: Workload, folder: Path) -> Any:
    """The servers of one run, with an empty folder, on their cores."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = workload.settings if getattr(servers, "configurable", False) else {}
    with placed(cores(workload)[0]):
        return servers.start(workload.nodes, folder, **settings)


def load_options(servers: Servers, workload: Workload, options: argparse.Namespace, running: Any) -> list[str]:
    """bench_load's options for one run."""
    seconds = options.seconds or (2 if options.short else workload.seconds)
    warm = min(workload.warm, 1) if options.short else workload.warm
    acks = ["--acks"] if getattr(servers, "acks", False) else []
    return ["--seconds", str(seconds), "--warm", str(warm), "--settle", str(workload.settle), *acks,
            *traffic.options(running, workload), *workload.options]


def one_run(servers: Servers, workload: Workload, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    try:
        alone = (disk.measure(options.tools / "bench_disk", folder, 1 if options.short else 2, cores(workload)[0])
                 if workload.against_disk else None)
        running = start(servers, workload, folder)
    except (StartFailed, RuntimeError, ValueError, OSError, subprocess.SubprocessError) as failed:
        return {"ok": False, "failures": [str(failed)], "figures": {}}
    try:
        result = load.run(options.tools / "bench_load", servers.dialect, running,
                        load_options(servers, workload, options, running), cores(workload)[1], RUN_WITHIN_S,
                        workload.kills, lambda result: traffic.check(result, running, workload))
        if alone is not None:
            disk.compare(result, alone)
        return result
    finally:
        running.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def hold(servers: Servers, workload: Workload, options: argparse.Namespace) -> int:
    """Starts the servers of one run, says how to load them by hand, and waits for Ctrl-C."""
    running = start(servers, workload, options.out / "data" / f"hold-{servers.name}")
    try:
        words = load.command_line(options.tools / "bench_load", servers.dialect, running,
                                  load_options(servers, workload, options, running))
        own = cores(workload)[1]
        pinned = ["taskset", "-c", ",".join(map(str, own))] if own else []
        print("\n".join(f"{label:<8} pid {pid}" for label, pid in running.pids.items()))
        print("Load them with (and another --prefix each time):\n\n  " + shlex.join([*pinned, *words]) + "\n\nCtrl-C stops.",
              flush=True)
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        running.stop()
    return 0


def note(workload: Workload, result: dict[str, Any]) -> str:
    """A result in a few words, for the terminal."""
    if not result["ok"]:
        return "FAILED: " + "; ".join(result["failures"])[:300]
    figures = result["figures"]
    parts = [report.spoken(key, report.value(figures, key)) for key in dict.fromkeys(
        (workload.headline, "cpu_us_per_delivery", "deliveries_per_s", "latency_p50", "latency_p99"))
        if report.value(figures, key) is not None]
    if figures.get("others_busy", 0) > machine.DISTURBED:
        parts.append(f"(others used {figures['others_busy']:.1f} cores)")
    return ", ".join(parts)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    raise_descriptor_limit()
    chosen = [w for w in WORKLOADS if (w.name in options.only if options.only else not options.short or w.short)]
    wanted = [r for r in RECOVERIES
              if (r.name in options.only or "recovery" in options.only if options.only else not options.short)]
    rounds = options.rounds or (3 if options.short else 5)
    everyone = contestants(options)
    if options.hold:
        return hold(everyone[0], chosen[0], options)
    plan = [(r, w, s) for r in range(rounds) for w in chosen
            for s in (everyone if r % 2 == 0 else everyone[::-1]) if not w.only or s.dialect in w.only]
    options.out.mkdir(parents=True, exist_ok=True)
    runs: list[dict[str, Any]] = []
    begun = time.monotonic()
    recoveries: list[dict[str, Any]] = []
    stopped = False
    try:
        for i, (number, workload, servers) in enumerate(plan):
            left = (time.monotonic() - begun) / i * (len(plan) - i) if i else 0
            eta = f", {left / 60:.0f} min left" if left > 90 else f", {left:.0f} s left" if i else ""
            print(f"[{i + 1}/{len(plan)}{eta}] {workload.name} / {servers.name}: ", end="", flush=True)
            machine.wait_until_quiet(options.patience)
            result = one_run(servers, workload, options, options.out / "data" / f"{workload.name}-{servers.name}")
            print(note(workload, result), flush=True)
            runs.append({**result, "round": number + 1, "workload": workload.name, "contestant": servers.name})
        for one in wanted:
            machine.wait_until_quiet(options.patience)
            recoveries.append(recovery.perform(one, everyone[0], options.tools, options.out / "data" / one.name,
                                               options.rounds, options.short, options.keep))
    except KeyboardInterrupt:
        # What was measured until then is worth its page.
        stopped = True
        print("\nstopped: a report of what there is follows", flush=True)
    results: dict[str, Any] = {
        "machine": machine.describe(ROOT, options.out),
        "contestants": [{"name": s.name, "dialect": s.dialect, "version": machine.version_of(s)} for s in everyone],
        "workloads": [{"name": w.name, "title": w.title, "headline": w.headline, "plots": w.plots, "nodes": w.nodes,
                       "settings": w.settings, "options": w.options, "servers_cpus": w.servers_cpus, "series": w.series}
                      for w in chosen],
        "rounds": rounds,
        "runs": runs,
        "recoveries": recoveries,
    }
    if scale.NAME in (options.only or []) and not stopped:
        print(f"{scale.NAME}: ", end="", flush=True)
        results["scale"] = scale.run(options.tools, options.short, options.rounds or (1 if options.short else 3),
                                     options.seconds or scale.SECONDS, lambda text: print(f"[{text}] ", end="", flush=True))
        print()
    if micro.NAME in (options.only or []) and not stopped:
        results["micro"] = micro.run(options.tools, options.out / "data" / micro.NAME, options.short, rounds)
    (options.out / "results.json").write_text(json.dumps(results, indent=1))
    (options.out / "report.html").write_text(report.page(results))
    print("\n" + "\n".join(filter(None, (report.table(results), recovery.table(recoveries)))))
    print(f"\n{options.out / 'report.html'}\n{options.out / 'results.json'}")
    good = all(run["ok"] for run in runs) and not any(run["failures"] for one in recoveries for run in one["runs"])
    good = good and results.get("scale", {"ok": True})["ok"] and not results.get("micro", {"failures": []})["failures"]
    if stopped:
        return 130
    return 0 if good else 1


if __name__ == "__main__":
    # Either way of being stopped stops the servers too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
