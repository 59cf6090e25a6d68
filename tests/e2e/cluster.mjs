// A cluster of real `inkmesh node` processes on loopback, from a cluster.yaml of its own in a temporary folder.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, freePorts, until } from './process.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
export const projectRoot = path.resolve(here, '../..');
export const inkmesh = process.env.INKMESH_BIN ?? path.join(projectRoot, 'build/release/inkmesh');

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

  start() {
    if (this.running) throw new Error(`${this.id} is running`);
    this.child = new Child(inkmesh, ['node', '--config', this.cluster.configFile, '--node', this.id], {
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
  /** `settings`: lines of YAML for the top level (replicas, ack, storage, limits), each value as YAML text. */
  static async create({ nodes = 3, settings = {}, env = {} } = {}) {
    const cluster = new Cluster();
    cluster.folder = await temporaryFolder();
    cluster.configFile = path.join(cluster.folder, 'cluster.yaml');
    cluster.env = env;
    const ports = await freePorts(nodes * 3);
    cluster.nodes = [];
    const lines = ['nodes:'];
    for (let i = 0; i < nodes; ++i) {
      const [client, gossip, mesh] = ports.slice(i * 3, i * 3 + 3);
      const node = new Node(cluster, `ws${i + 1}`, client);
      cluster.nodes.push(node);
      lines.push(`  - id: ${node.id}`, `    client: 127.0.0.1:${client}`, `    gossip: 127.0.0.1:${gossip}`,
        `    mesh: 127.0.0.1:${mesh}`);
    }
    const storage = { path: `"${path.join(cluster.folder, 'data', '{node}')}"`, ...settings.storage };
    for (const [key, value] of Object.entries({ ...settings, storage })) {
      if (typeof value !== 'object') {
        lines.push(`${key}: ${value}`);
        continue;
      }
      lines.push(`${key}:`, ...Object.entries(value).map(([name, inner]) => `  ${name}: ${inner}`));
    }
    await writeFile(cluster.configFile, `${lines.join('\n')}\n`);
    return cluster;
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
    await Promise.all(this.nodes.map((node) => node.child?.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
