// The cluster under faults: hosts, the state of the links, and who is waiting for what.
import { readFile } from 'node:fs/promises';
import { sleep, until } from '../e2e/process.mjs';
import { Host } from './host.mjs';
import { FAULTS } from './faults.mjs';
import { clash } from './schedule.mjs';

const READY_MS = 40_000;
const SUPERVISOR_MS = 500;
const WATCH_MS = 5;
const WAY_OUT = /Move the folder away/g;

/** What each active fault does to each host's packets; a host's kernel gets the union. */
class Links {
  constructor(lab) {
    this.lab = lab;
    this.rules = new Map(); // fault id -> Map(host id -> {drop, loss})
    this.counts = new Map(); // fault id -> packets dropped
    this.dirty = new Set();
    this.turn = Promise.resolve();
  }
  set(fault, host, rule) {
    if (!this.rules.has(fault.id)) this.rules.set(fault.id, new Map());
    this.rules.get(fault.id).set(host.id, rule);
    this.dirty.add(host.id);
  }
  /** One change at a time: nft replaces a host's whole table. */
  apply() {
    this.turn = this.turn.then(async () => {
      const hosts = [...this.dirty];
      this.dirty.clear();
      await Promise.all(hosts.map(async (id) => {
        await this.#count(id);
        const rules = [...this.rules.values()].map((hostRules) => hostRules.get(id)).filter(Boolean);
        await this.lab.filter(id, {
          drop: [...new Set(rules.flatMap(({ drop = [] }) => drop))],
          loss: Math.max(0, ...rules.map(({ loss = 0 }) => loss)),
        });
      }));
    });
    return this.turn;
  }
  async #count(id) {
    const packets = await this.lab.dropped(id);
    for (const [fault, hosts] of this.rules) if (hosts.has(id)) this.counts.set(fault, (this.counts.get(fault) ?? 0) + packets);
  }
  /** Takes a fault's rules away; they may come back (a flapping link). */
  async lift(fault) {
    for (const id of this.rules.get(fault.id)?.keys() ?? []) {
      this.rules.get(fault.id).set(id, {});
      this.dirty.add(id);
    }
    await this.apply();
  }
  async dropped(fault) {
    await this.lift(fault);
    return this.counts.get(fault.id) ?? 0;
  }
  async clear(fault) {
    await this.turn;
    this.rules.delete(fault.id);
  }
}

export class World {
  constructor({ lab, ids, shim, journal, checker, settings }) {
    Object.assign(this, { lab, ids, journal, checker, settings });
    this.hosts = ids.map((id) => new Host(lab, id, { shim, journal }));
    this.net = new Links(lab);
    this.drawers = [];
    this.active = new Map();
    this.mayEnd = new Set(); // hosts whose process may end by itself just now
  }

  host(id) {
    return this.hosts.find((host) => host.id === id);
  }
  get urls() {
    return this.hosts.map((host) => host.ws);
  }

  async start() {
    for (const host of this.hosts) {
      await host.configure(this.ids, this.settings);
      host.start();
    }
    await Promise.all(this.hosts.map(async (host) => {
      await host.ready(READY_MS);
      this.journal.note('node', { node: host.id, state: 'ready', life: host.lives });
    }));
    this.supervising = this.#supervise();
    this.sampling = this.#sampleCpu();
  }

