// Headless Chromium with a node's whiteboard in it, drawn on with a real mouse. web/README.md describes what a test may
// ask of the page (`window.inkmesh`).
import path from 'node:path';
import { chromium } from 'playwright-core';
import { artifactFolder } from './cluster.mjs';
import { sleep, until } from './process.mjs';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const LIVE_MS = 20_000;

export async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium', args: FLAGS });
}

/** One window, in a profile of its own, with a drawing open at an address. */
export class Window {
  static async open(browser, http, board, { query = '' } = {}) {
    const window = new Window();
    window.context = await browser.newContext({ viewport: { width: 1000, height: 720 } });
    window.page = await window.context.newPage();
    window.elsewhere = [];
    window.errors = [];
    window.page.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (hostname !== '127.0.0.1' && !['data:', 'blob:'].includes(protocol)) window.elsewhere.push(request.url());
    });
    window.page.on('pageerror', (error) => window.errors.push(error.message));
    await window.page.goto(`${http}/?board=${board}${query}`);
    await window.live();
    return window;
  }

  state() {
    return this.page.evaluate(() => globalThis.inkmesh.board.state());
  }
  strokes() {
    return this.page.evaluate(() => globalThis.inkmesh.board.strokes());
  }

  /** Waits until a state that `wanted` takes; gives it. */
  async when(what, wanted, timeoutMs = LIVE_MS) {
    let last;
    try {
      return await until(what, async () => {
        last = await this.state();
        return wanted(last) && last;
      }, timeoutMs, 10);
    } catch (error) {
      throw new Error(`${error.message}; the page: ${JSON.stringify(last)}`);
    }
  }

  async live() {
    await this.page.waitForFunction(() => globalThis.inkmesh !== undefined, undefined, { timeout: LIVE_MS });
    return this.when('live', ({ subscription, complete }) => subscription === 'live' && complete);
  }

  /** Waits until so many strokes are in the drawing, and nothing of this window is under way. */
  async holds(count) {
    return this.when(`${count} strokes`, (now) =>
      now.subscription === 'live' && now.strokes === count && now.waiting === 0 && now.notInDrawing === 0);
  }

  /** The drawing's pixels as they are: a fingerprint of all of them, and how many are not blank. */
  picture() {
    return this.page.evaluate(async () => {
      const { data, width, height } = globalThis.inkmesh.board.pixels();
      let painted = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i] !== 0) ++painted;
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
      return { width, height, painted, sha256: [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
    });
  }

  /** Draws with the mouse: button down at the first point, up at the last; points in shares of the stage. */
  async mouse(points) {
    const box = await this.page.locator('#stage').boundingBox();
    const place = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
    const [first, ...rest] = points.map(place);
    await this.page.mouse.move(...first);
    await this.page.mouse.down();
    for (const point of rest) await this.page.mouse.move(...point, { steps: 3 });
    await this.page.mouse.up();
  }

  /**
   * Draws within the page as its pen does, every 50 ms, and notes by the page's own clock when it is connected to another
   * node than `lost` and when a stroke that was drawn since is in the drawing: what the machine's other work delays is
   * not the node's or the page's.
   */
  watchReturn(lost) {
    return this.page.evaluate((node) => {
      const { board } = globalThis.inkmesh;
      const noted = { drawn: 0 };
      let first;
      noted.timer = setInterval(() => {
        const now = board.state();
        const elsewhere = now.phase === 'connected' && now.node !== node;
        if (elsewhere) noted.connectedAt ??= Date.now();
        if (noted.backAt === undefined) {
          const x = 100 + (noted.drawn % 100) * 12;
          const ops = board.draw({ width: 4 }, [[x, 900], [x + 8, 930], [x, 960]]);
          ++noted.drawn;
          // It may be back before it draws again.
          if (now.phase !== 'connected' || elsewhere) first ??= ops[0];
        }
        if (!elsewhere || first === undefined || noted.backAt !== undefined) return;
        if (board.strokes().some(({ client, op }) => client === now.client && op === first)) noted.backAt = Date.now();
      }, 50);
      globalThis.noted = noted;
    }, lost);
  }

  /** What watchReturn() noted, once the page is back: {connectedAt, backAt, drawn}. */
  async returned() {
    await until('a stroke drawn since is in the drawing', () => this.page.evaluate(() => globalThis.noted.backAt));
    return this.page.evaluate(() => {
      clearInterval(globalThis.noted.timer);
      return { ...globalThis.noted };
    });
  }

  async reload() {
    await this.page.reload();
    await this.live();
  }

  async screenshot(test, name) {
    await sleep(150); // two frames and a transition: what a person would see
    const file = path.join(await artifactFolder(test), `${name}.png`);
    await this.page.screenshot({ path: file });
    return file;
  }

  async close() {
    await this.context.close();
  }
}
