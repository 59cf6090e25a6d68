// What a stroke's `data` is on the whiteboard; README.md has the format for others who draw.

/** The board's logical space: every screen paints the same picture of so many pixels, whatever its own size. */
export const BOARD = Object.freeze({ width: 1600, height: 1000 });

/** More points than this go into the next stroke: its JSON stays far below 64 KiB. */
export const POINTS_MAX = 2_000;

const POINTS_ACCEPTED_MAX = 12_000;
const WIDTH_MAX = 400;
const REACH = 100_000;
const COLOR = /^#[0-9a-f]{6}$/i;

/**
 * @typedef {[number, number] | [number, number, number]} Point x, y in board units; the pressure from 0 to 1 where the
 *     device knows it.
 * @typedef {object} Ink
 * @property {'pen' | 'erase'} kind
 * @property {string} color "#rrggbb"; unused when erasing.
 * @property {number} width In board units, at middling pressure.
 * @property {Point[]} points At least one.
 */

/**
 * Anyone can publish anything: what cannot be drawn is undefined, and ignored.
 *
 * @param {unknown} data
 * @returns {Ink | undefined}
 */
export function parseStroke(data) {
  if (data === null || typeof data !== 'object') return undefined;
  const { t, c, w, p } = data;
  if (t !== 'pen' && t !== 'erase') return undefined;
  if (typeof w !== 'number' || !(w > 0 && w <= WIDTH_MAX)) return undefined;
  if (t === 'pen' && !(typeof c === 'string' && COLOR.test(c))) return undefined;
  const points = parsePoints(p);
  if (!points) return undefined;
  return { kind: t, color: t === 'pen' ? c.toLowerCase() : '#000000', width: w, points };
}

/**
 * @param {unknown} points
 * @returns {Point[] | undefined} Undefined unless all of them are points, and there is at least one.
 */
export function parsePoints(points) {
  if (!Array.isArray(points) || points.length === 0 || points.length > POINTS_ACCEPTED_MAX) return undefined;
  const pressed = Array.isArray(points[0]) && points[0].length >= 3;
  const parsed = [];
  for (const point of points) {
    if (!Array.isArray(point) || !isPlace(point[0]) || !isPlace(point[1])) return undefined;
    if (!pressed) {
      parsed.push([point[0], point[1]]);
      continue;
    }
    const pressure = typeof point[2] === 'number' && Number.isFinite(point[2]) ? point[2] : 0.5;
    parsed.push([point[0], point[1], Math.min(Math.max(pressure, 0), 1)]);
  }
  return parsed;
}

function isPlace(value) {
  return typeof value === 'number' && Math.abs(value) <= REACH;
}

/**
 * @param {Omit<Ink, 'points'>} style
 * @param {Point[]} points
 * @returns {object} A stroke's data.
 */
export function makeStroke({ kind, color, width }, points) {
  const style = kind === 'pen' ? { t: 'pen', c: color, w: width } : { t: 'erase', w: width };
  return { ...style, p: points };
}

/** A point as it is published: tenths of a unit, hundredths of pressure. */
export function roundPoint([x, y, pressure]) {
  const place = [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
  return pressure === undefined ? place : [...place, Math.round(pressure * 100) / 100];
}

/**
 * Cuts a line into strokes' worths of points. Each piece begins where the one before ended.
 *
 * @param {Point[]} points
 * @param {number} [most]
 * @returns {Point[][]}
 */
export function splitPoints(points, most = POINTS_MAX) {
  const pieces = [];
  for (let from = 0; from === 0 || from < points.length - 1; from += most - 1) {
    pieces.push(points.slice(from, from + most));
  }
  return pieces;
}
