// Holds a run against the promises of docs/protocol.md, from what clients published, were told and received.
// It knows nothing of the cluster's inside: a Client reports to it (`watch`), nodes are asked over HTTP at the end.
import { until } from './process.mjs';

const VIOLATIONS_MAX = 50;

const key = (...parts) => parts.join(' ');
const withoutZeros = (cursor) => Object.fromEntries(Object.entries(cursor).filter(([, seq]) => seq > 0));

/** Cursors name the same place: the same origins at the same seq; an origin at 0 is as good as absent. */
export function sameCursor(a, b) {
  const left = withoutZeros(a);
  const right = withoutZeros(b);
  const origins = Object.keys(left);
  return origins.length === Object.keys(right).length && origins.every((origin) => left[origin] === right[origin]);
}

/** In the order in which a drawing is painted. */
export function byPaintingOrder(a, b) {
  if (a.ts !== b.ts) return a.ts - b.ts;
  if (a.origin !== b.origin) return a.origin < b.origin ? -1 : 1;
  return a.seq - b.seq;
}

/** What is drawn of a channel's strokes: of each (client, op) the copy lowest in painting order. */
export function drawn(strokes) {
  const lowest = new Map();
  for (const stroke of [...strokes].sort(byPaintingOrder)) {
    const op = key(stroke.client, stroke.op);
    if (!lowest.has(op)) lowest.set(op, stroke);
  }
  return [...lowest.values()];
}

export class Checker {
  /** `ack`: the cluster's setting, the copies that an ack must speak of at least. */
  constructor({ ack = 2 } = {}) {
    this.ackCopies = ack;
    this.publishes = new Map(); // channel client op -> {channel, client, op, text, ack}
    this.contents = new Map(); // channel origin seq -> content
    this.followers = new Map(); // client channel -> {position, seen, mode}
    this.violations = [];
    this.acks = 0;
    this.deliveries = 0;
  }

  violation(text) {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push(text);
  }

  // ---- reported by clients ----------------------------------------------------------------------------------------

  published(client, channel, op, text) {
    const follower = this.followers.get(key(client.name, channel));
    this.publishes.set(key(channel, client.name, op), {
      channel, client: client.name, op, text, connection: client.connections,
      tsSeen: follower?.tsSeenOn === client.connections ? follower.tsSeen : 0,
    });
  }

  received(client, message) {
    if (message.type === 'subscribed') this.subscribed(client, message);
    else if (message.type === 'stroke') this.stroke(client, message.channel, message);
    else if (message.type === 'strokes') {
      if (message.strokes.length === 0) this.violation(`${client.name}: an empty batch`);
      for (const stroke of message.strokes) this.stroke(client, message.channel, stroke);
    } else if (message.type === 'live') this.live(client, message);
    else if (message.type === 'ack') this.acked(client, message);
  }

  subscribed(client, { channel, mode, cursor }) {
    const name = key(client.name, channel);
    const before = this.followers.get(name);
    if (!before) {
      if (mode === 'full' && !sameCursor(cursor, {})) this.violation(`${name}: full from ${JSON.stringify(cursor)}`);
      this.followers.set(name, {
        client, channel, mode, begin: { ...cursor }, position: { ...cursor }, seen: 0, tsSeen: 0, isLive: false,
      });
      return;
    }
    before.isLive = false;
    before.tsSeen = 0;
    // A client whose connection was cut before its first `subscribed` came has no cursor to show.
    if (mode === 'delta' && !sameCursor(cursor, before.position)) {
      this.violation(`${name}: came back with ${JSON.stringify(before.position)}, subscribed ${JSON.stringify(cursor)}`);
    }
    if (mode !== 'delta' && !sameCursor(before.position, {})) {
      this.violation(`${name}: came back with a cursor and got mode ${mode}`);
    }
  }

  stroke(client, channel, stroke) {
    ++this.deliveries;
    const name = key(client.name, channel);
    const follower = this.followers.get(name);
    if (!follower) {
      this.violation(`${name}: a stroke before subscribed`);
      return;
    }
    const { origin, seq } = stroke;
    const expected = (follower.position[origin] ?? 0) + 1;
    if (seq !== expected) this.violation(`${name}: ${origin} ${seq} came, ${expected} was due (promise 1)`);
    follower.position[origin] = seq;
    follower.tsSeen = Math.max(follower.tsSeen, stroke.ts);
    follower.tsSeenOn = client.connections; // what another node showed says nothing about this one
    ++follower.seen;
    this.content(channel, stroke, name);
  }

  /** One (channel, origin, seq) has one content, wherever it is seen. */
  content(channel, stroke, where) {
    const { origin, seq, ts, client, op } = stroke;
    const data = JSON.stringify(stroke.data);
    const id = key(channel, origin, seq);
    const known = this.contents.get(id);
    if (!known) {
      this.contents.set(id, { origin, seq, ts, client, op, data });
      const publish = this.publishes.get(key(channel, client, op));
      if (!publish) this.violation(`${where}: ${id} of ${client} ${op} was never published`);
      else if (publish.text !== data) this.violation(`${where}: ${id} is not what ${client} published as op ${op}`);
      return;
    }
    if (known.ts !== ts || known.client !== client || known.op !== op || known.data !== data) {
      this.violation(`${where}: ${id} has two contents: ${JSON.stringify(known)} and ${JSON.stringify(stroke)}`);
    }
  }

