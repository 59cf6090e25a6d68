// One window of the whiteboard in headless Chromium, drawing all the time while its node is killed: see again.mjs.
import { launch, Window } from '../../tests/e2e/browser.mjs';
import { killUnder } from './again.mjs';

const browser = await launch();
await killUnder(async ({ node, http, board }) => {
  const window = await Window.open(browser, http, board);
  await window.watchReturn(node);
  return {
    async back(killedMs) {
      const { connectedAt, backAt, drawn } = await window.returned();
      const { violations } = await window.holds(drawn);
      return {
        back_ms: [backAt - killedMs], connected_ms: [connectedAt - killedMs], drawn, channels: [`drawing_${board}`], violations,
      };
    },
    close: () => window.close(),
  };
});
await browser.close();
