"""Hosts of their own for servers: a network namespace each, on one bridge, on which the load generator stands too."""
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


class NotAllowed(Exception):
    """This machine makes no network namespaces; the message says why."""


def _run(*command: str, text: str | None = None) -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotAllowed(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")


def _left_behind() -> list[str]:
    """Tags of networks whose harness ended before it could remove them."""
    found = Path("/run/netns").glob("inkb*-*") if Path("/run/netns").is_dir() else []
    tags = {path.name.partition("-")[0] for path in found}
    return [tag for tag in tags if (pid := tag.removeprefix("inkb")).isdigit() and not Path(f"/proc/{pid}").exists()]


class Network:
    """Of `count` hosts. Use it with `with`: what it made is removed at the end."""

    def __init__(self, count: int) -> None:
        pid = os.getpid()
        self._tag = f"inkb{pid}"
        subnet = f"10.{150 + pid % 50}.{pid // 50 % 250}"
        self._outside = f"{subnet}.254"
        self.hosts = [f"{subnet}.{i + 1}" for i in range(count)]

    def _namespace(self, i: int) -> str:
        return f"{self._tag}-{i}"

    def inside(self, i: int) -> list[str]:
        """The command that runs a program at a host."""
        return ["nsenter", f"--net=/run/netns/{self._namespace(i)}", "--"]

    def __enter__(self) -> Network:
        if os.geteuid() != 0:
            raise NotAllowed("only root makes network namespaces")
        for tool in ("ip", "nft", "nsenter"):
            if shutil.which(tool) is None:
                raise NotAllowed(f"{tool} is missing (Debian: iproute2, nftables, util-linux)")
        for tag in _left_behind():
            self._remove(tag)
        try:
            bridge = f"{self._tag}b"
            _run("ip", "link", "add", bridge, "type", "bridge")
            _run("ip", "addr", "add", f"{self._outside}/24", "dev", bridge)
            _run("ip", "link", "set", bridge, "up")
            for i, host in enumerate(self.hosts):
                name, outer = self._namespace(i), f"{self._tag}v{i}"
                _run("ip", "netns", "add", name)
                _run("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", name)
                _run("ip", "link", "set", outer, "master", bridge, "up")
                _run("ip", "-n", name, "addr", "add", f"{host}/24", "dev", "eth0")
                _run("ip", "-n", name, "link", "set", "eth0", "up")
                _run("ip", "-n", name, "link", "set", "lo", "up")
                self.heal(i)
        except BaseException:
            self.__exit__()
            raise
        return self

    def part(self, i: int) -> None:
        """The other hosts can no longer be reached from this one, nor it from them; clients can."""
        others = ", ".join(host for host in self.hosts if host != self.hosts[i])
        self._filter(i, f"ip saddr {{ {others} }} drop", f"ip daddr {{ {others} }} drop")

    def heal(self, i: int) -> None:
        self._filter(i, "", "")

    def _filter(self, i: int, comes: str, leaves: str) -> None:
        _run(*self.inside(i), "nft", "-f", "-", text=f"""table inet bench
delete table inet bench
table inet bench {{
chain input {{
type filter hook input priority 0;
{comes}
}}
chain output {{
type filter hook output priority 0;
{leaves}
}}
}}
""")

    def __exit__(self, *_: object) -> None:
        self._remove(self._tag)

    def _remove(self, tag: str) -> None:
        for i in range(len(self.hosts)):
            subprocess.run(["ip", "link", "del", f"{tag}v{i}"], capture_output=True, check=False)
            subprocess.run(["ip", "netns", "del", f"{tag}-{i}"], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", f"{tag}b"], capture_output=True, check=False)
