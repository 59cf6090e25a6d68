// One window of the whiteboard in headless Chromium, drawing all the time. For each line "NODE PID" on standard input it
// opens the drawing at that node, kills the node, and says in a line of JSON how soon the page drew on at another.
//   node page_again.mjs ws1=http://127.0.0.1:8001 ws2=http://127.0.0.1:8002 ...
import readline from 'node:readline';
import { launch, Window } from '../../tests/e2e/browser.mjs';
import { sleep } from '../../tests/e2e/process.mjs';

const BEFORE_MS = 400;

const nodes = new Map(process.argv.slice(2).map((node) => node.split(/=(.*)/s)));
const browser = await launch();
let run = 0;
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [node, pid] = line.split(' ');
  const window = await Window.open(browser, nodes.get(node), `again${++run}`);
  await window.watchReturn(node);
  await sleep(BEFORE_MS);
  const killed = Date.now();
  process.kill(Number(pid), 'SIGKILL');
  const { connectedAt, backAt, drawn } = await window.returned();
  const { violations } = await window.holds(drawn);
  console.log(JSON.stringify({ back_ms: backAt - killed, connected_ms: connectedAt - killed, drawn, violations }));
  await window.close();
}
await browser.close();
