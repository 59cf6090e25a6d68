"""Server processes of the benchmark: started with a log, placed on cores, always stopped again."""
from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

NICE = -10  # servers and generator alike, where allowed: whoever else uses the machine disturbs less
STOP_S = 10
DESCRIPTORS = 65536  # that a process may have, at least, where that may be set


class StartFailed(Exception):
    """A server did not come up; the message has the end of its log."""


def may_be_nice() -> bool:
    return os.geteuid() == 0


_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_harness = os.getpid()


def die_with_parent() -> None:
    """In a child, before its program: the kernel kills it when the harness ends, however it ends."""
    if _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != _harness:  # it ended in between
        os._exit(1)


@contextlib.contextmanager
def placed(cpus: set[int] | None) -> Iterator[None]:
    """What is started within runs on these cores (None: on all), before what else the machine has to do. Children inherit
    it, so this is how servers of any kind are placed."""
    before = os.sched_getaffinity(0)
    if cpus:
        os.sched_setaffinity(0, cpus)
    if may_be_nice():
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        if may_be_nice():
            os.setpriority(os.PRIO_PROCESS, 0, 0)


def raise_descriptor_limit() -> None:
    """For all that is started from here: 10,000 connections have a descriptor at both ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for most in (max(hard, DESCRIPTORS), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            return
        except ValueError:  # only who may raises the hard one
            continue


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens at. Below the range from which connections take theirs."""
    ports: list[int] = []
    port = 14000 + os.getpid() % 40 * 200
    while len(ports) < count:
        port += 1
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
    return ports


class Process:
    """One server process: its output goes to folder/name.log."""

    def __init__(self, name: str, command: list[str], folder: Path) -> None:
        self.name = name
        self._command, self._folder = command, folder
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, start_new_session=True,
                preexec_fn=die_with_parent)

    def again(self) -> Process:
        """The same once more, after its end."""
        return Process(self.name, self._command, self._folder)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(STOP_S)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """SIGTERM to the process and its children, then SIGKILL."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.alive:
                return
            try:
                os.killpg(self.pid, number)
                self._process.wait(STOP_S)
            except ProcessLookupError:
                pass
            except subprocess.TimeoutExpired:
                continue

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = 20) -> None:
        """Until ready() holds. Raises StartFailed when the process ends before, or that takes too long."""
        end = time.monotonic() + seconds
        while not ready():
            if not self.alive or time.monotonic() > end:
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
                raise StartFailed(f"{self.name}: not {what} within {seconds:.0f} s. Its log ends with:\n{tail}")
            time.sleep(0.02)


def accepts(port: int) -> bool:
    """Whether somebody listens at that port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Running:
    """Servers that run: `urls` for the clients, one a node; `pids` of all processes whose work counts; where they are known,
    the ports at which nodes take each other's strokes and gossip, and how many homes a channel has."""

    link_ports: list[int] = []
    gossip_ports: list[int] = []
    homes: int | None = None

    def __init__(self, urls: list[str], processes: list[Process]) -> None:
        self.urls = urls
        self.processes = processes

    @property
    def pids(self) -> dict[str, int]:
        return {process.name: process.pid for process in self.processes}

    def stop(self) -> None:
        for process in self.processes:
            process.stop()
