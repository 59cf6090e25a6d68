// The program as a person uses it: a whole cluster by one command, and the tools that look at it and draw on it.
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Wire } from './wire.mjs';
import { httpGet, inkmesh, projectRoot, temporaryFolder } from './cluster.mjs';
import { fixtureFolder } from './handwriting.mjs';
import { alive, Child, freePorts, run, sleep, until } from './process.mjs';

let folder;
const children = [];

before(async () => {
  folder = await temporaryFolder();
});
after(async () => {
  for (const child of children) await child.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a subcommand to its end, in a folder that has nothing to do with the cluster's. */
const tool = (...args) => run(inkmesh, args, { cwd: folder });

async function startDev(name, nodes = 3, port) {
  port ??= (await freePorts(1))[0];
  const data = path.join(folder, name);
  const dev = new Child(inkmesh, ['dev', '--nodes', `${nodes}`, '--port', `${port}`, '--data', data], { cwd: folder });
  children.push(dev);
  const urls = Array.from({ length: nodes }, (_, i) => `http://127.0.0.1:${port + i}`);
  const said = () => dev.stdout + dev.stderr;
  await until('every node is ready', async () => {
    if (!dev.running) throw new Error(`dev ended: ${JSON.stringify(dev.exit)} ${said()}`);
    for (const url of urls) if ((await httpGet(`${url}/readyz`, 1_000)).status !== 200) return false;
    return true;
  }, 20_000);
  const statuses = await Promise.all(urls.map(async (url) => JSON.parse((await httpGet(`${url}/status`)).text)));
  return { dev, urls, data, said, file: path.join(data, 'cluster.yaml'), pids: statuses.map((status) => status.pid) };
}

const allGone = (pids) => until(`processes ${pids} are gone`, async () => {
  for (const pid of pids) if (await alive(pid)) return false;
  return true;
}, 15_000);

describe('inkmesh dev', () => {
  let cluster;
  before(async () => {
    cluster = await startDev('dev');
  });

  it('runs each node as a process of its own and prints the addresses', async () => {
    assert.equal(new Set([cluster.dev.pid, ...cluster.pids]).size, 4);
    for (const url of cluster.urls) await until(`${url} is printed`, () => cluster.said().includes(url));
  });

  it('writes DIR/cluster.yaml, which check finds right', async () => {
    const text = await readFile(cluster.file, 'utf8');
    for (const id of ['ws1', 'ws2', 'ws3']) assert.match(text, new RegExp(`\\b${id}\\b`));
    const check = await tool('check', cluster.file);
    assert.equal(check.code, 0, check.stdout + check.stderr);
  });

  it('reports a node that dies, restarts nothing by itself; the node starts again by hand and catches up', async () => {
    const [, url] = cluster.urls;
    process.kill(cluster.pids[1], 'SIGKILL');
    await allGone([cluster.pids[1]]);
    const reported = () => cluster.said().split('\n').some((line) => /ws2/.test(line) && /kill|signal|died|ended|SIGKILL/i.test(line));
    await until('the death is reported', reported, 3_000);
    const draw = await tool('draw', cluster.urls[0], 'drawing_missed', path.join(fixtureFolder, '永.json'));
    assert.equal(draw.code, 0, draw.stderr);
    await sleep(1_500);
    await assert.rejects(httpGet(`${url}/healthz`, 500), 'nobody restarted it');
    assert.ok(cluster.dev.running);

    const byHand = new Child(inkmesh, ['node', '--config', cluster.file, '--node', 'ws2'], { cwd: '/' });
    children.push(byHand);
    await until('ws2 is ready again', async () => (await httpGet(`${url}/readyz`, 1_000)).status === 200, 15_000);
    const page = JSON.parse((await httpGet(`${url}/channels/drawing_missed/strokes`)).text);
    assert.equal(page.strokes.length, 5);
    cluster.byHand = byHand;
  });

  it('stops all that it started on Ctrl-C, and only that', async () => {
    const mine = [cluster.pids[0], cluster.pids[2]];
    const exit = await cluster.dev.stop('SIGINT');
    assert.ok(exit.code === 0 || exit.code === 130, JSON.stringify(exit));
    await allGone(mine);
    assert.ok(cluster.byHand.running);
    assert.equal((await cluster.byHand.stop()).code, 0);
  });

  it('continues with what the folder holds', async () => {
    const again = await startDev('dev');
    const page = JSON.parse((await httpGet(`${again.urls[2]}/channels/drawing_missed/strokes`)).text);
    assert.equal(page.strokes.length, 5);
    const exit = await again.dev.stop('SIGTERM');
    assert.equal(exit.code, 0);
    await allGone(again.pids);
  });

  it('leaves no orphan when it is itself killed', async () => {
    const { dev, pids } = await startDev('killed');
    await dev.stop('SIGKILL');
    await allGone(pids);
  });

  it('a cluster of one and of five work too', async () => {
    for (const nodes of [1, 5]) {
      const { dev, urls, pids } = await startDev(`dev_${nodes}`, nodes);
      const draw = await tool('draw', urls.at(-1), 'drawing_any', path.join(fixtureFolder, '好.json'));
      assert.equal(draw.code, 0, draw.stderr);
      assert.equal((await dev.stop('SIGTERM')).code, 0);
      await allGone(pids);
    }
  });

  it('refuses a port that is taken, with a word about it, and leaves nothing running', async () => {
    const taken = await startDev('taken', 1);
    const port = new URL(taken.urls[0]).port;
    const second = await tool('dev', '--nodes', '1', '--port', port, '--data', path.join(folder, 'second'));
    assert.notEqual(second.code, 0);
    assert.match(second.stdout + second.stderr, new RegExp(port));
    await taken.dev.stop('SIGTERM');
  });
});

describe('the tools', () => {
  let cluster;
  before(async () => {
    cluster = await startDev('tools');
  });
  after(() => cluster.dev.stop());

  it('status shows the nodes, their peers and what they hold, as a table', async () => {
    await tool('draw', cluster.urls[0], 'drawing_status', path.join(fixtureFolder, '你.json'));
    const { code, stdout, stderr } = await tool('status', cluster.urls[1]);
    assert.equal(code, 0, stderr);
    for (const id of ['ws1', 'ws2', 'ws3']) assert.match(stdout, new RegExp(`\\b${id}\\b`));
    assert.match(stdout, /\bup\b/);
    assert.match(stdout, /lag/i);
    assert.match(stdout, /channels/i);
    assert.match(stdout, /connections/i);
  });

  it('draw publishes lines of JSON as they are, tail prints them as lines of JSON', async () => {
    const file = path.join(folder, 'lines.jsonl');
    const lines = Array.from({ length: 200 }, (_, i) => `{"n":${i},"raw":1.50}`);
    await writeFile(file, `${lines.join('\n')}\n`);
    const tail = new Child(inkmesh, ['tail', cluster.urls[2], 'drawing_lines']);
    children.push(tail);
    const draw = await tool('draw', cluster.urls[0], 'drawing_lines', file);
    assert.equal(draw.code, 0, draw.stderr);
    const printed = () => tail.stdout.split('\n').slice(0, -1);
    await until('tail printed all', () => printed().length === 200);
    const strokes = printed().map((line) => JSON.parse(line));
    assert.deepEqual(strokes.map((stroke) => stroke.seq), strokes.map((_, i) => i + 1));
    assert.deepEqual(strokes.map((stroke) => stroke.data.n), lines.map((_, i) => i));
    assert.ok(printed().every((line) => line.includes('"raw":1.50')), 'numbers are printed as they came');
    const exit = await tail.stop('SIGINT');
    assert.ok(exit.code === 0 || exit.code === 130, JSON.stringify(exit));
  });

  it('draw again with the same client draws nothing twice', async () => {
    const file = path.join(fixtureFolder, '墨.json');
    for (let i = 0; i < 2; ++i) {
      const draw = await tool('draw', cluster.urls[i], 'drawing_again', file, '--client', 'same');
      assert.equal(draw.code, 0, draw.stderr);
    }
    const { medians } = JSON.parse(await readFile(file, 'utf8'));
    const page = JSON.parse((await httpGet(`${cluster.urls[2]}/channels/drawing_again/strokes`)).text);
    assert.equal(page.strokes.length, medians.length);
  });

  it('draw writes characters of hanzi-writer-data where the whiteboard draws them', async () => {
    const character = path.join(fixtureFolder, '永.json');
    const draw = await tool('draw', cluster.urls[0], 'drawing_character', character);
    assert.equal(draw.code, 0, draw.stderr);
    const { medians } = JSON.parse(await readFile(character, 'utf8'));
    const { strokes } = JSON.parse((await httpGet(`${cluster.urls[1]}/channels/drawing_character/strokes`)).text);
    assert.equal(strokes.length, medians.length);
    strokes.forEach(({ data }, i) => assert.equal(data.p.length, medians[i].length));
    const ys = strokes.flatMap(({ data }) => data.p.map(([, y]) => y));
    assert.ok(strokes[0].data.p[0][1] < Math.max(...ys), 'the dot of 永 is on top');
  });

  it('tail follows a node that is killed to another, with every stroke once', async () => {
    const tail = new Child(inkmesh, ['tail', cluster.urls[1], 'drawing_follow']);
    children.push(tail);
    const author = await Wire.open(`${cluster.urls[0].replace('http', 'ws')}/ws`, { hello: 'follow' });
    const draw = async (first, last) => {
      for (let op = first; op <= last; ++op) {
        const ack = await author.ask({ type: 'publish', id: op, channel: 'drawing_follow', op, data: op });
        assert.equal(ack.type, 'ack', ack.text);
      }
    };
    await draw(1, 50);
    const numbers = () => tail.stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line).data);
    await until('the first are printed', () => numbers().length === 50);
    process.kill(cluster.pids[1], 'SIGKILL');
    await draw(51, 100);
    await until('all are printed', () => numbers().length === 100);
    assert.deepEqual(numbers(), Array.from({ length: 100 }, (_, i) => i + 1));
    await tail.stop('SIGINT');
    await author.close();
  });

  it('--help teaches, --version names the version, a wrong command is refused with 2', async () => {
    const help = await tool('--help');
    assert.equal(help.code, 0);
    for (const command of ['node', 'dev', 'check', 'status', 'tail', 'draw']) {
      assert.match(help.stdout, new RegExp(`\\b${command}\\b`));
      const own = await tool(command, '--help');
      assert.equal(own.code, 0);
      assert.ok(own.stdout.length > 200, `${command} --help teaches`);
    }
    assert.match((await tool('--version')).stdout, /\d+\.\d+\.\d+/);
    for (const args of [['fly'], ['node'], ['draw', cluster.urls[0]], ['dev', '--nodes', '0'], ['dev', '--nodes', 'x']]) {
      assert.equal((await tool(...args)).code, 2, args.join(' '));
    }
  });

  it('what cannot be reached is a clear failure', async () => {
    const [port] = await freePorts(1);
    const status = await tool('status', `http://127.0.0.1:${port}`);
    assert.equal(status.code, 1);
    assert.match(status.stderr, new RegExp(`${port}`));
  });
});

