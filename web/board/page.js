// What belongs to the page around the sheet: keys, sharing, saving, the list of people.
import { addressOf } from './address.js';
import { COLORS } from './tools.js';
import { randomClient } from '../client/inkmesh.js';

const ZOOM_STEP = 1.25;
const BOARD_NAME_LENGTH = 10;

/**
 * Keys that work wherever the focus is, but in a text field.
 *
 * @param {object} parts
 * @param {HTMLElement} parts.stage
 * @param {import('./tools.js').Tools} parts.tools
 * @param {import('./viewport.js').Viewport} parts.viewport
 * @param {import('./pointer_input.js').PointerInput} parts.input
 */
export function installKeys({ stage, tools, viewport, input }) {
  const actions = {
    p: () => tools.choose({ kind: 'pen' }),
    e: () => tools.choose({ kind: 'erase' }),
    '[': () => tools.stepWidth(-1),
    ']': () => tools.stepWidth(1),
    '+': () => viewport.zoomBy(ZOOM_STEP),
    '=': () => viewport.zoomBy(ZOOM_STEP),
    '-': () => viewport.zoomBy(1 / ZOOM_STEP),
    0: () => viewport.fit(),
  };
  for (const [i, { value }] of COLORS.entries()) actions[i + 1] = () => tools.choose({ color: value });
  const typing = (target) => target instanceof HTMLInputElement;
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === ' ' && (event.target === stage || event.target === document.body)) {
      input.spaceHeld = true;
      event.preventDefault();
      return;
    }
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    action();
    event.preventDefault();
  });
  addEventListener('keyup', ({ key }) => {
    if (key === ' ') input.spaceHeld = false;
  });
  addEventListener('blur', () => (input.spaceHeld = false));
}

/** The buttons in the upper bar. */
export function installActions({ status, layers, viewport, board, paper, ownName, rename }) {
  const $ = (id) => document.getElementById(id);

  $('share').addEventListener('click', async () => {
    const url = addressOf(location.href, board);
    if (await copyText(url)) status.say('Address copied: whoever opens it draws along.');
    else status.say(url);
  });
  $('save').addEventListener('click', () => savePicture(layers.pixels(), paper, `${board}.png`));
  $('fit').addEventListener('click', () => viewport.fit());
  $('new').href = addressOf(location.href, randomClient().slice(0, BOARD_NAME_LENGTH));

  const panel = $('people');
  const open = (shown) => {
    panel.hidden = !shown;
    $('avatars').setAttribute('aria-expanded', String(shown));
    if (shown) $('name').select();
  };
  $('name').value = ownName;
  $('avatars').addEventListener('click', () => open(panel.hidden));
  $('rename').addEventListener('submit', (event) => {
    event.preventDefault();
    open(false);
    $('stage').focus();
  });
  $('name').addEventListener('change', () => ($('name').value = rename($('name').value)));
  $('stage').addEventListener('pointerdown', () => open(false));
  panel.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return;
    open(false);
    $('avatars').focus();
  });
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyThroughField(text); // no clipboard outside of secure contexts
  }
}

function copyThroughField(text) {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'unseen';
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  return copied;
}

function savePicture(pixels, paper, name) {
  const canvas = document.createElement('canvas');
  canvas.width = pixels.width;
  canvas.height = pixels.height;
  const context = canvas.getContext('2d');
  context.putImageData(pixels, 0, 0);
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
