// npm run test:large [NAME...]: exports full-size U-Nets with random weights and compares them with torch, and compares
// WebGPU on a device in software with the CPU (webgpu). Takes minutes, 20 GB of memory and 6 GB of disk for sdxl-turbo;
// all but webgpu needs Python with ops/export/requirements.txt (MILLRACE_PYTHON names it).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Failure, main, mustRun, say } from './lib.mjs';
import { prepare } from './prepare.mjs';

const models = ['sd-turbo', 'sdxl-turbo'];
const known = [...models, 'webgpu'];

await main(async () => {
  await prepare({ tests: true });
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    say(`Unknown: ${unknown}; known: ${known.join(', ')}.`);
    throw new Failure();
  }
  const python = process.env.MILLRACE_PYTHON ?? 'python3';
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-large-'));
  try {
    for (const name of wanted.length ? wanted : known) {
      if (models.includes(name)) await testModel(python, name, join(scratch, name));
      else await mustRun(process.execPath, ['--test', `dist/test/large/${name}.large.js`]);
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
});

/** Tests one model. They run one after another, since each fills the memory. */
async function testModel(python, name, folder) {
  await mustRun(python, ['ops/export/tests/full_size.py', name, folder]);
  const env = { ...process.env, MILLRACE_LARGE_MODEL: folder };
  await mustRun(process.execPath, ['--test', 'dist/test/large/full-size.large.js'], { env });
  rmSync(folder, { recursive: true });
}
