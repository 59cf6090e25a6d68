"""The servers that inkmesh is measured against (bench/rivals): how each is started on one machine, and stopped.

    python3 bench/harness/rivals.py --prepare
    python3 bench/harness/rivals.py ws-redis --nodes 3      starts it, prints its URLs, and stops it at the end of input
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from processes import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
RIVALS = ROOT / 'bench' / 'rivals'
HOST = '127.0.0.1'
START_S = 20
STOP_S = 10


def packages():
    """Debian's packages that these servers need, besides what scripts/install has anyway."""
    return ['redis-server', 'nats-server']


def prepare():
    """Installs what is missing. Root is needed for Debian's packages only."""
    missing = [name for name in packages() if not _program(name)]
    if missing:
        with _no_services(missing):
            subprocess.run([ROOT / 'scripts' / 'install', *missing], check=True)
    subprocess.run(['cmake', f'-DFOLDER={RIVALS}', '-P', ROOT / 'tests' / 'e2e' / 'npm_ci.cmake'], check=True)
    # ws would do without, but slower: better not to measure it at all.
    native = "require('node-gyp-build')(require('path').dirname(require.resolve('bufferutil')))"
    subprocess.run(['node', '-e', native], cwd=RIVALS, check=True)


@contextlib.contextmanager
def _no_services(names):
    """Debian starts a server when it is installed, and at each boot: neither is wanted beside a measurement."""
    policy = Path('/usr/sbin/policy-rc.d')
    ours = not policy.exists()
    if ours and os.geteuid() == 0:
        policy.write_text('#!/bin/sh\nexit 101\n')
        policy.chmod(0o755)
    try:
        yield
        if shutil.which('systemctl'):
            subprocess.run(['systemctl', '--quiet', 'disable', *names], check=True)
    finally:
        if ours:
            policy.unlink(missing_ok=True)


def _program(name):
    """nats-server is in /usr/sbin, which users' PATH may lack."""
    return shutil.which(name, path=os.environ.get('PATH', '') + ':/usr/sbin')


class Running:
    """Servers that run: `urls`, one for each node, without a path; `pids` of all their processes, by what they are."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.urls = []
        self._processes = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pids(self):
        # The one behind urls[0] first: it is the one that is killed where a node is to die.
        nodes_first = sorted(self._processes.items(), key=lambda item: item[0] == 'redis')
        return {label: process.pid for label, process in nodes_first}

    def spawn(self, label, command):
        """A session of its own: an interrupt at the terminal is for the harness, which stops its servers itself."""
        with open(self.folder / f'{label}.log', 'wb') as log:
            self._processes[label] = subprocess.Popen(
                [str(word) for word in command], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=die_with_parent,
                env=os.environ | {'NODE_ENV': 'production'})

    def wait(self, label, ready):
        """Until ready() holds, which may throw an OSError as long as the server is not up."""
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError):
                if ready():
                    return
            code = self._processes[label].poll()
            if code is not None or time.monotonic() > deadline:
                why = f'ended with {code}' if code is not None else f'is not ready after {START_S} s'
                log = self.folder / f'{label}.log'
                raise RuntimeError(f'{label} {why}; {log} ends: {log.read_text(errors="replace")[-1000:]}')
            time.sleep(0.02)

    def stop(self):
        """The last started first: no node sees its Redis go."""
        while self._processes:
            _, process = self._processes.popitem()
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Servers:
    """One rival: its name, the dialect in which the load generator speaks to it, and what starts it."""

    def __init__(self, name, dialect, launch):
        self.name = name
        self.dialect = dialect
        self._launch = launch

    def start(self, nodes, folder, **settings):
        """Returns when all nodes take WebSockets, and know each other."""
        running = Running(folder)
        try:
            self._launch(running, nodes, **settings)
        except BaseException:
            running.stop()
            raise
        return running


def _ws_redis(running, nodes, stream=False):
    redis = _redis(running, appendonly=stream)
    _node_servers(running, nodes, 'ws_redis', redis, ['--stream'] if stream else [], path='/')


def _ws_redis_stream(running, nodes):
    _ws_redis(running, nodes, stream=True)


def _socketio(running, nodes):
    _node_servers(running, nodes, 'socketio', _redis(running), [], path='/socket.io/?EIO=4&transport=websocket')


def _redis(running, appendonly=False):
    """Redis with its default settings: snapshots, no log. With appendonly, its log as its manual recommends for what
    should outlive a crash: synced every second (its default)."""
    port, = _free_ports(1)
    running.spawn('redis', [_program('redis-server'), '--bind', HOST, '--port', port, '--dir', running.folder,
                            '--appendonly', 'yes' if appendonly else 'no', '--appendfsync', 'everysec'])
    running.wait('redis', lambda: _talk(port, b'PING\r\n').startswith(b'+PONG'))
    return port


def _node_servers(running, nodes, name, redis, options, path):
    ports = _free_ports(nodes)
    program = RIVALS / name / 'server.mjs'
    for number, port in enumerate(ports, 1):
        running.spawn(f'node{number}', ['node', program, '--port', port, '--redis', redis, *options])
    for number, port in enumerate(ports, 1):
        running.wait(f'node{number}', lambda port=port: _takes_websockets(port, path))
    running.urls = [f'ws://{HOST}:{port}' for port in ports]


def _nats(running, nodes):
    """A full mesh; each node has a port for NATS' own clients, as any has, which nobody uses."""
    own, websocket, route, monitor = (_free_ports(4 * nodes)[kind::4] for kind in range(4))
    routes = [f'nats://{HOST}:{port}' for port in route] if nodes > 1 else []
    for i in range(nodes):
        config = running.folder / f'node{i + 1}.conf'
        config.write_text(_nats_config(f'node{i + 1}', own[i], websocket[i], route[i], monitor[i], routes))
        running.spawn(f'node{i + 1}', [_program('nats-server'), '--config', config])
    for i in range(nodes):
        running.wait(f'node{i + 1}', lambda i=i: _takes_websockets(websocket[i], '/')
                     and _get(monitor[i], '/routez')['num_routes'] == nodes - 1)
    running.urls = [f'ws://{HOST}:{port}' for port in websocket]


