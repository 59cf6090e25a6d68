import { Alarm, systemClock } from '../client/clock.js';

const PATIENCE_MS = 1_500; // before trouble is called by its name
const SAVING_MS = 700;
const TOAST_MS = 5_000;
const TROUBLE = {
  storage_full: 'The node is full',
  rate_limited: 'Slowing down',
  unavailable: 'The node is busy',
};

/**
 * The state of the connection, in words: what it is, which node, what waits.
 *
 * @param {object} seen
 * @param {string} seen.phase
 * @param {string} [seen.node]
 * @param {number} seen.waiting
 * @param {string} [seen.trouble]
 * @param {number} seen.downMs For how long there has been no connection.
 * @param {number} seen.waitingMs For how long something has waited.
 * @param {string} seen.replay The subscription's state.
 * @returns {{tone: 'good' | 'busy' | 'bad', text: string, detail: string}}
 */
export function describe({ phase, node, waiting, trouble, downMs, waitingMs, replay }) {
  const strokes = `${waiting} stroke${waiting === 1 ? '' : 's'} waiting`;
  if (phase !== 'connected') {
    const detail = waiting ? strokes : '';
    if (downMs < PATIENCE_MS) return { tone: 'busy', text: 'Reconnecting…', detail };
    return { tone: 'bad', text: 'Offline', detail: detail || 'You can go on drawing' };
  }
  if (waiting && TROUBLE[trouble]) return { tone: 'busy', text: TROUBLE[trouble], detail: strokes };
  if (replay !== 'live') return { tone: 'busy', text: node, detail: 'Loading the drawing…' };
  if (waiting && waitingMs > SAVING_MS) return { tone: 'busy', text: node, detail: strokes };
  return { tone: 'good', text: node, detail: '' };
}

/** The chip in the bar, the notice below it, and short messages. */
export class StatusView {
  #elements;
  #client;
  #subscription;
  #clock;
  #downSince = 0;
  #waitingSince = Infinity;
  #again;
  #toastEnd;

  /**
   * @param {Record<'chip' | 'text' | 'detail' | 'notice' | 'toast', HTMLElement>} elements
   * @param {import('../client/inkmesh_client.js').InkmeshClient} client
   * @param {import('../client/subscription.js').Subscription} subscription
   * @param {import('../client/clock.js').Clock} [clock]
   */
  constructor(elements, client, subscription, clock = systemClock) {
    this.#elements = elements;
    this.#client = client;
    this.#subscription = subscription;
    this.#clock = clock;
    this.#downSince = clock.now();
    this.#again = new Alarm(clock, () => this.#show());
    this.#toastEnd = new Alarm(clock, () => (elements.toast.hidden = true));
    client.on('state', () => this.#show());
    subscription.on('state', () => this.#show());
    subscription.on('live', () => this.#show());
    subscription.on('refused', ({ code, message }) => this.say(`This board cannot be opened: ${message ?? code}`));
    this.#show();
  }

  /** A short message. */
  say(text) {
    const { toast } = this.#elements;
    toast.textContent = text;
    toast.hidden = false;
    this.#toastEnd.set(TOAST_MS);
  }

  #show() {
    const now = this.#clock.now();
    const { phase, node, waiting, trouble } = this.#client.state;
    if (phase === 'connected') this.#downSince = Infinity;
    else if (this.#downSince === Infinity) this.#downSince = now;
    if (waiting === 0) this.#waitingSince = Infinity;
    else if (this.#waitingSince === Infinity) this.#waitingSince = now;
    const seen = {
      phase,
      node,
      waiting,
      trouble,
      downMs: now - this.#downSince,
      waitingMs: now - this.#waitingSince,
      replay: this.#subscription.state,
    };
    const { tone, text, detail } = describe(seen);
    const { chip, text: textElement, detail: detailElement, notice } = this.#elements;
    chip.dataset.tone = tone;
    setText(textElement, text ?? '');
    setText(detailElement, detail);
    notice.hidden = !(phase === 'connected' && this.#subscription.state === 'live' && !this.#subscription.complete);
    if (seen.downMs >= 0 && seen.downMs < PATIENCE_MS) this.#again.setAtMost(PATIENCE_MS - seen.downMs + 1);
    if (seen.waitingMs >= 0 && seen.waitingMs <= SAVING_MS) this.#again.setAtMost(SAVING_MS - seen.waitingMs + 1);
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
