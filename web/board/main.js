import {
  IndexedDbStorage,
  InkmeshClient,
  MemoryStorage,
  claimIdentity,
  randomClient,
  sendLeftovers,
} from '../client/inkmesh.js';
import { addressOf, readAddress } from './address.js';
import { Board } from './board.js';
import { installHook } from './hook.js';
import { KeyboardPen } from './keyboard_pen.js';
import { Layers } from './layers.js';
import { LiveLines, cleanName } from './live_lines.js';
import { LiveSender } from './live_sender.js';
import { Pen } from './pen.js';
import { givenName } from './people.js';
import { PeopleView } from './people_view.js';
import { PointerInput } from './pointer_input.js';
import { PointersView } from './pointers_view.js';
import { installActions, installKeys } from './page.js';
import { StatusView } from './status_view.js';
import { Toolbar } from './toolbar.js';
import { Tools } from './tools.js';
import { Viewport } from './viewport.js';

const SWEEP_MS = 1_000;
const LEFTOVERS_MS = 30_000;
const NAME_KEPT_AS = 'inkmesh.name';

const $ = (id) => document.getElementById(id);

function localStorageOrNone() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined; // blocked by the browser's settings
  }
}

async function openStorage() {
  try {
    return await IndexedDbStorage.open();
  } catch {
    return new MemoryStorage(); // a private window: what waits lives as long as the page
  }
}

/** Where strokes that wait outlive the page, and the name under which this tab publishes. */
async function whoAmI() {
  const storage = await openStorage();
  try {
    return { storage, client: await claimIdentity({ storage }) };
  } catch {
    return { storage, client: randomClient() };
  }
}

function insets() {
  const top = document.querySelector('.bar.top').getBoundingClientRect().bottom + 10;
  const bottom = window.innerHeight - document.querySelector('.bar.bottom').getBoundingClientRect().top + 10;
  const side = window.innerWidth > 720 ? 16 : 8;
  return { top, bottom, left: side, right: side };
}

async function start() {
  const address = readAddress(location.search);
  history.replaceState(null, '', addressOf(location.href, address.board));
  document.title = `${address.board} · inkmesh`;
  $('board-name').textContent = address.board;

  const { storage, client: self } = await whoAmI();
  const connect = { discover: location.origin, stay: address.stay };
  const client = new InkmeshClient({ ...connect, client: self, storage });
  await client.ready;

  const kept = localStorageOrNone();
  const tools = new Tools(kept);
  const board = new Board(client, address.channel);
  const { subscription } = board;
  const pen = new Pen();
  const live = new LiveLines((author, op) => board.has(author, op));
  const viewport = new Viewport($('stage'), $('sheet'), insets);
  const lines = () => (pen.ink ? [...live.lines, pen.ink] : live.lines);
  const paper = getComputedStyle($('sheet')).backgroundColor;
  const canvases = { picture: $('picture'), waiting: $('waiting'), live: $('live') };
  const layers = new Layers(board, lines, canvases, paper);

  let ownName = cleanName(kept?.getItem(NAME_KEPT_AS) ?? '') || givenName(self);
  const nameOf = (who) => (who === self ? ownName : (live.nameOf(who) ?? givenName(who)));
  const narrow = matchMedia('(max-width: 720px)');
  const people = new PeopleView({ avatars: $('avatars'), list: $('people-list') }, self, nameOf, narrow);
  const pointers = new PointersView($('pointers'), viewport, nameOf);
  const sender = new LiveSender(
    (data) => client.signal(address.channel, data),
    pen,
    () => ownName,
  );
  const status = new StatusView(
    { chip: $('chip'), text: $('chip-text'), detail: $('chip-detail'), notice: $('notice'), toast: $('toast') },
    client,
    subscription,
  );

  // ---- drawing here ----
  pen.on('moved', () => layers.linesChanged());
  pen.on('drew', ({ style, points, line }) => {
    try {
      sender.finished(line, board.draw(style, points));
    } catch (error) {
      status.say(`This stroke cannot be drawn: ${error.message}`);
    }
  });
  const hover = (place) => sender.hover(place);
  const style = (erase) => tools.style(erase);
  const input = new PointerInput($('stage'), { pen, viewport, style, hover });
  new KeyboardPen($('stage'), $('cross'), { pen, style, hover });
  new Toolbar({ kinds: $('kinds'), colors: $('colors'), widths: $('widths') }, tools);
  installKeys({ stage: $('stage'), tools, viewport, input });

  // ---- what the others do ----
  subscription.on('signal', (signal) => signal.client !== self && live.take(signal));
  subscription.on('presence', (present, { joined, left }) => {
    people.show(present);
    const here = new Set(present.map((who) => who.client));
    for (const who of left) if (!here.has(who.client)) live.forget(who.client);
    if (joined.some((who) => who.client !== self)) sender.introduce();
  });
  board.on('arrived', (strokes) => live.strokesArrived(strokes));
  board.on('refused', (error) => status.say(`A stroke was refused: ${error.message}`));
  client.on('storage_failed', () =>
    status.say('This browser stores nothing more: keep the page open until all is sent.'),
  );
  live.on('lines', () => layers.linesChanged());
  live.on('pointers', () => pointers.show(live.pointers));
  live.on('names', () => {
    people.show(subscription.present);
    pointers.show(live.pointers);
  });
  setInterval(() => live.sweep(), SWEEP_MS);

  // ---- the page ----
  installActions({
    status,
    layers,
    viewport,
    board: address.board,
    paper,
    ownName,
    rename: (name) => {
      ownName = cleanName(name) || givenName(self);
      kept?.setItem(NAME_KEPT_AS, cleanName(name));
      people.show(subscription.present);
      sender.introduce();
      return ownName;
    },
  });
  addEventListener('online', () => client.hurry());
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && client.hurry());
  const leftovers = () => sendLeftovers({ self, storage, connect }).catch((error) => console.warn('inkmesh:', error));
  leftovers();
  setInterval(leftovers, LEFTOVERS_MS);

  installHook({ client, board, layers, live });
}

start().catch((error) => {
  console.error('inkmesh:', error);
  $('chip').dataset.tone = 'bad';
  $('chip-text').textContent = 'This page could not start';
  $('chip-detail').textContent = error.message;
});
