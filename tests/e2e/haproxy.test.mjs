// Behind HAProxy with deploy/haproxy.cfg: every client knows one address. The node behind a client is killed, and the
// client is back through the same address on another node with exactly what it missed.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { Checker } from './checker.mjs';
import { Client } from './client.mjs';
import { Cluster, httpGet, projectRoot } from './cluster.mjs';
import { Child, freePorts, run, sleep, until } from './process.mjs';

const CHANNEL = 'drawing_balanced';
const haproxy = process.env.HAPROXY_BIN ?? '/usr/sbin/haproxy';

let cluster;
let proxy;
let address;

before(async () => {
  cluster = await Cluster.start();
  const [port, spare] = await freePorts(2);
  address = `127.0.0.1:${port}`;
  // The shipped file, with this test's ports in place of the documented ones.
  let text = await readFile(path.join(projectRoot, 'deploy/haproxy.cfg'), 'utf8');
  text = text.replaceAll(/:8080\b/g, `:${port}`).replaceAll(/:8404\b/g, `:${spare}`);
  cluster.nodes.forEach((node, i) => {
    assert.match(text, new RegExp(`:${8081 + i}\\b`), `deploy/haproxy.cfg has the node at 808${1 + i}`);
    text = text.replaceAll(new RegExp(`:${8081 + i}\\b`, 'g'), `:${node.port}`);
  });
  const file = path.join(cluster.folder, 'haproxy.cfg');
  await writeFile(file, text);
  const check = await run(haproxy, ['-c', '-f', file]);
  assert.equal(check.code, 0, check.stdout + check.stderr);
  proxy = new Child(haproxy, ['-db', '-f', file], { logFile: path.join(cluster.folder, 'haproxy.log') });
  await until('HAProxy sends to a ready node', async () => {
    if (!proxy.running) throw new Error(`HAProxy ended: ${JSON.stringify(proxy.exit)} ${proxy.stderr}`);
    return (await httpGet(`http://${address}/readyz`)).status === 200;
  });
});
after(async () => {
  await proxy?.stop();
  await cluster?.stop();
});

it('spreads clients over all nodes, with no sticky sessions', async () => {
  const checker = new Checker();
  const clients = Array.from({ length: 9 }, (_, i) => new Client({ urls: [`ws://${address}/ws`], name: `spread_${i}`, watch: checker }));
  for (const client of clients) await client.subscribe('spread');
  assert.deepEqual([...new Set(clients.map((client) => client.welcome.node))].sort(), ['ws1', 'ws2', 'ws3']);
  await Promise.all(clients.map((client) => client.publish('spread', client.name)));
  await checker.finish(cluster.nodes);
  for (const client of clients) await client.close();
});

it('a client whose node is killed is back through the same address with exactly what it missed', async () => {
  const checker = new Checker();
  const clients = Array.from({ length: 6 }, (_, i) => new Client({ urls: [`ws://${address}/ws`], name: `lb_${i}`, watch: checker }));
  for (const client of clients) await client.subscribe(CHANNEL);
  const state = { stopping: false };
  const drawing = clients.map(async (client) => {
    for (let i = 0; !state.stopping; ++i) {
      await client.publish(CHANNEL, { by: client.name, i });
      await sleep(5);
    }
  });
  await sleep(300);
  const victimId = clients[0].welcome.node;
  const victim = cluster.node(victimId);
  const moved = clients.filter((client) => client.welcome.node === victimId);
  const killed = Date.now();
  await victim.kill();
  await until('its clients are on other nodes', () =>
    moved.every((client) => client.connected && client.welcome.node !== victimId));
  console.log(`${moved.length} clients of ${victimId} were back after ${Date.now() - killed} ms`);
  await sleep(500);
  victim.start();
  await victim.ready();
  await until('HAProxy gives the returned node clients again', async () => {
    const probe = new Client({ urls: [`ws://${address}/ws`] });
    await until('connected', () => probe.connected);
    const { node } = probe.welcome;
    await probe.close();
    return node === victimId;
  }, 15_000);
  state.stopping = true;
  await Promise.all(drawing);
  const result = await checker.finish(cluster.nodes);
  assert.equal(result.acks, result.published);
  for (const client of clients) await client.close();
});

it('a node that is not ready gets no clients: the drained one closes with goaway and they go on elsewhere', async () => {
  const checker = new Checker();
  const client = new Client({ urls: [`ws://${address}/ws`], name: 'drained', watch: checker });
  await client.subscribe('drawing_drained');
  const before = client.welcome.node;
  const acks = Array.from({ length: 10 }, (_, i) => client.publish('drawing_drained', { i }));
  await cluster.node(before).stop();
  await until('it is elsewhere', () => client.connected && client.welcome.node !== before);
  await Promise.all(acks);
  for (let i = 0; i < 10; ++i) {
    const answer = await httpGet(`http://${address}/healthz`);
    assert.equal(answer.status, 200);
  }
  cluster.node(before).start();
  await cluster.ready();
  await checker.finish(cluster.nodes);
  await client.close();
});
