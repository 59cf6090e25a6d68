// The seed case: nine people, three on each of ws1, ws2 and ws3, all in drawing_abc123.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Checker, drawn } from './checker.mjs';
import { Client } from './client.mjs';
import { Cluster } from './cluster.mjs';
import { sleep, until } from './process.mjs';

const CHANNEL = 'drawing_abc123';
const NAMES = ['ann', 'bob', 'cleo', 'dan', 'eve', 'finn', 'gus', 'hana', 'ivo'];
const STROKES = 30;

let cluster;
before(async () => {
  cluster = await Cluster.start();
});
after(() => cluster?.stop());

it('each sees every stroke of all nine once, in order, and all see the same picture', async () => {
  const checker = new Checker();
  const people = NAMES.map((name, i) => new Client({ urls: cluster.urls, name, start: Math.floor(i / 3), watch: checker }));
  for (const person of people) await person.subscribe(CHANNEL);
  people.forEach((person, i) => assert.equal(person.welcome.node, `ws${1 + Math.floor(i / 3)}`));

  const present = await until('all nine are present', async () => {
    const { clients } = await people[8].request({ type: 'presence', channel: CHANNEL });
    return clients.length === 9 && clients;
  });
  assert.deepEqual(present.map(({ client, node }) => `${client}@${node}`).sort(),
    NAMES.map((name, i) => `${name}@ws${1 + Math.floor(i / 3)}`));

  const pointers = new Set();
  people[0].on('signal', ({ client }) => pointers.add(client));
  await Promise.all(people.map(async (person, who) => {
    const acks = [];
    for (let i = 0; i < STROKES; ++i) {
      person.signal(CHANNEL, { pointer: [i, who] });
      acks.push(person.publish(CHANNEL, { pen: who, points: Array.from({ length: 12 }, (_, k) => [i + k, who * 50 + k]) }));
      await sleep(5);
    }
    await Promise.all(acks);
  }));
  const { strokes, copies } = await checker.finish(cluster.nodes);
  assert.deepEqual([strokes, copies], [9 * STROKES, 0]);
  assert.ok(pointers.size >= 8, `only ${[...pointers]} were seen pointing`);

  const picture = (strokesSeen) => drawn(strokesSeen).map(({ client, op, data }) => [client, op, data.pen]);
  const pictures = people.map((person) => picture(person.subscriptions.get(CHANNEL).strokes));
  for (const other of pictures.slice(1)) assert.deepEqual(other, pictures[0]);

  // A tenth looks in later, through any node.
  for (const node of cluster.nodes) assert.deepEqual(picture((await node.history(CHANNEL)).strokes), pictures[0]);
  for (const person of people) await person.close();
});
