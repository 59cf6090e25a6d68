// Those who draw and those who hold them to what was promised: clients with outboxes and cursors on every node, and a
// checker that adds to the end-to-end one what only shows under faults.
import { Checker } from '../e2e/checker.mjs';
import { Client } from '../e2e/client.mjs';
import { sleep } from '../e2e/process.mjs';

const NEVER_MS = 2 ** 31 - 1;
const REFUSED_MS = 2_000; // refused for so long, a client goes elsewhere
const ROAM_MS = [2_000, 20_000];
const OUTBOX_MAX = 200; // a person stops drawing when so much waits

const key = (...parts) => parts.join(' ');

export class FaultChecker extends Checker {
  constructor({ ack, journal }) {
    super({ ack });
    this.journal = journal;
    this.ackedTo = new Map(); // channel -> {origin: highest acknowledged seq}
    this.completes = 0;
  }

  violation(text) {
    super.violation(`${(this.journal.nowMs / 1000).toFixed(3)} s: ${text}`);
    this.journal.note('violation', { text });
  }

  published(client, channel, op, text) {
    super.published(client, channel, op, text);
    this.journal.published(key(channel, client.name, op));
    this.journal.note('publish', { client: client.name, channel, op });
  }

  acked(client, ack) {
    super.acked(client, ack);
    const { channel, origin, seq } = ack;
    const to = this.ackedTo.get(channel) ?? {};
    to[origin] = Math.max(to[origin] ?? 0, seq);
    this.ackedTo.set(channel, to);
    this.journal.acked(key(channel, client.name, ack.id));
    this.journal.note('ack', {
      client: client.name, channel, op: ack.id, origin, seq, copies: ack.copies, by: client.welcome?.node,
      ...(ack.duplicate ? { duplicate: true } : {}),
    });
  }

  subscribed(client, message) {
    super.subscribed(client, message);
    this.journal.note('subscribed', { client: client.name, channel: message.channel, mode: message.mode, at: client.welcome?.node });
  }

  stroke(client, channel, stroke) {
    super.stroke(client, channel, stroke);
    this.journal.delivered();
    this.journal.note('stroke', { to: client.name, channel, origin: stroke.origin, seq: stroke.seq });
  }

  /** What was acknowledged on a channel until now: a later answer that calls itself complete must hold all of it. */
  promised(channel) {
    return { ...this.ackedTo.get(channel) };
  }
  complete(where, cursor, promised) {
    ++this.completes;
    for (const [origin, seq] of Object.entries(promised)) {
      if ((cursor[origin] ?? 0) < seq) {
        this.violation(`${where}: complete with ${origin} at ${cursor[origin] ?? 0}, but ${seq} was acknowledged before it was asked`);
      }
    }
  }

  live(client, message) {
    super.live(client, message);
    this.journal.note('live', { client: client.name, channel: message.channel, complete: message.complete, at: client.welcome?.node });
    if (message.complete) this.complete(`${client.name} on ${message.channel} at ${client.welcome?.node}`, message.cursor,
      client.promised.get(message.channel) ?? {});
  }

  /** The furthest that anyone was shown of each channel. */
  furthest() {
    const channels = new Map();
    for (const { channel, position } of this.followers.values()) {
      const to = channels.get(channel) ?? {};
      for (const [origin, seq] of Object.entries(position)) to[origin] = Math.max(to[origin] ?? 0, seq);
      channels.set(channel, to);
    }
    return channels;
  }
  /** Whether every follower that wants to be there has seen all of `furthest`. */
  reached(furthest, among = () => true) {
    for (const { client, channel, position } of this.followers.values()) {
      if (client.away || !among(client)) continue;
      for (const [origin, seq] of Object.entries(furthest.get(channel) ?? {})) {
        if ((position[origin] ?? 0) < seq) return false;
      }
    }
    return true;
  }

  /**
   * Where a fault stays, one may have seen strokes that only the lost node knows: whoever is left agrees, and everyone has
   * at least that.
   */
  unsettled(channel, answers) {
    if (!this.faultStays) return super.unsettled(channel, answers);
    const among = super.unsettled.call({ ...this, followers: new Map() }, channel, answers);
    if (among) return among;
    return this.reached(new Map([[channel, answers[0].cursor]])) ? '' : `${channel}: not everyone has what ${answers[0].node} has`;
  }

  /** Each acknowledged stroke is in at least `homes` replicas, each asked alone (`own`: node -> channel -> strokes). */
  replicas(own, homes) {
    const holders = new Map();
    for (const [node, channels] of own) {
      for (const [channel, strokes] of channels) {
        for (const stroke of strokes) {
          this.content(channel, stroke, `${node}'s own replica`);
          const id = key(channel, stroke.origin, stroke.seq);
          holders.set(id, (holders.get(id) ?? 0) + 1);
        }
      }
    }
    const lacking = [];
    for (const { channel, ack } of this.publishes.values()) {
      if (!ack) continue;
      const id = key(channel, ack.origin, ack.seq);
      if ((holders.get(id) ?? 0) < homes) lacking.push(`${id}: ${holders.get(id) ?? 0} of ${homes} copies`);
    }
    return lacking;
  }
}

