// What page_again.mjs and node_again.mjs share. For each line "NODE PID" on standard input people begin to draw at that
// node, it is killed under them, and a line of JSON says how soon they drew on at another.
//   node page_again.mjs ws1=http://127.0.0.1:8001 ws2=http://127.0.0.1:8002 ...
import readline from 'node:readline';
import { sleep } from '../../tests/e2e/process.mjs';

const BEFORE_MS = 400;

/**
 * `open({node, http, board, nodes})` gives people who draw all the time. Their `back(killedMs)` resolves once all draw
 * elsewhere and everything is where it should be, with {back_ms, connected_ms, ..., drawn, channels, violations};
 * `close()` sends them away.
 */
export async function killUnder(open) {
  const nodes = new Map(process.argv.slice(2).map((node) => node.split(/=(.*)/s)));
  let run = 0;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [node, pid] = line.split(' ');
    const people = await open({ node, http: nodes.get(node), board: `again${++run}`, nodes });
    await sleep(BEFORE_MS);
    const killedMs = Date.now();
    process.kill(Number(pid), 'SIGKILL');
    console.log(JSON.stringify(await people.back(killedMs)));
    await people.close();
  }
}
