// Headless Chromium with the whiteboard of a node in it. What a test may ask of the page is in web/README.md.
import { chromium } from 'playwright-core';
import path from 'node:path';
import { artifactFolder } from './cluster.mjs';
import { until } from './process.mjs';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export async function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium', args: FLAGS });
}

/** One window with a drawing open at a node. */
export class Window {
  static async open(browser, node, board, { query = '', viewport = { width: 1000, height: 700 } } = {}) {
    const window = new Window();
    window.node = node;
    window.context = await browser.newContext({ viewport });
    window.page = await window.context.newPage();
    window.elsewhere = [];
    window.errors = [];
    window.page.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (hostname !== '127.0.0.1' && !['data:', 'blob:'].includes(protocol)) window.elsewhere.push(request.url());
    });
    window.page.on('pageerror', (error) => window.errors.push(error.message));
    await window.page.goto(`${node.http}/?board=${board}${query}`);
    await window.live();
    return window;
  }

  async close() {
    await this.context.close();
  }

  async screenshot(test, name) {
    const file = path.join(await artifactFolder(test), `${name}.png`);
    await this.page.screenshot({ path: file });
    return file;
  }
}

