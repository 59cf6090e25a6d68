import { writeFile } from 'node:fs/promises';
export async function writeTimeline(file, run) {
  await writeFile(file, `<pre>${JSON.stringify(run.journal.seconds)}</pre>`);
}
