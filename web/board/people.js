// What stands for a person on the board: a name made from the client's, until they give themselves one, and a colour.

const FIRST = [
  'Amber', 'Azure', 'Bold', 'Brave', 'Bright', 'Calm', 'Clever', 'Coral', 'Crimson', 'Dapper', 'Eager', 'Fern', 'Gentle',
  'Golden', 'Happy', 'Hazel', 'Indigo', 'Ivory', 'Jade', 'Jolly', 'Keen', 'Lilac', 'Lively', 'Lucky', 'Mellow', 'Merry',
  'Mint', 'Noble', 'Olive', 'Quick', 'Quiet', 'Rosy', 'Ruby', 'Silver', 'Sunny', 'Swift', 'Teal', 'Vivid', 'Wise', 'Witty',
]; // prettier-ignore
const SECOND = [
  'Badger', 'Bear', 'Beaver', 'Crane', 'Crow', 'Deer', 'Dove', 'Eagle', 'Falcon', 'Finch', 'Fox', 'Gecko', 'Hare', 'Heron',
  'Ibex', 'Jay', 'Kestrel', 'Koala', 'Lark', 'Lynx', 'Magpie', 'Marten', 'Mole', 'Moth', 'Newt', 'Otter', 'Owl', 'Panda',
  'Puffin', 'Raven', 'Robin', 'Seal', 'Stork', 'Swan', 'Tapir', 'Toad', 'Vole', 'Wolf', 'Wren', 'Yak',
]; // prettier-ignore
const COLORS = [
  '#d6336c', '#ae3ec9', '#7048e8', '#4263eb', '#1c7ed6', '#0c8599', '#099268', '#2f9e44', '#66a80f', '#e67700', '#e8590c',
  '#c92a2a',
]; // prettier-ignore

/** A small, well mixed hash. */
function hash(text) {
  let value = 2166136261;
  for (let i = 0; i < text.length; ++i) value = Math.imul(value ^ text.charCodeAt(i), 16777619);
  value = Math.imul(value ^ (value >>> 15), 2246822519);
  return (value ^ (value >>> 13)) >>> 0;
}

/** @param {string} client */
export function givenName(client) {
  const value = hash(client);
  return `${FIRST[value % FIRST.length]} ${SECOND[Math.floor(value / FIRST.length) % SECOND.length]}`;
}

/** @param {string} client */
export function colorOf(client) {
  return COLORS[hash(`colour of ${client}`) % COLORS.length];
}

/** One or two letters for an avatar. */
export function initials(name) {
  const words = name.split(/\s+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => Array.from(word)[0].toUpperCase()).join('');
}
