import { getStroke } from 'perfect-freehand';

/**
 * The outline of a line, as a polygon.
 *
 * @param {import('./stroke_data.js').Ink} ink
 * @returns {number[][]}
 */
export function outline({ kind, width, points }) {
  const erases = kind === 'erase';
  const pressed = points[0].length >= 3;
  return getStroke(points, {
    size: width,
    thinning: erases ? 0 : pressed ? 0.5 : 0.3,
    smoothing: 0.5,
    streamline: erases ? 0.2 : 0.35,
    simulatePressure: !erases && !pressed,
    last: true,
  });
}

/**
 * Traces an outline with a curve through the middles of its edges.
 *
 * @param {Pick<Path2D, 'moveTo' | 'quadraticCurveTo' | 'closePath'>} path
 * @param {number[][]} polygon
 */
export function trace(path, polygon) {
  if (polygon.length < 3) return;
  const last = polygon[polygon.length - 1];
  path.moveTo((last[0] + polygon[0][0]) / 2, (last[1] + polygon[0][1]) / 2);
  for (const [i, [x, y]] of polygon.entries()) {
    const [nextX, nextY] = polygon[(i + 1) % polygon.length];
    path.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  path.closePath();
}

/**
 * Paints a line. Pixels depend on nothing but the line and what lies below.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {import('./stroke_data.js').Ink} ink
 * @param {string} [paper] What an eraser paints with, where it lies on a layer above the picture; without it, it clears.
 */
export function paint(context, ink, paper) {
  const path = new Path2D();
  trace(path, outline(ink));
  const clears = ink.kind === 'erase' && !paper;
  context.globalCompositeOperation = clears ? 'destination-out' : 'source-over';
  context.fillStyle = ink.kind === 'erase' ? (paper ?? '#000000') : ink.color;
  context.fill(path);
}
