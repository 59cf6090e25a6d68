// One machine of the cluster: a real `inkmesh node` in its own network and on its own disk, with a clock and a flush
// that can be told to lie (fault_shim.c).
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { httpGet, inkmesh, Node } from '../e2e/cluster.mjs';
import { Child } from '../e2e/process.mjs';
import { sh } from './lab.mjs';

export const PORTS = { client: 8080, gossip: 9080, mesh: 10080 };
const SHIM_BYTES = 64;
const SHIM = { clockNs: 0, flushMode: 8, flushDelayMs: 12, flushes: 16, flushesHurt: 24, clockReads: 32 };
const FLUSH_MODES = { good: 0, failing: 1, slow: 2 };

/** Compiles the preloaded library. */
export async function buildShim(folder) {
  const library = path.join(folder, 'fault_shim.so');
  await sh('cc', ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror', '-o', library,
    fileURLToPath(new URL('fault_shim.c', import.meta.url))]);
  return library;
}

export class Host extends Node {
  constructor(lab, id, { shim, journal }) {
    super(lab, id, PORTS.client);
    const place = lab.places.get(id);
    Object.assign(this, { lab, journal, shim, address: place.address, disk: place.disk });
    this.http = `http://${this.address}:${this.port}`;
    this.ws = `ws://${this.address}:${this.port}/ws`;
    this.dataFolder = path.join(place.disk, 'store');
    this.configFile = path.join(lab.folder, `${id}.yaml`);
    this.controlFile = path.join(lab.folder, `${id}.control`);
    this.control = openSync(this.controlFile, 'w+');
    writeSync(this.control, Buffer.alloc(SHIM_BYTES), 0, SHIM_BYTES, 0);
    this.lives = 0;
  }

  async configure(ids, settings) {
    this.ids = ids;
    this.settings = settings;
    await writeFile(this.configFile, this.clusterFile(this.dataFolder));
  }

  /** A cluster file with this store; `anywhere`: one with which this node can run on another machine. */
  clusterFile(store, anywhere = false) {
    const { replicas, ack } = this.settings;
    const lines = ['nodes:'];
    for (const id of this.ids) {
      const { address } = this.lab.places.get(id);
      const at = (port) => (anywhere && id === this.id ? `{listen: "0.0.0.0:${port}", advertise: "${address}:${port}"}` : `${address}:${port}`);
      lines.push(`  - id: ${id}`, ...Object.entries(PORTS).map(([role, port]) => `    ${role}: ${at(port)}`));
    }
    // The store grows in small steps, so that a full disk is met within seconds.
    lines.push(`replicas: ${replicas}`, `ack: ${ack}`, 'storage:', `  path: "${store}"`, '  map_size: 64MiB');
    return `${lines.join('\n')}\n`;
  }

  start() {
    if (this.running) throw new Error(`${this.id} is running`);
    const life = ++this.lives;
    this.startedAtMs = Date.now();
    this.paused = false;
    this.child = new Child('nsenter', [`--net=/run/netns/${this.lab.places.get(this.id).netns}`, '--', inkmesh, 'node',
      '--config', this.configFile, '--node', this.id], {
      logFile: this.logFile,
      cwd: this.lab.folder,
      env: { LD_PRELOAD: this.shim, INKMESH_FAULT_CONTROL: this.controlFile },
    });
    this.journal.note('node', { node: this.id, state: 'started', life, pid: this.child.pid });
    this.child.exited.then(({ code, signal }) => this.journal.note('node', { node: this.id, state: 'ended', life, code, signal }));
  }

  async isAlive() {
    return (await httpGet(`${this.http}/healthz`, 1_000)).status === 200;
  }
  async isReady() {
    return (await httpGet(`${this.http}/readyz`, 1_000)).status === 200;
  }

  pause() {
    this.paused = true;
    super.pause();
  }
  resume() {
    this.paused = false;
    if (this.running) super.resume();
  }
  async kill() {
    if (this.running) await super.kill();
  }
  /** What an operator does with a store that cannot be trusted. */
  async removeData() {
    await rm(this.dataFolder, { recursive: true, force: true });
  }

  // ---- the shim ---------------------------------------------------------------------------------------------------

  #write64(at, value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    writeSync(this.control, bytes, 0, 8, at);
  }
  stepClock(ms) {
    this.#write64(SHIM.clockNs, BigInt(Math.round(ms)) * 1_000_000n);
  }
  flush(mode, delayMs = 0) {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32LE(FLUSH_MODES[mode], 0);
    bytes.writeInt32LE(delayMs, 4);
    writeSync(this.control, bytes, 0, 8, SHIM.flushMode);
  }
  /** What the shim has counted: flushes in all, flushes that failed or were slowed, clock reads that were shifted. */
  counters() {
    const bytes = Buffer.alloc(SHIM_BYTES);
    readSync(this.control, bytes, 0, SHIM_BYTES, 0);
    return Object.fromEntries(['flushes', 'flushesHurt', 'clockReads']
      .map((name) => [name, Number(bytes.readBigInt64LE(SHIM[name]))]));
  }

  /** How often the log says what a pattern matches. */
  logged(pattern) {
    try {
      return (readFileSync(this.logFile, 'utf8').match(pattern) ?? []).length;
    } catch {
      return 0;
    }
  }

  dispose() {
    closeSync(this.control);
  }
}
