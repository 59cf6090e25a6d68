// A cluster of real `inkmesh node` processes on loopback, from a cluster.yaml of its own in a temporary folder.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, endAllOpen, freePorts, until } from './process.mjs';
import { Relay } from './relay.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
export const projectRoot = path.resolve(here, '../..');
export const inkmesh = process.env.INKMESH_BIN ?? path.join(projectRoot, 'build/release/inkmesh');
/** The same program, but for the version of the mesh's language that it speaks. */
export const inkmeshOtherVersion = process.env.INKMESH_OTHER_VERSION_BIN ?? path.join(projectRoot, 'build/release/inkmesh_other_version');

const READY_MS = 20_000;

/** Where a test leaves what a person may want to look at: screenshots, the logs of a failed run. */
export async function artifactFolder(name) {
  const folder = path.join(process.env.INKMESH_ARTIFACTS ?? path.join(tmpdir(), 'inkmesh-e2e'), name);
  await mkdir(folder, { recursive: true });
  return folder;
}

export async function temporaryFolder() {
  return mkdtemp(path.join(tmpdir(), 'inkmesh-e2e-'));
}

/** A GET with a bound, never kept alive: a node that is killed must not leave a pooled socket behind. */
export async function httpGet(url, timeoutMs = 10_000) {
  const response = await fetch(url, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Prometheus text as a list of {name, labels, value}. */
export function parseMetrics(text) {
  const samples = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/.exec(line);
    if (!match) throw new Error(`not a line of Prometheus' text format: ${line}`);
    const labels = {};
    for (const [, key, value] of (match[2] ?? '').matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/g)) {
      labels[key] = value;
    }
    samples.push({ name: match[1], labels, value: Number(match[3]) });
  }
  return samples;
}

export class Node {
  constructor(cluster, id, port) {
    this.cluster = cluster;
    this.id = id;
    this.port = port;
    this.http = `http://127.0.0.1:${port}`;
    this.ws = `ws://127.0.0.1:${port}/ws`;
    this.dataFolder = path.join(cluster.folder, 'data', id);
    this.logFile = path.join(cluster.folder, `${id}.log`);
  }

  get pid() {
    return this.child.pid;
  }
  get running() {
    return this.child?.running ?? false;
  }

  /** `options`: more of the command line. */
  start(options = []) {
    if (this.running) throw new Error(`${this.id} is running`);
    const args = ['node', '--config', this.configFile ?? this.cluster.configFile, '--node', this.id, ...options];
    this.child = new Child(this.program ?? inkmesh, args, {
      logFile: this.logFile,
      cwd: this.cluster.folder,
      env: this.cluster.env,
    });
  }

  async kill() {
    return this.child.stop('SIGKILL');
  }
  async stop() {
    return this.child.stop('SIGTERM');
  }
  pause() {
    process.kill(this.pid, 'SIGSTOP');
  }
  resume() {
    process.kill(this.pid, 'SIGCONT');
  }
  async removeData() {
    await rm(this.dataFolder, { recursive: true, force: true });
  }

  async ready(timeoutMs = READY_MS) {
    await until(`${this.id} ready`, async () => {
      if (!this.running) throw new Error(`it ended: ${JSON.stringify(this.child.exit)} ${this.child.stderr.slice(-500)}`);
      return (await httpGet(`${this.http}/readyz`, 2_000)).status === 200;
    }, timeoutMs);
  }

  async status() {
    return JSON.parse((await httpGet(`${this.http}/status`)).text);
  }
  async metrics() {
    return parseMetrics((await httpGet(`${this.http}/metrics`)).text);
  }
  async log() {
    return readFile(this.logFile, 'utf8').catch(() => '');
  }

