import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { FakeCluster } from '../support/fake_cluster.mjs';

const web = fileURLToPath(new URL('../..', import.meta.url));
const PATIENCE_MS = 120_000; // a busy machine is slow, not wrong
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The bundled page on three pretended nodes, and a browser. */
export class Bench {
  async start() {
    this.folder = await mkdtemp(path.join(os.tmpdir(), 'inkmesh-web-'));
    execFileSync(process.execPath, [path.join(web, 'build.mjs'), this.folder], { stdio: 'inherit' });
    this.cluster = await new FakeCluster(this.folder).start([0, 0, 0]);
    this.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS });
    return this;
  }

  async stop() {
    await this.browser?.close();
    await this.cluster?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A window of its own profile, unless `context` is another's, on node `i`. */
  async open(i, board, { context, query = '', ...options } = {}) {
    const page = await (
      context ?? (await this.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options }))
    ).newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.faults = [];
    page.requested = new Set();
    page.on('pageerror', (error) => page.faults.push(String(error.stack ?? error)));
    page.on('console', (message) => {
      const network = /ERR_CONNECTION_REFUSED|closed before the connection|Connection reset/.test(message.text());
      if (message.type() === 'error' && !network) page.faults.push(message.text());
    });
    page.on('request', (request) => page.requested.add(new URL(request.url()).host));
    await page.goto(`http://${this.cluster.nodes[i].address}/?board=${board}${query}`);
    await live(page);
    return page;
  }
}

export const live = (page) => page.waitForFunction(() => window.inkmesh?.board.state().subscription === 'live');
export const state = (page) => page.evaluate(() => window.inkmesh.board.state());
export const picture = (page) => page.evaluate(() => window.inkmesh.board.picture());
export const strokes = (page) => page.evaluate(() => window.inkmesh.board.strokes());
export const draw = (page, points, style = {}) =>
  page.evaluate(([s, p]) => window.inkmesh.board.draw(s, p), [style, points]);

/** Until so many strokes are in the page's drawing and nothing of its own waits. */
export const settled = (page, count) =>
  page.waitForFunction((n) => {
    const { strokes: drawn, notInDrawing, waiting } = window.inkmesh.board.state();
    return drawn === n && notInDrawing === 0 && waiting === 0;
  }, count);

/** Draws with the mouse; places are pixels of the window. */
export async function scribble(page, places, { lift = true } = {}) {
  await page.mouse.move(...places[0]);
  await page.mouse.down();
  for (const place of places.slice(1)) await page.mouse.move(...place);
  if (lift) await page.mouse.up();
}

/** How many pixels of a canvas are not empty, once what is known is painted. */
export const inked = (page, id) =>
  page.evaluate(async (name) => {
    window.inkmesh.board.picture();
    for (let i = 0; i < 2; ++i) await new Promise((resolve) => requestAnimationFrame(resolve));
    const canvas = document.getElementById(name);
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i]) ++count;
    return count;
  }, id);
