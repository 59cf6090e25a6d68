// Clients of the library in web/client, in Node, drawing all the time while their node is killed: see again.mjs.
import { createRequire } from 'node:module';
import { sleep, until } from '../../tests/e2e/process.mjs';
import { Drawing, InkmeshClient } from '../../web/client/inkmesh.js';
import { killUnder } from './again.mjs';

const WebSocket = createRequire(new URL('../../tests/e2e/package.json', import.meta.url))('ws');
const CLIENTS = 20;
const DRAWINGS = 4;
const EVERY_MS = 50;
const SETTLED_MS = 20_000;

/** One client with a drawing open. It holds what comes to the promises by itself, besides what the library does. */
class Person {
  constructor({ node, http, channel }) {
    Object.assign(this, { node, channel, drawn: 0, violations: [] });
    this.drawing = new Drawing();
    this.places = new Set();
    this.publishedAt = new Map(); // op -> when, until it is acknowledged
    this.client = new InkmeshClient({ discover: http, WebSocket, onViolation: (violation) => this.#broken(violation) });
    this.client.on('refused', (stroke, error) => this.#broken({ refused: stroke, code: error.code }));
    this.client.on('state', ({ phase, node: at }) => {
      if (this.killedMs !== undefined && phase === 'connected' && at !== this.node) this.connectedAt ??= Date.now();
    });
    this.subscription = this.client.subscribe(channel);
    this.subscription.on('strokes', (strokes) => this.#show(strokes));
    this.subscription.on('reset', () => this.#broken('it had to forget what it had seen'));
  }

  async begin(nodes) {
    await this.client.ready;
    await until('live, and it knows all nodes', () =>
      this.client.state.node === this.node && this.client.nodes.length === nodes && this.subscription.state === 'live');
  }

  draw() {
    const x = 100 + (this.drawn++ % 100) * 12;
    const at = Date.now();
    const { op, acked } = this.client.publish(this.channel, { width: 4, points: [[x, 900], [x + 8, 930], [x, 960]] });
    this.publishedAt.set(op, at);
    acked.then(() => this.#acked(op, at), () => {}); // `refused` tells of a refusal
  }

  killed(killedMs) {
    this.killedMs = killedMs;
    this.underWay = new Set(this.publishedAt.keys());
  }

  get isBack() {
    return this.backAt !== undefined && this.underWay.size === 0;
  }
  /** Nothing of its own is under way, and it shows all that was drawn. */
  isSettled(drawn) {
    return this.client.state.waiting === 0 && this.subscription.state === 'live' && this.drawing.strokes.length === drawn;
  }

  #acked(op, publishedAt) {
    this.publishedAt.delete(op);
    if (this.killedMs === undefined) return;
    if (publishedAt > this.killedMs) this.backAt ??= Date.now();
    if (this.underWay.delete(op) && this.underWay.size === 0) this.outboxAt = Date.now();
  }

  #show(strokes) {
    for (const { origin, seq } of strokes) {
      const place = `${origin} ${seq}`;
      if (this.places.has(place)) this.#broken(`${place} came twice`);
      this.places.add(place);
    }
    this.drawing.add(strokes);
  }

  #broken(what) {
    this.violations.push(`${this.client.client} on ${this.channel}: ${JSON.stringify(what)}`);
  }
}

class People {
  static async gather({ node, http, board, nodes }) {
    const people = new People();
    people.channels = Array.from({ length: DRAWINGS }, (_, i) => `node_${board}_${i}`);
    people.all = Array.from({ length: CLIENTS }, (_, i) => new Person({ node, http, channel: people.channels[i % DRAWINGS] }));
    await Promise.all(people.all.map((person) => person.begin(nodes.size)));
    // One after the other: strokes are at every stage of their way when the node dies.
    people.timers = [];
    for (const person of people.all) {
      people.timers.push(setInterval(() => person.draw(), EVERY_MS));
      await sleep(EVERY_MS / CLIENTS);
    }
    return people;
  }

  async back(killedMs) {
    for (const person of this.all) person.killed(killedMs);
    await until('all draw elsewhere', () => this.all.every(({ isBack }) => isBack), SETTLED_MS);
    for (const timer of this.timers) clearInterval(timer);
    const drawnOn = (channel) => this.all.reduce((sum, person) => sum + (person.channel === channel ? person.drawn : 0), 0);
    await until('all show everything', () => this.all.every((person) => person.isSettled(drawnOn(person.channel))), SETTLED_MS);
    const since = (moment) => this.all.filter((person) => moment in person).map((person) => person[moment] - killedMs);
    return {
      back_ms: since('backAt'), outbox_ms: since('outboxAt'), connected_ms: since('connectedAt'),
      drawn: this.all.reduce((sum, person) => sum + person.drawn, 0),
      second_copies: this.all.reduce((sum, { places, drawing }) => sum + places.size - drawing.strokes.length, 0),
      channels: this.channels,
      violations: this.all.flatMap(({ violations }) => violations),
    };
  }

  close() {
    for (const person of this.all) person.client.close();
  }
}

await killUnder((where) => People.gather(where));
