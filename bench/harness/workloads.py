"""What is measured."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Workload:
    """One row of the matrix. `options` are bench_load's; `settings` inkmesh's: all others run as they are."""

    name: str
    title: str
    options: list[str]
    nodes: int = 1
    headline: str = "cpu_us_per_delivery"
    plots: tuple[str, ...] = ("cpu_us_per_delivery", "latency")
    settings: dict[str, Any] = field(default_factory=dict)
    short: bool = True       # part of the short mode
    only: tuple[str, ...] = ()  # dialects; empty: all
    seconds: float = 5
    warm: float = 1.5
    settle: float = 1
    # pinned: servers to core 1, the generator to core 0. free: all where they like. With three nodes on two cores the
    # rounds lie equally far apart either way, and a pinned generator has the longer tails (its core is then shared).
    servers_cpus: str = "pinned"
    series: str = ""  # title of the plot of CPU against the number of nodes that it is a point of
    against_disk: bool = False  # what LMDB alone does on that disk is measured just before
    counts_bytes: bool = False  # what flows between nodes must be one copy for each that is due
    kills: bool = False  # the first node dies within the run; "{first_pid}" in options is its process


NODES = "The same 900 people and 4,500 strokes/s, spread over more nodes"
TRAFFIC_PLOTS = ("link_bytes_per_stroke", "link_bytes_per_copy", "cpu_us_per_delivery")
IDLE_PLOTS = ("bytes_per_connection", "cpu_us_per_open")
INGEST_PLOTS = ("acks_per_s", "cpu_us_per_stroke", "ack_latency")
SLOW_PLOTS = ("latency", "rss_growth_mib", "cpu_us_per_delivery")
CATCHUP_PLOTS = ("caught_up_per_s", "catchup_p50", "cpu_us_per_delivery")

WORKLOADS = [
    Workload("fanout", "One drawing, 500 look on, 200 strokes/s",
             ["fanout", "--subscribers", "500", "--rate", "200"]),
    Workload("fanout-closed", "One drawing, 500 look on, as fast as it goes: 16 strokes under way",
             ["fanout", "--subscribers", "500", "--window", "16"],
             # The floor sends each frame for itself: the generator is at its limit before the floor is.
             plots=("cpu_us_per_delivery", "deliveries_per_s", "latency"), short=False, only=("inkmesh",)),
    Workload("mesh", "300 drawings with 3 people each, one at each of 3 nodes, all draw 5 strokes/s",
             ["mesh", "--drawings", "300", "--rate", "5"], nodes=3, servers_cpus="free", series=NODES),
    Workload("mesh-5", "The same, over 5 nodes",
             ["mesh", "--drawings", "300", "--rate", "5"], nodes=5, servers_cpus="free", short=False, series=NODES),
    Workload("mesh-9", "The same, over 9 nodes",
             ["mesh", "--drawings", "300", "--rate", "5"], nodes=9, servers_cpus="free", short=False, series=NODES),
    Workload("mesh-slow", "The same 300 drawings, all draw 1 stroke/s",
             ["mesh", "--drawings", "300", "--rate", "1"], nodes=3, servers_cpus="free", short=False),
    Workload("mesh-3-copies", "300 drawings, 5 strokes/s, each stored on all 3 nodes and acknowledged on 2",
             ["mesh", "--drawings", "300", "--rate", "5"], nodes=3, servers_cpus="free",
             settings={"replicas": 3, "ack": 2}, short=False, only=("inkmesh",)),
    Workload("bytes-no-homes", "300 drawings, all 3 people of each at one node, no homes: nothing is for other nodes",
             ["mesh", "--drawings", "300", "--rate", "5", "--together"], nodes=3, servers_cpus="free",
             headline="link_bytes_per_stroke", plots=TRAFFIC_PLOTS, settings={"replicas": 0}, short=False,
             only=("inkmesh",), counts_bytes=True),
    Workload("bytes-homes", "The same with 2 homes: copies to them, and to nobody else",
             ["mesh", "--drawings", "300", "--rate", "5", "--together"], nodes=3, servers_cpus="free",
             headline="link_bytes_per_stroke", plots=TRAFFIC_PLOTS, short=False, only=("inkmesh",),
             counts_bytes=True),
    Workload("mesh-closed", "300 drawings, as fast as it goes: each of the 900 draws when its last stroke is back",
             ["mesh", "--drawings", "300", "--rate", "0"], nodes=3, servers_cpus="free", short=False,
             plots=("cpu_us_per_delivery", "deliveries_per_s", "latency")),
    Workload("latency", "From one node to another, 100 strokes/s",
             ["latency", "--rate", "100"], nodes=3, headline="latency_p50", servers_cpus="free"),
    Workload("latency-async", "From one node to another, 100 strokes/s; inkmesh shows strokes before they are on disk",
             ["latency", "--rate", "100"], nodes=3, headline="latency_p50", servers_cpus="free",
             settings={"durability": "async"}, short=False),
    Workload("idle", "2,000 connections that do nothing",
             ["idle", "--connections", "2000"], headline="bytes_per_connection", plots=IDLE_PLOTS),
    Workload("idle-10000", "10,000 connections that do nothing",
             ["idle", "--connections", "10000"], headline="bytes_per_connection", plots=IDLE_PLOTS, short=False),
    Workload("idle-open", "5,000 connections with drawings open, 3 people each",
             ["idle", "--connections", "5000", "--people", "3"], headline="bytes_per_connection",
             plots=IDLE_PLOTS, short=False),
    # Longer than the others: what the journal holds for the replica must have gone there many times.
    Workload("ingest", "200 authors, 4 strokes under way each, nobody looks on: stored, then acknowledged",
             ["ingest", "--publishers", "200", "--channels", "200", "--window", "4"], nodes=3,
             headline="acks_per_s", plots=INGEST_PLOTS, servers_cpus="free", short=False, only=("inkmesh",),
             seconds=10, warm=3, against_disk=True),
    Workload("ingest-one", "The same at one node, beside what LMDB alone does on its disk",
             ["ingest", "--publishers", "200", "--channels", "200", "--window", "4"],
             headline="disk_share", plots=(*INGEST_PLOTS, "disk_share"), short=False, only=("inkmesh",),
             seconds=10, warm=3, against_disk=True),
    # Those who do not read miss more than an outbox and their sockets hold: they are read to from the log.
    Workload("slow", "One drawing, 450 look on, 200 strokes/s; 50 more do not read until it is over",
             ["fanout", "--subscribers", "450", "--silent", "50", "--rate", "200"], headline="latency_p99",
             plots=SLOW_PLOTS, short=False, seconds=10, settings={"outbox": "512KiB"}),
    Workload("slow-none", "The same 450 without the 50 that do not read",
             ["fanout", "--subscribers", "450", "--rate", "200"], headline="latency_p99",
             plots=SLOW_PLOTS, short=False, seconds=10, settings={"outbox": "512KiB"}),
    Workload("catchup", "Opening a drawing of 20,000 strokes", ["catchup", "--strokes", "20000"],
             headline="caught_up_per_s", plots=CATCHUP_PLOTS, short=False, only=("inkmesh",)),
    # Settled until the journal has given all to LMDB: there it is read from.
    Workload("catchup-100", "Coming back to a drawing with a cursor that lacks the last 100 strokes of 20,000",
             ["catchup", "--held", "19900", "--strokes", "100", "--readers", "200"],
             headline="catchup_p50", plots=CATCHUP_PLOTS, short=False, only=("inkmesh",), settle=7),
    Workload("catchup-100k", "Coming back to a drawing with a cursor that lacks the last 100,000 strokes of 120,000",
             ["catchup", "--held", "20000", "--strokes", "100000", "--readers", "5"],
             headline="catchup_p50", plots=CATCHUP_PLOTS, short=False, only=("inkmesh",), settle=7),
    Workload("churn", "150 people open one new drawing after another, 20 on each connection, at 3 nodes",
             ["churn", "--people", "150", "--drawings", "20"], nodes=3, headline="drawings_per_s",
             plots=("drawings_per_s", "cpu_us_per_drawing", "open_latency"), servers_cpus="free", short=False),
    Workload("herd", "A node is killed: its 1,000 clients come back at once at the two others",
             ["herd", "--clients", "1000", "--kill", "{first_pid}"], nodes=3, headline="all_live_ms",
             plots=("all_live_ms", "live_latency"), servers_cpus="free", short=False, kills=True),
]