  /** One page of a channel's history, as it came. */
  async page(channel, query = '') {
    const answer = await httpGet(`${this.http}/channels/${channel}/strokes${query}`);
    if (answer.status !== 200) throw new Error(`${this.id} history of ${channel}: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text);
  }

  /** A channel's whole history over HTTP, page by page. */
  async history(channel) {
    const strokes = [];
    let query = '';
    for (;;) {
      const page = await this.page(channel, query);
      strokes.push(...page.strokes);
      if (!page.more) return { strokes, cursor: page.cursor, complete: page.complete };
      if (page.strokes.length === 0) throw new Error(`${this.id}: an empty page of ${channel} says that there is more`);
      query = `?cursor=${encodeURIComponent(JSON.stringify(page.cursor))}`;
    }
  }
}

export class Cluster {
  /**
   * `settings`: the top level of cluster.yaml but its nodes (replicas, ack, storage, limits), values as YAML text.
   * `relayed`: every link between two nodes goes through relays of this process, so that it can be cut.
   */
  static async create({ nodes = 3, settings = {}, env = {}, relayed = false } = {}) {
    const cluster = new Cluster();
    cluster.folder = await temporaryFolder();
    cluster.configFile = path.join(cluster.folder, 'cluster.yaml');
    cluster.env = env;
    const ports = await freePorts(nodes * 3);
    cluster.nodes = [];
    for (let i = 0; i < nodes; ++i) {
      const node = new Node(cluster, `ws${i + 1}`, ports[i * 3]);
      node.gossipPort = ports[i * 3 + 1];
      node.meshPort = ports[i * 3 + 2];
      cluster.nodes.push(node);
    }
    cluster.settings = { ...settings, storage: { path: `"${path.join(cluster.folder, 'data', '{node}')}"`, ...settings.storage } };
    await writeFile(cluster.configFile, cluster.yaml((node, role) => node[`${role}Port`]));
    if (relayed) await cluster.relay();
    return cluster;
  }

  /** The cluster file as one node sees it; `portOf(node, role)` is where it finds another. */
  yaml(portOf) {
    const lines = ['nodes:'];
    for (const node of this.nodes) {
      lines.push(`  - id: ${node.id}`, `    client: 127.0.0.1:${node.port}`);
      for (const role of ['gossip', 'mesh']) {
        const listen = node[`${role}Port`];
        const seen = portOf(node, role);
        lines.push(listen === seen ? `    ${role}: 127.0.0.1:${listen}`
          : `    ${role}: { listen: "127.0.0.1:${listen}", advertise: "127.0.0.1:${seen}" }`);
      }
    }
    for (const [key, value] of Object.entries(this.settings)) {
      if (typeof value !== 'object') {
        lines.push(`${key}: ${value}`);
        continue;
      }
      lines.push(`${key}:`, ...Object.entries(value).map(([name, inner]) => `  ${name}: ${inner}`));
    }
    return `${lines.join('\n')}\n`;
  }

  /** Gives each node a file of its own, in which every other is found at a relay. */
  async relay() {
    this.links = []; // {a, b, relays}: whatever flows between a and b
    const seen = new Map(); // `viewer node role` -> port
    for (const [i, a] of this.nodes.entries()) {
      for (const b of this.nodes.slice(i + 1)) {
        const relays = [];
        for (const [viewer, node] of [[a, b], [b, a]]) {
          for (const role of ['gossip', 'mesh']) {
            const [port] = await freePorts(1);
            relays.push(await Relay.listen(port, node[`${role}Port`]));
            seen.set(`${viewer.id} ${node.id} ${role}`, port);
          }
        }
        this.links.push({ a, b, relays });
      }
    }
    for (const viewer of this.nodes) {
      viewer.configFile = path.join(this.folder, `${viewer.id}.yaml`);
      await writeFile(viewer.configFile,
        this.yaml((node, role) => seen.get(`${viewer.id} ${node.id} ${role}`) ?? node[`${role}Port`]));
    }
  }

  /** The relays between nodes of one side and nodes of the other (without `others`: all the rest). */
  between(side, others = this.nodes.filter((node) => !side.includes(node))) {
    return this.links
      .filter(({ a, b }) => (side.includes(a) && others.includes(b)) || (side.includes(b) && others.includes(a)))
      .flatMap(({ relays }) => relays);
  }

  /** Made, started and ready: every node sees every other. */
  static async start(options) {
    const cluster = await Cluster.create(options);
    try {
      for (const node of cluster.nodes) node.start();
      await cluster.ready();
    } catch (error) {
      await cluster.keepLogs('start');
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get urls() {
    return this.nodes.map((node) => node.ws);
  }
  node(id) {
    return this.nodes.find((node) => node.id === id);
  }
  others(node) {
    return this.nodes.filter((other) => other !== node);
  }

  async ready() {
    const running = this.nodes.filter((node) => node.running);
    await Promise.all(running.map((node) => node.ready()));
    await until('every node sees every other', async () => {
      for (const node of running) {
        const up = (await node.status()).peers.filter((peer) => peer.state === 'up').length;
        if (up < running.length - 1) return false;
      }
      return true;
    });
  }

  /** Copies the nodes' logs to the artifacts of a test. */
  async keepLogs(name) {
    const folder = await artifactFolder(`${name}-logs`);
    for (const node of this.nodes) await writeFile(path.join(folder, `${node.id}.log`), await node.log());
    return folder;
  }

  /** Fails where a node has ended that nobody stopped. */
  assertAllRunning() {
    for (const node of this.nodes) {
      if (node.running) continue;
      throw new Error(`${node.id} ended: ${JSON.stringify(node.child.exit)}\n${node.child.stderr.slice(-2000)}`);
    }
  }

  async stop() {
    endAllOpen();
    await Promise.all(this.nodes.map((node) => node.child?.stop()));
    for (const { relays } of this.links ?? []) for (const relay of relays) await relay.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
