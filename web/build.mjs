// node build.mjs FOLDER [EMBEDDED.cpp]: bundles the whiteboard and the client library into FOLDER, and writes the
// bundled files as the C++ source behind embedded_files.h.
import { cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));

const CONTENT_TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Request paths and the bundled file that answers each. */
const SERVED = {
  '/': 'index.html',
  '/board.css': 'board.css',
  '/board.js': 'board.js',
  '/icon.svg': 'icon.svg',
  '/index.html': 'index.html',
  '/inkmesh.js': 'inkmesh.js',
};

async function bundle(folder) {
  await mkdir(folder, { recursive: true });
  const common = {
    bundle: true,
    format: 'esm',
    target: ['es2022'],
    charset: 'utf8',
    legalComments: 'inline',
    logLevel: 'warning',
    absWorkingDir: here,
  };
  await build({
    ...common,
    minify: true,
    entryPoints: { board: 'board/main.js' },
    outdir: folder,
  });
  await build({
    ...common,
    minify: true,
    entryPoints: { board: 'board/board.css' },
    outdir: folder,
  });
  await build({ ...common, entryPoints: { inkmesh: 'client/inkmesh.js' }, outdir: folder });
  for (const name of ['index.html', 'icon.svg']) await cp(path.join(here, 'board', name), path.join(folder, name));
}

/** Bytes as C++ string literals, one a line of the input. */
function literal(bytes) {
  let line = '';
  const lines = [];
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    if (byte === 0x0a) line += '\\n';
    else if (character === '"' || character === '\\' || character === '?') line += `\\${character}`;
    else if (byte >= 0x20 && byte < 0x7f) line += character;
    else line += `\\${byte.toString(8).padStart(3, '0')}`;
    if (byte === 0x0a || line.length > 4000) {
      lines.push(`    "${line}"`);
      line = '';
    }
  }
  if (line !== '' || lines.length === 0) lines.push(`    "${line}"`);
  return lines.join('\n');
}

async function embed(folder, target) {
  const names = [...new Set(Object.values(SERVED))].sort();
  const parts = [];
  for (const [i, name] of names.entries()) {
    const bytes = await readFile(path.join(folder, name));
    parts.push(`constexpr char kFile${i}[] =\n${literal(bytes)};`);
  }
  const rows = Object.keys(SERVED)
    .sort()
    .map((served) => {
      const name = SERVED[served];
      const i = names.indexOf(name);
      const type = CONTENT_TYPES[path.extname(name)];
      return `      {"${served}", "${type}", {kFile${i}, sizeof(kFile${i}) - 1}},`;
    });
  const source = `// Written by web/build.mjs.
#include "web/embedded_files.h"

#include <algorithm>

namespace inkmesh::web {
namespace {

${parts.join('\n\n')}

}  // namespace

const std::vector<File>& all_files() {
  static const std::vector<File> files{
${rows.join('\n')}
  };
  return files;
}

const File* find_file(std::string_view path) {
  const auto& files = all_files();
  const auto found =
      std::lower_bound(files.begin(), files.end(), path, [](const File& file, std::string_view key) { return file.path < key; });
  return found != files.end() && found->path == path ? &*found : nullptr;
}

}  // namespace inkmesh::web
`;
  await writeFile(`${target}.new`, source);
  await rename(`${target}.new`, target);
}

const [folder, target] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node build.mjs FOLDER [EMBEDDED.cpp]');
  process.exit(2);
}
await bundle(path.resolve(folder));
if (target) await embed(path.resolve(folder), path.resolve(target));
