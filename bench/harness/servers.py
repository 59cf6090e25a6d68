"""Kinds of servers: how each is started. inkmesh and the floor; the others are in rivals.py."""
from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from processes import Process, Running, accepts, free_ports


class Servers:
    """One kind of server, or one build of it."""

    name = ""     # in reports
    dialect = ""  # as bench_load knows it
    acks = False  # every publish must be acknowledged for a run to count
    configurable = False  # knows a workload's settings

    def start(self, nodes: int, folder: Path, **settings: Any) -> Running:
        """Starts that many nodes with their data and logs in `folder`, which exists and is empty, and returns once they
        take clients. Settings are for those that are configurable: `replicas` and `ack` (on how many nodes a stroke is
        stored, and must be before its author is told), `durability` (sync or async), `outbox` (what a connection may have
        unsent)."""
        raise NotImplementedError


def start_all(commands: list[tuple[str, list[str]]], folder: Path) -> list[Process]:
    """The named processes; all or none."""
    processes: list[Process] = []
    try:
        for name, command in commands:
            processes.append(Process(name, command, folder))
    except BaseException:
        for process in processes:
            process.stop()
        raise
    return processes


class Floor(Servers):
    """bench/floor: copies frames, nothing else."""

    name = "floor"
    dialect = "floor"

    def __init__(self, binary: Path) -> None:
        self._binary = binary.resolve()

    def start(self, nodes: int, folder: Path, **settings: Any) -> Running:
        ports = free_ports(2 * nodes)
        clients, meshes = ports[:nodes], ports[nodes:]
        commands = []
        for i in range(nodes):
            peers = [f"127.0.0.1:{port}" for port in meshes if port != meshes[i]]
            commands.append((f"floor{i + 1}", [str(self._binary), f"127.0.0.1:{clients[i]}", f"127.0.0.1:{meshes[i]}",
                                               *peers]))
        processes = start_all(commands, folder)
        running = Running([f"ws://127.0.0.1:{port}" for port in clients], processes)
        running.link_ports = meshes
        try:
            for process, port in zip(processes, clients):
                process.wait_until(lambda port=port: accepts(port), "listening")
        except BaseException:
            running.stop()
            raise
        return running


class Inkmesh(Servers):
    """Nodes of one binary, with stores on disk and limits that a benchmark does not meet."""

    dialect = "inkmesh"
    acks = True
    configurable = True

    def __init__(self, binary: Path, name: str = "inkmesh") -> None:
        self.name = name
        self.binary = binary.resolve()

    @staticmethod
    def config(hosts: list[str], ports: list[int], folder: Path, settings: dict[str, Any]) -> str:
        """cluster.yaml. `ports`: all for clients, then all for gossip, then all for the mesh."""
        nodes = len(hosts)
        lines = ["nodes:"]
        for i in range(nodes):
            lines += [f"  - id: ws{i + 1}", f"    client: {hosts[i]}:{ports[i]}",
                      f"    gossip: {hosts[i]}:{ports[nodes + i]}", f"    mesh: {hosts[i]}:{ports[2 * nodes + i]}"]
        replicas = min(settings.get("replicas", 2), nodes)
        lines += [
            f"replicas: {replicas}",
            f"ack: {max(1, min(settings.get('ack', 2), replicas))}",
            "storage:",
            f"  path: {folder}/data/{{node}}",
            "  map_size: 16GiB",
            f"  durability: {settings.get('durability', 'sync')}",
            "limits:",
            "  connections: 100000",
            "  connections_per_address: 100000",
            "  handshakes: 10000",
            "  publish_per_s: 1000000",
            f"  outbox: {settings.get('outbox', '1MiB')}",
        ]
        return "\n".join(lines) + "\n"

    def start(self, nodes: int, folder: Path, **settings: Any) -> Running:
        return self.start_at([("127.0.0.1", [])] * nodes, folder, settings)

    def start_at(self, places: list[tuple[str, list[str]]], folder: Path, settings: dict[str, Any]) -> Running:
        """A node at each place: its address, and the command that runs a program there."""
        hosts = [host for host, _ in places]
        ports = free_ports(3 * len(places))
        config = folder / "cluster.yaml"
        config.write_text(self.config(hosts, ports, folder, settings))
        commands = [(f"ws{i + 1}", [*inside, str(self.binary), "node", "--config", str(config), "--node", f"ws{i + 1}"])
                    for i, (_, inside) in enumerate(places)]
        processes = start_all(commands, folder)
        running = Running([f"ws://{host}:{port}" for host, port in zip(hosts, ports)], processes)
        nodes = len(hosts)
        running.gossip_ports, running.link_ports = ports[nodes:2 * nodes], ports[2 * nodes:]
        running.homes = min(settings.get("replicas", 2), nodes)
        try:
            for process, url in zip(processes, running.urls):
                process.wait_until(lambda url=url: self.ready(url), "ready", 30)
        except BaseException:
            running.stop()
            raise
        return running

    @staticmethod
    def ready(url: str) -> bool:
        try:
            with urllib.request.urlopen(f"http{url.removeprefix('ws')}/readyz", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False