/** One person at a tablet: open drawings, strokes with some hundred bytes, no patience with a node that refuses. */
export class Drawer extends Client {
  constructor({ urls, name, start, checker, journal, channels, everyMs, bytes, chance }) {
    super({ urls, name, start, watch: checker, keepStrokes: false, ackMs: NEVER_MS });
    Object.assign(this, { checker, journal, channels, everyMs, bytes, chance });
    this.promised = new Map(); // channel -> what was acknowledged when it was last asked for
    this.refused = 0;
    this.lastAckMs = Date.now();
    this.gapMs = 0; // the longest wait between two acks while there was something to acknowledge
    this.on('connected', ({ node }) => {
      this.refusedSinceMs = undefined;
      journal.note('client', { client: name, state: 'connected', node });
    });
    this.on('disconnected', (code) => journal.note('client', { client: name, state: 'disconnected', code }));
    this.on('ack', () => this.#acked());
    this.on('refused', (error) => checker.violation(`${name}: refused ${JSON.stringify(error)}`));
  }

  get node() {
    return this.welcome?.node;
  }

  async draw() {
    for (const channel of this.channels) this.subscribe(channel).catch(() => {}); // a partition may outlast its patience; it stays wanted
    this.drawing = this.everyMs > 0;
    this.roam();
    while (this.drawing && this.wanted) {
      await sleep(this.everyMs * this.chance.between(0.5, 1.5));
      if (this.outbox.size >= OUTBOX_MAX || !this.drawing) continue;
      const channel = this.chance.pick(this.channels);
      if (this.outbox.size === 0) this.lastAckMs = Date.now();
      const points = Array.from({ length: Math.ceil(this.chance.spread(8, this.bytes) / 4) }, () => this.chance.whole(0, 999));
      this.publish(channel, { color: '#246', points }).catch((error) => {
        if (this.wanted) this.checker.violation(`${this.name}: ${error.message}`);
      });
    }
  }
  /** Goes to the next node every few seconds, by its own will: so no node is left without clients for long. */
  async roam() {
    while (this.wanted && !this.settled) {
      await sleep(this.chance.spread(...ROAM_MS));
      if (!this.settled) this.cut();
    }
  }
  /** Draws no more and stays where it is. */
  settle() {
    this.drawing = false;
    this.settled = true;
  }
  /** From now on at these nodes only. */
  moveTo(urls) {
    this.urls = urls;
    this.cut();
  }

  sendSubscribe(subscription) {
    this.promised.set(subscription.channel, this.checker.promised(subscription.channel));
    super.sendSubscribe(subscription);
  }

  takeError(error) {
    ++this.refused;
    this.journal.note('error', { client: this.name, node: this.node, code: error.code });
    super.takeError(error);
    if (!['unavailable', 'storage_full'].includes(error.code)) return;
    this.refusedSinceMs ??= Date.now();
    if (Date.now() - this.refusedSinceMs > REFUSED_MS) this.cut();
  }

  /** The node it was on is gone: its next ack from another one ends the wait. */
  bereave(node) {
    if (this.node !== node || this.everyMs === 0 || !this.drawing) return;
    this.bereaved ??= { node, atMs: Date.now() };
    if (this.outbox.size > 0) this.underWay ??= { node, atMs: Date.now(), ops: [...this.outbox.keys()] };
  }
  #acked() {
    const now = Date.now();
    this.refusedSinceMs = undefined;
    this.gapMs = Math.max(this.gapMs, now - this.lastAckMs);
    this.lastAckMs = now;
    if (this.bereaved && this.node !== this.bereaved.node) {
      this.journal.measured('death_to_ack', now - this.bereaved.atMs, { client: this.name, node: this.bereaved.node, by: this.node });
      this.bereaved = undefined;
    }
    // The strokes that were under way: whether the dead node had numbered them is what the others must find out first.
    if (this.underWay && !this.underWay.ops.some((op) => this.outbox.has(op))) {
      this.journal.measured('death_to_retries_acked', now - this.underWay.atMs, { client: this.name, node: this.underWay.node });
      this.underWay = undefined;
    }
  }
  /** Forgets the waits of before. */
  startWatch() {
    this.gapMs = 0;
    this.lastAckMs = Date.now();
  }
  /** The wait that still goes on counts too. */
  get waitedMs() {
    return this.outbox.size === 0 ? this.gapMs : Math.max(this.gapMs, Date.now() - this.lastAckMs);
  }
}