describe('inkmesh check', () => {
  it('takes the repository\'s cluster.yaml', async () => {
    const { code, stdout, stderr } = await tool('check', path.join(projectRoot, 'cluster.yaml'));
    assert.equal(code, 0, stdout + stderr);
  });

  const good = ['nodes:', '  - id: ws1', '    client: 127.0.0.1:1', '    gossip: 127.0.0.1:2', '    mesh: 127.0.0.1:3',
    'replicas: 1', 'ack: 1'];
  const wrong = {
    'an unknown key': [[...good, 'replicass: 2'], 8, /replicass/],
    'a missing key': [good.filter((line) => !line.includes('mesh')), 2, /mesh/],
    'a number out of range': [good.map((line) => line.replace('replicas: 1', 'replicas: 99')), 6, /replicas/],
    'an ack that cannot be': [good.map((line) => line.replace('ack: 1', 'ack: 3')), 7, /ack/],
    'the same address twice': [good.map((line) => line.replace('127.0.0.1:2', '127.0.0.1:1')), 4, /127\.0\.0\.1:1/],
    'an id twice': [[...good.slice(0, 5), ...good.slice(1, 5).map((line) => line.replace(/1:(\d)/, '2:$1')), ...good.slice(5)], 6, /ws1/],
    'no YAML': [['nodes: [', '  - {'], 0, /./],
  };
  for (const [name, [lines, line, pattern]] of Object.entries(wrong)) {
    it(`refuses ${name} with file, line and key, exit 2`, async () => {
      const file = path.join(folder, 'wrong.yaml');
      await writeFile(file, `${lines.join('\n')}\n`);
      const { code, stdout, stderr } = await tool('check', file);
      assert.equal(code, 2, stdout + stderr);
      assert.match(stderr, pattern);
      assert.ok(stderr.includes(line > 0 ? `wrong.yaml:${line}:` : 'wrong.yaml:'), stderr);
      const node = await tool('node', '--config', file, '--node', 'ws1');
      assert.equal(node.code, 2);
    });
  }
});
