// Real handwriting: pen paths of Chinese characters (hanzi-writer-data's `medians`), laid out as pages of a drawing.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
export const fixtureFolder = path.join(here, 'fixtures/characters');
const packageFolder = path.join(here, 'node_modules/hanzi-writer-data');

/** The Thousand Character Classic's first forty-eight: written by children for fifteen hundred years. */
export const CLASSIC = [...'天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏閏餘成歲律呂調陽雲騰致雨露結為霜金生麗水玉出崑岡'];

const BOX = 1024; // a character's square in the data; y points up, the baseline is 124 above the bottom
const DESCENT = 124;

const cache = new Map();

/** A character's strokes as the pen went: arrays of [x, y] in its box, y down, 0 to 1. */
export function penPaths(character) {
  if (!cache.has(character)) {
    const { medians } = JSON.parse(readFileSync(path.join(packageFolder, `${character}.json`), 'utf8'));
    cache.set(character, medians.map((points) =>
      points.map(([x, y]) => [x / BOX, (BOX - DESCENT - y) / BOX])));
  }
  return cache.get(character);
}

/**
 * A page of characters as the whiteboard's strokes, in the drawing's own units. `at` is the page's corner, `size` a
 * character's side, `columns` the characters of a row.
 */
export function page(characters, { at: [left, top], size, columns, colour = '#1d3557', width = 6 }) {
  const tenth = (value) => Math.round(value * 10) / 10;
  return characters.flatMap((character, index) => {
    const x0 = left + (index % columns) * size;
    const y0 = top + Math.floor(index / columns) * size;
    return penPaths(character).map((points) => ({
      t: 'pen',
      c: colour,
      w: width,
      // A brush sets down, presses and lifts.
      p: points.map(([x, y], i) => [tenth(x0 + x * size), tenth(y0 + y * size),
        Math.round((0.35 + 0.4 * Math.sin((Math.PI * i) / Math.max(1, points.length - 1))) * 100) / 100]),
    }));
  });
}
