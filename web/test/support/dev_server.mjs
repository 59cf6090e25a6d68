// npm run dev: the page on three pretended nodes, for work on the page without a cluster.
import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { FakeCluster } from './fake_cluster.mjs';

const web = fileURLToPath(new URL('../..', import.meta.url));
const folder = await mkdtemp(path.join(os.tmpdir(), 'inkmesh-web-'));
execFileSync(process.execPath, [path.join(web, 'build.mjs'), folder], { stdio: 'inherit' });
const cluster = await new FakeCluster(folder).start([8181, 8182, 8183]);
for (const node of cluster.nodes) console.log(`${node.id}  http://${node.address}/?board=demo`);