def _nats_config(name, own, websocket, route, monitor, routes):
    """Defaults, but for what a cluster on one machine without TLS needs."""
    cluster = f'cluster {{ name: rivals, listen: "{HOST}:{route}", routes: {json.dumps(routes)} }}\n' if routes else ''
    return (f'server_name: {name}\n'
            f'listen: "{HOST}:{own}"\n'
            f'http: "{HOST}:{monitor}"\n'
            f'websocket {{ listen: "{HOST}:{websocket}", no_tls: true, compression: false }}\n' + cluster)


def _free_ports(count):
    """All are held until the last is found, so that none comes twice."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def _talk(port, request):
    with socket.create_connection((HOST, port), timeout=1) as connection:
        connection.sendall(request)
        return connection.recv(4096)


def _takes_websockets(port, path):
    handshake = (f'GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
                 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n')
    return _talk(port, handshake.encode()).startswith(b'HTTP/1.1 101')


def _get(port, path):
    with urllib.request.urlopen(f'http://{HOST}:{port}{path}', timeout=1) as answer:
        return json.load(answer)


ALL = {servers.name: servers for servers in (
    Servers('ws-redis', 'ws-redis', _ws_redis),
    Servers('ws-redis-stream', 'ws-redis', _ws_redis_stream),
    Servers('socketio', 'socketio', _socketio),
    Servers('nats', 'nats', _nats),
)}


def main():
    parser = argparse.ArgumentParser(description='Starts one rival, until the end of input.')
    parser.add_argument('rival', nargs='?', choices=ALL)
    parser.add_argument('--nodes', type=int, default=1)
    parser.add_argument('--prepare', action='store_true', help='install what the rivals need')
    arguments = parser.parse_args()
    if arguments.prepare:
        prepare()
    if arguments.rival:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        with (tempfile.TemporaryDirectory(prefix='rival-') as folder,
              ALL[arguments.rival].start(arguments.nodes, folder) as running):
            print(json.dumps({'urls': running.urls, 'pids': running.pids}), flush=True)
            sys.stdin.read()


if __name__ == '__main__':
    main()
