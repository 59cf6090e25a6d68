// JSON text as it stands: finds the very characters of a value, where JSON.parse would give back what it made of them.

const WHITE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /true|false|null/y;

class Scanner {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }
  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) throw new SyntaxError(`JSON at ${this.at}: ${this.text.slice(this.at, this.at + 40)}`);
    this.at = pattern.lastIndex;
    return found[0];
  }
  white() {
    this.match(WHITE);
  }
  take(character) {
    this.white();
    if (this.text[this.at] !== character) return false;
    ++this.at;
    return true;
  }
  /** Passes over one value; `visit(key, raw)` for each member where it is an object, for each element of an array. */
  value(visit) {
    this.white();
    const begin = this.at;
    const first = this.text[begin];
    if (first === '{' || first === '[') this.container(first === '{', visit);
    else if (first === '"') this.match(STRING);
    else if (first === '-' || (first >= '0' && first <= '9')) this.match(NUMBER);
    else this.match(WORD);
    return this.text.slice(begin, this.at);
  }
  container(isObject, visit) {
    ++this.at;
    const close = isObject ? '}' : ']';
    if (this.take(close)) return;
    for (let index = 0; ; ++index) {
      let key = index;
      if (isObject) {
        this.white();
        key = JSON.parse(this.match(STRING));
        if (!this.take(':')) throw new SyntaxError(`no colon at ${this.at}`);
      }
      const raw = this.value();
      visit?.(key, raw);
      if (this.take(close)) return;
      if (!this.take(',')) throw new SyntaxError(`no comma at ${this.at}`);
    }
  }
}

/** The members of a JSON object (or elements of an array) as raw text, by key. */
export function rawMembers(text) {
  const members = new Map();
  const scanner = new Scanner(text);
  scanner.value((key, raw) => members.set(key, raw));
  scanner.white();
  if (scanner.at !== text.length) throw new SyntaxError(`something follows at ${scanner.at}`);
  return members;
}

/** The raw text of `data` in every stroke of a `stroke` or `strokes` message (or of a history page), in order. */
export function rawData(text) {
  const members = rawMembers(text);
  if (!members.has('strokes')) return [members.get('data')];
  return [...rawMembers(members.get('strokes')).values()].map((stroke) => rawMembers(stroke).get('data'));
}