  live(client, { channel, cursor }) {
    const name = key(client.name, channel);
    const follower = this.followers.get(name);
    if (!follower) {
      this.violation(`${name}: live before subscribed`);
      return;
    }
    follower.isLive = true;
    if (!sameCursor(cursor, follower.position)) {
      this.violation(`${name}: live at ${JSON.stringify(cursor)} but has seen ${JSON.stringify(follower.position)}`);
    }
  }

  acked(client, ack) {
    ++this.acks;
    const publish = this.publishes.get(key(ack.channel, client.name, ack.id));
    if (!publish) {
      this.violation(`${client.name}: an ack for ${ack.channel} ${ack.id}, which it never sent`);
      return;
    }
    if (ack.copies < this.ackCopies) this.violation(`${client.name} ${ack.id}: acked with ${ack.copies} copies`);
    const first = publish.ack;
    publish.ack ??= ack;
    publish.ackedAtMs = Date.now();
    if (first && (first.origin !== ack.origin || first.seq !== ack.seq)) {
      this.violation(`${client.name} ${ack.id}: acked as ${first.origin} ${first.seq} and ${ack.origin} ${ack.seq}`);
    }
    // What its author had been shown by the node that accepts it comes before it.
    if (!ack.duplicate && client.connections === publish.connection && ack.ts <= publish.tsSeen) {
      this.violation(`${client.name} ${ack.id}: ts ${ack.ts}, but had been shown ${publish.tsSeen} before`);
    }
  }

  // ---- at the end -------------------------------------------------------------------------------------------------

  get channels() {
    return [...new Set([...this.publishes.values()].map((publish) => publish.channel))].sort();
  }

  /** Waits until every node holds the same of each channel and each follower is there too; then checks all of it. */
  async finish(nodes, { timeoutMs = 30_000, copiesMax = 2 } = {}) {
    const histories = new Map();
    let reason = '';
    const settled = async () => {
      for (const channel of this.channels) {
        const answers = await Promise.all(nodes.map((node) => node.history(channel)));
        histories.set(channel, answers.map((answer, i) => ({ node: nodes[i].id, ...answer })));
        reason = this.unsettled(channel, histories.get(channel));
        if (reason) return false;
      }
      return true;
    };
    try {
      await until('all to converge', settled, timeoutMs, 200);
    } catch (error) {
      this.violation(`not converged within ${timeoutMs} ms: ${reason || error.message} (promises 3, 6)`);
    }
    let copies = 0;
    let strokes = 0;
    for (const [channel, answers] of histories) {
      for (const answer of answers) this.history(channel, answer, copiesMax);
      strokes += answers[0].strokes.length;
      copies += answers[0].strokes.length - drawn(answers[0].strokes).length;
    }
    if (this.violations.length > 0) {
      throw new Error(`${this.violations.length} broken promises:\n  ${this.violations.join('\n  ')}`);
    }
    return { published: this.publishes.size, acks: this.acks, strokes, copies, deliveries: this.deliveries, histories };
  }

  unsettled(channel, answers) {
    for (const answer of answers) {
      if (!answer.complete) return `${answer.node} is not complete on ${channel}`;
      if (!sameCursor(answer.cursor, answers[0].cursor)) {
        return `${channel}: ${answers[0].node} ${JSON.stringify(answers[0].cursor)}, ` +
          `${answer.node} ${JSON.stringify(answer.cursor)}`;
      }
    }
    for (const follower of this.followers.values()) {
      if (follower.channel !== channel || !follower.client.wanted || follower.client.away) continue;
      if (!sameCursor(follower.position, answers[0].cursor)) {
        return `${follower.client.name} on ${channel} (via ${follower.client.url}) has ` +
          `${JSON.stringify(follower.position)} of ${JSON.stringify(answers[0].cursor)}`;
      }
    }
    return '';
  }

  history(channel, { node, strokes, cursor }, copiesMax) {
    const where = `${node} history of ${channel}`;
    const position = {};
    const lastTs = {};
    const copies = new Map();
    const held = new Set();
    for (const stroke of strokes) {
      const { origin, seq } = stroke;
      if (seq !== (position[origin] ?? 0) + 1) this.violation(`${where}: ${origin} ${position[origin] ?? 0} then ${seq}`);
      if (stroke.ts <= (lastTs[origin] ?? 0)) this.violation(`${where}: ts of ${origin} ${seq} does not grow`);
      position[origin] = seq;
      lastTs[origin] = stroke.ts;
      held.add(key(channel, origin, seq));
      const op = key(stroke.client, stroke.op);
      copies.set(op, (copies.get(op) ?? 0) + 1);
      this.content(channel, stroke, where);
    }
    if (!sameCursor(position, cursor)) this.violation(`${where}: its cursor is not what it gave`);
    for (const [op, count] of copies) {
      if (count > copiesMax) this.violation(`${where}: ${count} copies of ${op} (promise 4)`);
    }
    for (const publish of this.publishes.values()) {
      if (publish.channel !== channel || !publish.ack) continue;
      const { origin, seq } = publish.ack;
      if (!held.has(key(channel, origin, seq))) {
        this.violation(`${where}: ${origin} ${seq} was acknowledged to ${publish.client} and is not there (promise 3)`);
      }
    }
  }
}