  /** Processor time of each node's process and of this one, each second: a machine that is too busy shows in the history. */
  async #sampleCpu() {
    const before = new Map();
    while (!this.stopping) {
      await sleep(1_000);
      const percent = {};
      for (const [name, pid] of [...this.hosts.map((host) => [host.id, host.pid]), ['harness', process.pid]]) {
        const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
        if (stat === undefined) continue;
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const ticks = Number(fields[11]) + Number(fields[12]);
        const [lastPid, lastTicks, lastMs] = before.get(name) ?? [];
        const nowMs = Date.now();
        if (lastPid === pid) percent[name] = Math.round(((ticks - lastTicks) * 1_000) / (nowMs - lastMs)); // a tick is 10 ms
        before.set(name, [pid, ticks, nowMs]);
      }
      this.journal.note('cpu', { percent });
    }
  }

  /** A process that ends by itself is started again, as an operator's supervisor does; where no fault explains it, it is a bug. */
  async #supervise() {
    while (!this.stopping) {
      for (const host of this.hosts) {
        if (host.running || host.down) continue;
        if (host.damaged && host.logged(WAY_OUT) > host.damaged.saidBefore) await this.#giveUpStore(host);
        else if (!this.mayEnd.has(host.id)) {
          this.checker.violation(`${host.id} ended by itself: ${JSON.stringify(host.child.exit)} ${host.child.stderr.slice(-400)}`);
        }
        this.restart(host.id);
      }
      await sleep(SUPERVISOR_MS);
    }
  }

  /** A node on a damaged store may end at any time, where it says the way out: that is taken. */
  async #giveUpStore(host) {
    host.damaged.ended = true;
    host.damaged = undefined;
    await host.removeData();
  }

  /** Starts a host's process and measures until it is ready, and until it holds all that the others held. */
  restart(id) {
    const host = this.host(id);
    host.down = false;
    host.start();
    const { lives, startedAtMs } = host;
    const others = this.hosts.filter((other) => other !== host && other.running && !other.paused);
    const held = Promise.all(others.map((other) => other.status().then(({ store }) => store.strokes, () => 0)));
    const measured = (measure, fields) => this.journal.measured(measure, Date.now() - startedAtMs, { node: id, ...fields });
    const watch = async () => {
      // Where a home is not everyone, how many strokes it is to hold is not known here.
      const wanted = this.settings.replicas < this.ids.length ? undefined : Math.max(...(await held));
      let waits;
      let ready = false;
      let level = wanted === undefined;
      await until(`${id} ready and level`, async () => {
        if (host.lives !== lives || !host.running) return true;
        const { reasons, hollow, peers, store } = await host.status();
        const why = JSON.stringify({ reasons, hollow, peers: peers.map(({ id: peer, state, settled }) => `${peer} ${state}${settled ? '' : ', not settled'}`) });
        if (!ready && why !== waits) this.journal.note('starting', { node: id, after_ms: Date.now() - startedAtMs, ...JSON.parse(why) });
        waits = why;
        if (!ready && reasons.length === 0) {
          ready = true;
          this.journal.note('node', { node: id, state: 'ready', life: lives });
          measured('restart_to_ready');
        }
        if (!level && store.strokes >= wanted) {
          level = true;
          measured('restart_to_level', { strokes: wanted });
        }
        return ready && level;
      }, READY_MS, WATCH_MS);
    };
    // Another fault may take it again, or hold it up, before it is level: then there is nothing to measure.
    watch().catch((error) => this.journal.note('not_level', { node: id, why: error.message }));
  }

  /** The process of a host is about to go, and its clients have to go elsewhere. Not while it is started again: that is finished first. */
  async bereave(id) {
    const host = this.host(id);
    await until(`${id} runs`, () => host.running, READY_MS);
    host.down = true;
    for (const drawer of this.drawers) drawer.bereave(id);
  }

  /** Lifts a partition, and measures until all who are connected have seen what anyone had seen before. */
  async liftAndConverge(fault) {
    const furthest = this.checker.furthest();
    const here = (drawer) => drawer.connected;
    const wasBehind = !this.checker.reached(furthest, here);
    const packets = await this.net.dropped(fault);
    const healedMs = Date.now();
    if (wasBehind) {
      this.#converge(furthest, here).then((converged) => {
        if (converged) this.journal.measured('healed_to_converged', Date.now() - healedMs, { fault: fault.id, kind: fault.kind });
      });
    }
    await this.net.clear(fault);
    return { bit: packets > 0, how: `${packets} packets dropped${wasBehind ? ', the sides differed' : ''}` };
  }
  async #converge(furthest, here) {
    while (!this.checker.reached(furthest, here)) {
      if (this.stopping) return false;
      await sleep(WATCH_MS);
    }
    return true;
  }

  async begin(fault) {
    // On a busy machine one takes longer than planned: then the next one waits for it.
    for (const other of this.active.values()) if (clash(fault.claims, other.claims)) await other.over;
    fault.over = new Promise((resolve) => {
      fault.end = resolve;
    });
    this.active.set(fault.id, fault);
    const kind = FAULTS[fault.kind];
    fault.drawn = { kind: fault.kind, about: kind.about(fault), hosts: kind.hosts(fault), fromMs: this.journal.nowMs };
    this.journal.faults.push(fault.drawn);
    this.journal.note('fault', { state: 'begins', id: fault.id, kind: fault.kind, about: fault.drawn.about });
    try {
      await kind.begin(this, fault);
    } catch (error) {
      // Whoever waits for it to be over must not wait for ever.
      this.active.delete(fault.id);
      fault.end();
      throw error;
    }
  }

  async heal(fault) {
    let evidence;
    try {
      evidence = await FAULTS[fault.kind].heal(this, fault);
    } finally {
      this.active.delete(fault.id);
      fault.end();
    }
    Object.assign(fault.drawn, { toMs: this.journal.nowMs, ...evidence });
    this.journal.note('fault', { state: 'healed', id: fault.id, kind: fault.kind, about: fault.drawn.about, ...evidence });
    return evidence;
  }

  /** What shows that a fault bit that is there to stay: it is healed for that, when all else has been checked. */
  async evidence(fault) {
    this.stopping = true;
    await this.supervising;
    return this.heal(fault);
  }

  async stop() {
    this.stopping = true;
    for (const drawer of this.drawers) drawer.end();
    for (const host of this.hosts) if (host.paused) host.resume();
    await Promise.all(this.hosts.map((host) => host.child?.stop('SIGKILL')));
    await this.supervising;
    await this.sampling;
    for (const host of this.hosts) host.dispose();
  }
}
